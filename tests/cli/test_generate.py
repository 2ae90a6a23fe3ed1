"""`naokit generate`, `evaluate` and `export` of a language model as a user runs them."""

import json
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner, Result

from naokit.cli.app import app
from naokit.export import save
from naokit.text.bundle import LanguageBundle
from naokit.text.generating import generate
from naokit.text.perplexity import perplexity


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def refused(result: Result, message: str) -> None:
    assert result.exit_code == 2, result.output
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert message in line
    assert result.stdout == ""


@pytest.fixture
def network(
    language_model: LanguageBundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The network of a run in the current folder."""
    monkeypatch.chdir(tmp_path)
    save(language_model, tmp_path / "run" / "network")
    return Path("run")


@pytest.fixture
def text(tmp_path: Path) -> Path:
    """A folder of text; one word of the test part is unknown."""
    folder = tmp_path / "text"
    folder.mkdir()
    (folder / "train.txt").write_text("the company said a\nb c d\n" * 5)
    (folder / "valid.txt").write_text("the company said\n" * 3)
    (folder / "test.txt").write_text("the zebra said a b\nc d e\n" * 3)
    return folder


def test_a_text_is_written(network: Path, language_model: LanguageBundle) -> None:
    arguments = ("generate", network, "--prompt", "the company said", "--tokens", 9, "--seed", 1)
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    expected = generate(
        language_model.network, language_model.vocabulary, "the company said", 9, seed=1
    )
    assert result.stdout == expected.text + "\n"
    assert result.stderr == ""
    assert run(*arguments).stdout == result.stdout
    assert run(*arguments, "--temperature", 0).stdout != result.stdout


def test_unknown_words_are_said_and_json_is_an_object(network: Path) -> None:
    arguments = ("generate", network, "--prompt", "zebras said yaks", "--tokens", 4)
    result = run(*arguments)
    assert result.stdout.startswith("zebras said yaks ")
    assert "<unk>" not in result.stdout
    assert "read as <unk>: 2 of the prompt's tokens" in result.stderr
    found = json.loads(run(*arguments, "--json").stdout)
    assert found["text"] == result.stdout.removesuffix("\n")
    assert (found["unknown"], found["tokens"], found["temperature"]) == (2, 4, 1)


def test_without_a_prompt_there_is_a_text_too(network: Path) -> None:
    assert len(run("generate", network, "--tokens", 6).stdout.split()) >= 1


def test_what_is_asked_of_generate_is_checked(
    network: Path, exported: tuple[Path, object], tmp_path: Path
) -> None:
    asked = ("generate", network, "--prompt", "the")
    refused(run(*asked, "--temperature", "-0.5"), "temperature must be 0 or above, and finite, not")
    refused(run(*asked, "--temperature", "nan"), "temperature must be 0 or above")
    assert run(*asked, "--tokens", 0).exit_code == 2
    refused(run(*asked, "--seed", "9" * 23), "the seed must be from -2^63 to 2^64 - 1, not 999")
    refused(run("generate", exported[0]), "holds an image classifier, not a language model")
    refused(run("generate", tmp_path / "text"), "holds no trained network")
    path = tmp_path / "run" / "network" / "vocabulary.json"
    path.write_text(path.read_text().replace("company", "companx"))
    refused(run(*asked), "vocabulary.json is damaged: its checksum")


def test_a_text_is_measured(network: Path, text: Path, language_model: LanguageBundle) -> None:
    result = run("evaluate", network, "--data", text, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    ids = language_model.vocabulary.encode((text / "test.txt").read_text())
    expected = perplexity(language_model.network, ids, device=torch.device("cpu"))
    assert found["perplexity"] == pytest.approx(expected)
    assert 2 ** found["bits_per_token"] == pytest.approx(expected)
    assert (found["split"], found["tokens"], found["unknown"]) == ("test", 30, 3)
    alone = json.loads(run("evaluate", network, "--data", text, "--batch", 1, "--json").stdout)
    assert alone["perplexity"] == pytest.approx(expected, rel=1e-3)


def test_what_a_person_reads_of_a_text(network: Path, text: Path) -> None:
    result = run("evaluate", network, "--data", text, "--split", "validation")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == f"run/network on {text}, validation part, 12 tokens"
    assert lines[2].split()[0] == "perplexity"
    assert "0 tokens (0.00 %) are not in the vocabulary" in lines[4]


def test_a_text_that_cannot_be_measured(network: Path, text: Path) -> None:
    refused(run("evaluate", network), "the network learnt from ptb: ")
    refused(
        run("evaluate", network, "--data", text, "--split", "tests"), "there is no part 'tests'"
    )
    refused(run("evaluate", network, "--data", text, "--skip-bad"), "this is a language model")
    (text / "a.png").touch()
    refused(
        run("predict", network, text / "a.png"), "holds a language model, not an image classifier"
    )


def test_a_language_model_is_exported(network: Path) -> None:
    result = run("export", network, "--format", "safetensors", "--format", "python")
    assert result.exit_code == 0, result.output
    assert "network.py         equal bit for bit" in result.stdout
    refused(run("export", network, "--format", "int8"), "for a language model there are")
