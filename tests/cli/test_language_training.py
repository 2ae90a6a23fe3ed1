"""`naokit search`, `train`, `transfer` and what follows them on a text, as a user runs them."""

import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner, Result

from naokit.base import InputError
from naokit.cli.app import app
from naokit.export import save
from naokit.kinds import load_bundle
from naokit.runs.final import Job, train_final
from naokit.spaces.published import genotype
from naokit.text.bundle import LanguageBundle
from naokit.text.presets import PRESETS as TEXT_PRESETS
from naokit.text.presets import TextPreset
from naokit.text.recipes import TextRecipe
from naokit.text.subject import TextSubject
from naokit.training.checkpoint import read_tensors

Write = Callable[..., Path]
PAGE = (Path(__file__).parents[2] / "docs" / "language.md").read_text()
SHORT = ("--recipe", "text-quick", "--hidden", 8, "--epochs", 1)
SEARCH = ("search", "--space", "recurrent", "--nodes", 3, "--preset", "tiny", "--data", "text")
ALONE = ("--no-baseline", "--no-final")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def found(*arguments: object) -> dict:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def weights(folder: str | Path) -> dict[str, torch.Tensor]:
    return read_tensors(Path(folder) / "network" / "model.safetensors")[0]


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(
    tmp_path: Path, text_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text").symlink_to(text_run / "text")
    tiny = TextPreset("tiny", 3, "text-quick", 1, 2, True, "text-quick", 8, 12)
    monkeypatch.setattr("naokit.text.presets.PRESETS", {**TEXT_PRESETS, "tiny": tiny})


def test_a_search_on_text_is_compared_trained_exported_and_goes_on() -> None:
    report = found(*SEARCH, "--out", "out")
    assert (report["method"], report["evaluations"], report["failed"]) == ("nao", 3, 0)
    assert report["metric"] == "validation perplexity"
    assert report["final"]["test_perplexity"] > 1
    assert {Path(check["file"]).name for check in report["exports"]} == {
        "model.safetensors",
        "model.onnx",
        "model.pt2",
        "network.py",
    }
    again = run(*SEARCH, "--evaluations", 4, *ALONE, "--out", "out")
    assert again.exit_code == 0, again.output
    assert "4 evaluations (0 failed), validation perplexity, less is better." in again.stdout
    shown = found("show", "out")
    assert shown["standings"][0]["mean"] == min(row["mean"] for row in shown["standings"])
    assert shown["space"] == "recurrent"
    trained = found("train", "out", "--recipe", "text-quick", "--epochs", 1, "--out", "again")
    assert trained["architecture"] == shown["architecture"]
    assert weights("again")["embedding"].shape == (9, 12)


LEAKY = """
import torch
from naokit.spaces import Activation, RecurrentCells

SLOPE = 0.1
def leaky(x):
    return torch.where(x > 0, x, SLOPE * x)

CELLS = RecurrentCells(nodes=5, activations=("tanh", "relu", Activation("leaky", leaky)))
"""


@pytest.mark.parametrize(
    ("source", "left_out"),
    [
        (
            re.search(r"`mine.py`:\n\n```python\n(.*?)```", PAGE, re.DOTALL)[1],
            "the activation swish is your own",
        ),
        (LEAKY, "the activation leaky is your own"),
    ],
    ids=["on the page", "of a constant"],
)
def test_a_search_over_an_activation_of_ones_own_ends_with_its_report(
    source: str, left_out: str
) -> None:
    Path("mine.py").write_text(source)
    Path("start.txt").write_text("0 2 1 2 0 2 0 2 0 2")
    options = ("--space", "mine.py:CELLS", "--preset", "tiny", "--data", "text", "--out", "out")
    result = run(
        "search", *options, "--evaluations", 1, "--no-baseline", "--start-from", "start.txt"
    )
    assert result.exit_code == 0, result.output
    report = json.loads(Path("out/report.json").read_text())
    written = {Path(check["file"]).name for check in report["exports"]}
    assert {"model.safetensors", "model.onnx", "model.pt2"} <= written
    assert "network.py" not in written
    assert [*report["left_out"]] == ["python"]
    assert f"not exported as python: {left_out}" in result.stderr


def test_the_paper_s_method_searches_text_too() -> None:
    report = found(*SEARCH, *ALONE, "--method", "nao-2018", "--evaluations", 2)
    assert (report["method"], report["evaluations"]) == ("nao-2018", 2)
    assert report["folder"] == "runs/recurrent-text-nao-2018"
    more = found(*SEARCH, *ALONE, "--method", "nao-2018", "--evaluations", 3)
    assert more["evaluations"] == 3


def test_several_objectives_and_a_limit() -> None:
    objectives = ("--objective", "perplexity", "--objective", "latency")
    report = found(*SEARCH, *ALONE, *objectives, "--limit", "parameters<=1000", "--out", "out")
    front = found("show", "out")["front"]
    values = [(row["values"]["perplexity"], row["values"]["latency"]) for row in front]
    assert values == sorted(values)
    assert len({latency for _, latency in values}) == len(front)
    best = report["best"]
    every = [v for v in (best["chosen_by"], *best["values"]) if v is not None]
    assert statistics.fmean(every) >= values[0][0] - 1e-9  # the front has the means of them all
    none = run(*SEARCH, *ALONE, "--limit", "parameters<=10", "--out", "none")
    assert none.exit_code == 2
    assert "parameters<=10" in none.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--objective", "accuracy"), "by their perplexity first, not by accuracy"),
        (("--objective", "perplexity:maximize"), "is the evaluator's value: to minimize it"),
        (
            ("--objective", "perplexity", "--objective", "accuracy"),
            "'accuracy' is no figure to limit, or to optimise",
        ),
        (("--limit", "params<=3"), "'params' is no figure to limit"),
    ],
)
def test_goals_that_no_evaluation_has_end_before_the_first(
    options: tuple[str, ...], message: str
) -> None:
    result = run(*SEARCH, *options, "--out", "out")
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert not Path("out").exists()


def test_a_training_goes_on_and_begins_again_with_force(text_run: Path) -> None:
    command = ("train", "nao-rnn", "--data", text_run / "text", *SHORT)
    report = found(*command)
    assert report["folder"] == "runs/nao-rnn-text/network"
    assert report["unknown"] == {"train": 0, "validation": 0, "test": 0}
    assert all(
        torch.equal(tensor, weights(text_run / "run")[name])
        for name, tensor in weights("runs/nao-rnn-text").items()
    )
    assert found(*command)["validation_perplexity"] == report["validation_perplexity"]
    longer = (*command[:-1], 2)
    refused = run(*longer)
    assert refused.exit_code == 2
    assert "its recipe has epochs 1, this one 2; name another folder" in refused.stderr
    assert found(*longer, "--force")["epochs"] == 2


def test_what_follows_a_training(text_run: Path) -> None:
    measured = run("evaluate", text_run / "run")
    assert "test part, 110 tokens" in measured.stdout
    assert "109/109" in measured.stderr  # the bar reaches its end
    written = run("generate", text_run / "run", "--prompt", "the cat", "--tokens", 5)
    assert written.stdout.startswith("the cat")
    kinds = ("--format", "safetensors", "--format", "python")
    exported = run("export", text_run / "run", *kinds, "--out", "files")
    assert exported.stdout.count("equal bit for bit") == 2
    shown = found("show", text_run / "run")
    assert shown["architecture"] == found("show", "nao-rnn")["architecture"]


def test_a_cell_of_another_table_of_activations_is_not_taken_for_its_text() -> None:
    Path("start.txt").write_text("0 3 1 3 2 3")
    command = (*SEARCH, *ALONE, "--evaluations", 1)
    first = run(*command, "--activations", "nao", "--start-from", "start.txt", "--out", "nao")
    assert first.exit_code == 0, first.output
    assert "activations: 0 tanh, 1 relu, 2 identity, 3 sigmoid (nao)" in first.stderr
    other = run(*command, "--start-from", "nao", "--out", "ws")
    assert other.exit_code == 2
    assert "nao, trial 0: 0 3 1 3 2 3 is another architecture here" in other.stderr
    same = (*command, "--activations", "nao", "--start-from", "nao", "--out", "same")
    assert found(*same)["best"]["architecture"] == "0 3 1 3 2 3"
    assert found(*same)["activations"].endswith("(nao)")


def test_a_training_says_how_the_integers_are_read() -> None:
    command = (
        "train",
        "0 3 1 1 2 0",
        "--space",
        "recurrent",
        "--nodes",
        3,
        "--data",
        "text",
        *SHORT,
    )
    assert "activations: 0 tanh, 1 relu, 2 sigmoid, 3 identity (nao-ws)" in run(*command).stderr
    assert found(*command)["activations"].endswith("(nao-ws)")


def test_a_transfer_keeps_characters(write_text: Write) -> None:
    short = ("--data", "text", *SHORT)
    assert found("train", "nao-rnn", *short, "--tokens", "char", "--out", "own")["tokens"] == "char"
    assert found("transfer", "own", *short, "--out", "kept")["tokens"] == "char"
    assert found("transfer", "own", *short, "--tokens", "word", "--out", "w")["tokens"] == "word"


def test_characters(text_run: Path) -> None:
    report = found("train", "lstm", "--data", "text", *SHORT, "--tokens", "char", "--out", "out")
    assert report["tokens"] == "char"
    letters = set("the cat dog sat ran on to\n")
    assert len(weights("out")["embedding"]) == len(letters) + 1  # <unk>
    measured = found("evaluate", "out")
    assert measured["perplexity"] == pytest.approx(report["test_perplexity"])


def test_a_tokenizer(text_run: Path) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    known = ("[UNK]", "the", "cat", "dog", "sat", "ran", "on")
    words = {word: number for number, word in enumerate(known)}
    model = tokenizers.models.WordLevel(words, unk_token="[UNK]")
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer.save("tokenizer.json")
    options = ("--tokens", "tokenizer.json", "--out", "out")
    shown = run("train", "nao-rnn", "--data", "text", *SHORT, *options)
    assert shown.exit_code == 0, shown.output
    assert "tokens that the vocabulary does not know" in shown.stdout  # each "to"
    Path("tokenizer.json").unlink()  # the network has its own copy
    assert found("evaluate", "out")["unknown"] > 0
    assert run("generate", "out", "--prompt", "the cat", "--tokens", 4).exit_code == 0
    transferred = run("transfer", "out", "--data", "text", *SHORT)
    assert transferred.exit_code == 2
    assert "name it with --tokens" in transferred.stderr


@pytest.mark.parametrize("words", ["a few more words than that has it all", "a b c d e f g"])
def test_a_transfer_takes_the_cell_and_leaves_the_words(
    words: str, text_run: Path, write_text: Write, tmp_path: Path
) -> None:
    """The second vocabulary has as many words, but others. Another seed: other weights at first."""
    other = write_text(tmp_path / "other", words)
    command = ("transfer", text_run / "run", "--data", other, *SHORT, "--seed", 1)
    cold, warm = (found(*command, "--out", "cold"), found(*command, "--warm-start"))
    assert warm["folder"] == "runs/run-other/network"
    assert cold["architecture"] == warm["architecture"]
    source = weights(text_run / "run")
    without, begun = weights("cold"), weights("runs/run-other")
    for name, tensor in source.items():
        if name.startswith("cell."):
            assert torch.dist(tensor, begun[name]) < 0.5 * torch.dist(tensor, without[name])
    if source["embedding"].shape == begun["embedding"].shape:
        near = torch.dist(begun["embedding"], without["embedding"])
        assert near < 0.5 * torch.dist(begun["embedding"], source["embedding"])


STILL = TextRecipe(
    "still", 1, 8, learning_rate=1e-12, bptt=20, weight_decay=0.0, average_after=None
)


def warm(source: Path, text: Path, folder: Path) -> LanguageBundle:
    """A language model of this text as a training that moves nothing leaves it."""
    job = Job(TextSubject(text, 8), STILL, folder, warm_start=source / "model.safetensors")
    made = train_final(genotype("nao-rnn").architecture, job)
    assert isinstance(made, LanguageBundle)
    return made


def test_a_warm_start_takes_the_tokens_that_both_have(
    text_run: Path, write_text: Write, tmp_path: Path
) -> None:
    text = write_text(tmp_path / "other", "zebra to the cat a dog flew")
    source = tmp_path / "source"
    shutil.copytree(text_run / "run" / "network", source)
    before = load_bundle(source)
    with torch.no_grad():  # as if long trained: not small, and different from token to token
        before.network.embedding += torch.arange(len(before.vocabulary)).unsqueeze(1)
        before.network.bias += torch.arange(len(before.vocabulary)) + 100
    save(before, source)
    after = warm(source, text, tmp_path / "training")
    shared = [t for t in after.vocabulary.tokens if t in before.vocabulary.tokens]
    assert sorted(shared) == ["<eos>", "<unk>", "cat", "dog", "the", "to"]
    told = {"taken": 4, "of": 4, "tokens": 6, "of_tokens": 9}
    assert after.results.warm_start == told
    for name in ("embedding", "bias"):
        old, new = before.network.state_dict()[name], after.network.state_dict()[name]
        for number, token in enumerate(after.vocabulary.tokens):
            if token in shared:
                torch.testing.assert_close(new[number], old[before.vocabulary.tokens.index(token)])
            else:
                assert new[number].abs().max() <= 0.04

    same = warm(source, text_run / "text", tmp_path / "same").results.warm_start
    assert same == {"taken": 4, "of": 4, "tokens": 9, "of_tokens": 9}
    said = run("transfer", source, "--data", text, *SHORT, "--warm-start").stdout
    assert "began with 4 of 4 tensors of the trained weights, 6 of 9 tokens" in said


def test_a_warm_start_wants_the_network_s_own_vocabulary(
    text_run: Path, write_text: Write, tmp_path: Path
) -> None:
    text = write_text(tmp_path / "other", "a b c")
    source = tmp_path / "source"
    shutil.copytree(text_run / "run" / "network", source)
    vocabulary = source / "vocabulary.json"
    content = vocabulary.read_text()
    for change, message in (
        (lambda: vocabulary.write_text(content.replace("cat", "cow")), "is damaged"),
        (vocabulary.unlink, "the network's tokens: copy it there again"),
        (lambda: (source / "config.json").unlink(), "the network's tokens: copy it there again"),
        (lambda: vocabulary.write_text(content.replace('"cat",', "")), "is of another network"),
    ):
        change()
        with pytest.raises(InputError, match=message):
            warm(source, text, tmp_path / "training")
    assert not (tmp_path / "training").exists()


def test_a_killed_training_continues_to_the_same_weights(text_run: Path) -> None:
    """kill -9 after an epoch or two, then the same command again."""
    command = ("train", "nao-rnn", "--data", "text", *SHORT[:-1], 12, "--out", "cut")
    words = [sys.executable, "-m", "naokit", *map(str, command)]
    process = subprocess.Popen(words, env=dict(os.environ), stderr=subprocess.DEVNULL)
    log = Path("cut/training/log.csv")
    while not log.exists() or len(log.read_text().splitlines()) < 3:
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not Path("cut/network").exists()
    for out in ("cut", "whole"):
        assert run(*command[:-1], out).exit_code == 0
    whole = weights("whole")
    assert all(torch.equal(tensor, whole[name]) for name, tensor in weights("cut").items())


def test_a_text_without_a_validation_part_says_what_is_held_out(write_text: Write) -> None:
    (write_text(Path("whole")) / "valid.txt").rename("whole/validated.txt")
    said = "whole has no validation part: the last 6 lines of its training part are held out"
    trained = run("train", "nao-rnn", "--data", "whole", *SHORT)
    searched = run(*SEARCH[:-1], "whole", *ALONE)
    for result in (trained, searched):
        assert result.exit_code == 0, result.output
        assert said in result.stderr.splitlines()
