"""`naokit profile`, `show` and `zoo` of language models."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from naokit.cli.app import app
from naokit.spaces.published import GENOTYPES, LANGUAGE_MODELS

Write = Callable[..., Path]
NAO = "0 1 0 1 1 1 3 0 4 1 4 1 5 1 1 1 7 1 1 1 1 2"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("naokit.text.costs.BATCH", 2)
    monkeypatch.setattr("naokit.text.costs.STEPS", 3)
    monkeypatch.setattr("naokit.text.costs.SECONDS", 0.2)


def test_profile_counts_the_published_language_model() -> None:
    result = run("profile", "nao-rnn", "--hidden", "850", "--vocabulary", "10000", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["parameters"] == 27295000
    assert '"parameters": 27295000' in result.stdout
    assert found["macs"] == 27295000 - 10000
    assert found["weights_mb"] == pytest.approx(4 * 27.295)
    assert found["training_mb"] > 2 * found["weights_mb"]
    assert found["latency_ms"] > 0
    assert found["space"]["activations"] == ["tanh", "relu", "identity", "sigmoid"]


def test_profile_estimates_a_training_on_a_text(write_text: Write, tmp_path: Path) -> None:
    text = write_text(tmp_path / "text")
    asked = ("profile", "nao-rnn", "--hidden", "8", "--data", str(text), "--recipe", "text-quick")
    result = run(*asked, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    training = found["training"]
    assert found["vocabulary"] == 9  # seven words, <eos>, <unk>
    assert (training["recipe"], training["epochs"], training["tokens"]) == ("text-quick", 2, 660)
    assert 0 < training["low"] <= training["seconds"] <= training["high"]
    assert 40 < training["tokens_a_measured_step"] < 8 * 40
    lines = run(*asked, "--tokens", "char").stdout
    assert "by text-quick: 2 epochs of" in lines
    assert "an estimate from 1" in lines  # twelve steps or more


@pytest.mark.parametrize(
    ("options", "table"),
    [
        ((), "0 tanh, 1 relu, 2 sigmoid, 3 identity (nao-ws)"),
        (("--activations", "nao"), "0 tanh, 1 relu, 2 identity, 3 sigmoid (nao)"),
    ],
)
def test_a_raw_string_is_read_by_the_table_that_is_named(
    options: tuple[str, ...], table: str
) -> None:
    sizes = ("--hidden", "8", "--vocabulary", "20")
    profiled = run("profile", NAO, "--space", "recurrent", *options, *sizes)
    assert profiled.exit_code == 0, profiled.output
    assert f"activations      {table}" in profiled.stdout
    assert "vocabulary 20, hidden 8" in profiled.stdout
    assert f"parameters       {20 * 8 + 20 + 26 * 64:,}" in profiled.stdout
    shown = run("show", NAO, "--space", "recurrent", *options)
    assert f"activations: {table}" in shown.stdout


def test_a_published_cell_carries_its_own_table(tmp_path: Path) -> None:
    drawn = tmp_path / "cell.svg"
    shown = run("show", "nao-rnn", "--svg", str(drawn))
    assert "11 = identity(1)" in shown.stdout
    assert "(nao)" in shown.stdout
    assert ">11 identity</text>" in drawn.read_text()
    raw = run("show", NAO, "--space", "recurrent", "--activations", "nao")
    assert raw.stdout == run("show", "nao-rnn").stdout


def test_the_lstm_is_an_architecture_to_every_command() -> None:
    sizes = ("--hidden", "20", "--vocabulary", "30", "--json")
    found = json.loads(run("profile", "lstm", *sizes).stdout)
    assert 0.9 * 11_030 < found["parameters"] <= 11_030
    shown, note = run("show", "lstm").stdout.splitlines()
    assert shown == "cell: lstm"
    assert note.startswith("an LSTM to compare recurrent cells with: nothing is searched in it")


def test_the_zoo_lists_language_models_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    few = {name: GENOTYPES[name] for name in ("nao-rnn", "lstm")}
    monkeypatch.setattr("naokit.spaces.published.GENOTYPES", few)
    listed = json.loads(run("zoo", "--json").stdout)
    assert listed["networks"] == []
    assert [row["name"] for row in listed["language_models"]] == ["nao-rnn", "nao-rnn", "lstm"]
    assert listed["language_models"][0]["parameters"] == 27295000
    table = run("zoo").stdout
    assert "27,295,000" in table
    assert "67.10" in table
    assert LANGUAGE_MODELS["nao-rnn"].note in table


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("profile", "nao-rnn", "--channels", "4"),
            "--channels is for images; the networks of this space read text",
        ),
        (("profile", "nao-rnn", "--recipe", "quick"), "recipe quick is not for text"),
        (
            ("profile", "naonet-b", "--hidden", "4"),
            "--hidden is for text; the networks of this space read images",
        ),
        (("profile", "nao-rnm"), "did you mean nao-rnn"),
        (("show", "0 1 2 1", "--space", "recurrent", "--nodes", "2"), "an earlier node, 0 to 1"),
        (("show", NAO, "--space", "recurrent", "--activations", "nao-w"), "did you mean nao-ws"),
        (("show", NAO, "--activations", "nao"), "conv-small has no activations to set"),
    ],
)
def test_bad_input_ends_with_2_and_one_line(arguments: tuple[str, ...], message: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert message in line
