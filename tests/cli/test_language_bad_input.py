"""What no language model can be made of: one line on stderr, exit code 2, nothing lost."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from typer.testing import CliRunner, Result

from naokit.cli.app import app
from naokit.text.presets import PRESETS as TEXT_PRESETS
from naokit.text.presets import TextPreset
from naokit.text.task import TextBatch, TextTask

Write = Callable[..., Path]
SHORT = ("--recipe", "text-quick", "--hidden", 8, "--epochs", 1)
TRAIN = ("train", "nao-rnn", "--data", "text", *SHORT)
RAW = ("--space", "recurrent", "--nodes", 3, "--data", "text")
PLAN = ("plan", "--space", "recurrent", "--data", "text", "--hours", 1)
PROFILE = ("profile", "nao-rnn", "--hidden", 8, "--data", "text")
DIGITS, QUICK = ("--data", "digits"), ("--recipe", "quick")
PERPLEXITY = ("--objective", "perplexity")
SEARCH = ("search", *RAW, "--preset", "tiny", "--no-final", "--no-baseline")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def refused(message: str, *arguments: object) -> None:
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert message in line
    assert result.stdout == ""


@pytest.fixture(autouse=True)
def text(tmp_path: Path, text_run: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the small text in the current folder."""
    monkeypatch.chdir(tmp_path)
    tiny = TextPreset("tiny", 3, "text-quick", 0, 1, False, "text-quick", 8, 8)
    monkeypatch.setattr("naokit.text.presets.PRESETS", {**TEXT_PRESETS, "tiny": tiny})
    return Path(shutil.copytree(text_run / "text", "text"))


@pytest.mark.parametrize(
    ("part", "content", "message"),
    [
        ("train", b"", "text holds no text to learn from"),
        ("train", b"\n \n", "text holds no text to learn from"),
        ("train", b"the cat sat on\n", "one line of text to learn from; it needs two or more"),
        ("train", b"the cat\nsat on\n" * 5, "30 training tokens, too few for 8 streams of at"),
        ("valid", b"the cat sat\n", "4 validation tokens, fewer than the 21 that one passage"),
        ("valid", b"", "its validation part is too short (tokens: 0)"),
        ("test", b"", "its test part is too short (tokens: 0)"),
        ("valid", b"the\ncaf\xe9\n", "valid.txt is not UTF-8 text: line 2 has the byte 0xe9"),
    ],
)
@pytest.mark.parametrize("command", [TRAIN, SEARCH], ids=["train", "search"])
def test_a_text_that_nothing_can_learn_from(
    part: str, content: bytes, message: str, command: tuple[object, ...], text: Path
) -> None:
    (text / f"{part}.txt").write_bytes(content)
    refused(message, *command)


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        ("there is no file or folder 'absent.txt'", ("train", "lstm", "--data", "absent.txt")),
        ("none has no text to learn from: expected train.txt", ("train", "lstm", "--data", "none")),
        ("there are no tokens 'words'; did you mean word?", (*TRAIN, "--tokens", "words")),
        ("there is no file my.json", (*TRAIN, "--tokens", "my.json")),
        (
            "digits holds images; the network reads text",
            ("train", "lstm", "--data", "digits", *SHORT),
        ),
        ("pydoc holds text; the network reads images", ("train", "naonet-b", "--data", "pydoc")),
        ("integer 3 (node2.input) is 2; an earlier node, 0 to 1", ("train", "0 0 2 1 0 1", *RAW)),
        ("is 9; an activation was expected: 0 tanh, 1", ("train", "0 0 1 9 0 1", *RAW)),
        ("has 6 integers (input activation a node), not 5", ("train", "0 0 1 1 0", *RAW)),
        ("did you mean nao", (*SEARCH, "--activations", "nao-w")),
        ("conv-small has no activations to set", ("search", "--activations", "nao")),
        ("nao-rnn says itself how it is read", ("show", "nao-rnn", "--activations", "nao-ws")),
        ("--channels is for images", (*TRAIN, "--channels", 4)),
        ("--cells is for images", (*TRAIN, "--cells", 4)),
        ("--image-size is for images", (*TRAIN, "--image-size", 4)),
        ("--image-size is for images", (*SEARCH, "--image-size", 4)),
        ("--balance is for images", (*TRAIN, "--balance")),
        ("--all-data is for images", (*TRAIN, "--all-data")),
        ("--skip-bad is for images", (*TRAIN, "--skip-bad")),
        ("--decoders is for images", (*TRAIN, "--decoders", 2)),
        ("--decoders is for images", (*SEARCH, "--decoders", 2)),
        ("--processes is for images", (*TRAIN, "--processes", 2)),
        ("--hidden is for text", ("train", "naonet-b", "--hidden", 8)),
        ("--tokens is for text", ("train", "naonet-b", "--tokens", "char")),
        ("--tokens is for text", ("search", "--tokens", "char")),
        ("--hidden is for text", ("transfer", "naonet-b", "--data", "digits", "--hidden", 8)),
        ("--channels is for images", ("transfer", *TRAIN[1:], "--channels", 8)),
        ("recipe quick is not for text", ("train", "lstm", "--data", "text", "--recipe", "quick")),
        ("recipe text-quick is not for images", ("train", "naonet-b", "--recipe", "text-quick")),
        ("did you mean text-quick", ("train", "lstm", "--recipe", "text-quik")),
        ("no trained network to begin with", ("transfer", *TRAIN[1:], "--warm-start")),
        ("--image-size is for images", (*PLAN, "--image-size", 8)),
        ("there is no preset 'larg'", (*PLAN, "--preset", "larg")),
        ("absent.txt", ("plan", "--space", "recurrent", "--data", "absent.txt", "--hours", 1)),
        ("--recipe needs --data", ("profile", "nao-rnn", "--recipe", "ptb-2018")),
        ("--vocabulary is that of --data", (*PROFILE, "--vocabulary", 9)),
        ("--tokens says how --data is read: give that", ("profile", "lstm", "--tokens", "char")),
        ("--images is for images", ("profile", "nao-rnn", "--images", 300)),
        ("--onnx is for images", ("profile", "nao-rnn", "--no-onnx")),
        ("--classes is for images", ("profile", "nao-rnn", "--classes", 3)),
        ("--vocabulary is for text", ("profile", "naonet-b", "--vocabulary", 30)),
        ("--classes is that of --data", ("profile", "naonet-b", *DIGITS, "--classes", 4)),
        ("--image is that of --data", ("profile", "naonet-b", *DIGITS, "--image", 1, 8, 8)),
        ("--images is that of --data", ("profile", "naonet-b", *DIGITS, *QUICK, "--images", 90)),
        ("--images is how many --recipe gets", ("profile", "naonet-b", "--images", 90)),
        ("naonet-a is of the space conv-large", ("show", "naonet-a", "--space", "conv-small")),
        ("lstm is of the space reference", ("train", "lstm", "--space", "conv-small")),
        ("digits holds images; the network reads text", ("profile", "nao-rnn", *DIGITS)),
        ("conv-small has no activations to set", ("plan", *PLAN[3:], "--activations", "nao")),
        ("'loss' is no figure to limit", (*SEARCH, "--limit", "loss<=3")),
        ("besides perplexity; those of an evaluation are param", (*SEARCH, "--limit", "loss<=3")),
        ("'perplexity' is no figure to limit", (*SEARCH, "--limit", "perplexity<=3")),
        ("compared by their perplexity first", (*SEARCH, "--objective", "macs", *PERPLEXITY)),
        ("did you mean ptb-2018", (*PROFILE, "--recipe", "ptb-2028")),
        ("--tokens is for text", ("profile", "naonet-b", "--tokens", "char")),
    ],
)
def test_what_does_not_go_together(message: str, arguments: tuple[object, ...]) -> None:
    Path("none").mkdir()
    refused(message, *arguments)
    assert not Path("runs").exists() or not list(Path("runs").rglob("*.safetensors"))


def test_an_unknown_activation_is_told_with_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from naokit.spaces import RecurrentCells\nSPACE = RecurrentCells(3, ('tanh', 'sigmoyd'))\n"
    )
    refused("sigmoid", "search", "--space", "mine.py:SPACE", "--data", "text")


def test_a_text_that_changed_is_another_training(
    text: Path, text_run: Path, write_text: Write
) -> None:
    shutil.copytree(text_run / "run", "run")
    before = Path("run/training/last.safetensors").read_bytes()
    write_text(text, "other words than those before", seed=1)
    refused("its data are others (the content or the vocabulary changed)", *TRAIN, "--out", "run")
    assert Path("run/training/last.safetensors").read_bytes() == before


@pytest.mark.parametrize("command", ["generate", "evaluate", "export"])
def test_a_vocabulary_that_is_not_the_network_s(command: str, text_run: Path) -> None:
    shutil.copytree(text_run / "run", "run")
    path = Path("run/network/vocabulary.json")
    path.write_text(path.read_text().replace('"cat"', '"cow"'))
    refused("vocabulary.json is damaged: its checksum", command, "run")


def break_loss(monkeypatch: pytest.MonkeyPatch, breaks: Callable[[int], bool]) -> list[int]:
    """Makes the loss of some steps, counted from 0, not a number; the steps done."""
    steps: list[int] = []
    sound = TextTask.loss

    def loss(task: TextTask, network: nn.Module, batch: TextBatch, part: slice) -> Tensor:
        steps.append(len(steps))
        found = sound(task, network, batch, part)
        return found * torch.nan if breaks(steps[-1]) else found

    monkeypatch.setattr(TextTask, "loss", loss)
    return steps


def steps_an_epoch(monkeypatch: pytest.MonkeyPatch) -> int:
    with monkeypatch.context() as context:
        steps = break_loss(context, lambda _: False)
        assert run(*TRAIN, "--out", "counted").exit_code == 0
    return len(steps)


def test_a_loss_that_breaks_once_goes_on_from_the_best_weights(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    second = steps_an_epoch(monkeypatch)
    break_loss(monkeypatch, lambda step: step == second)
    result = run(*TRAIN[:-1], 3, "--out", "out")
    assert result.exit_code == 0, result.output
    assert "the loss broke 1 time; the best weights were taken up again" in result.stdout
    report = json.loads(run(*TRAIN[:-1], 3, "--out", "out", "--json").stdout)
    assert (report["epochs"], report["reloads"]) == (3, 1)


def test_a_loss_that_stays_broken_fails_and_keeps_the_best_weights(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    second = steps_an_epoch(monkeypatch)
    break_loss(monkeypatch, lambda step: step >= second)
    result = run(*TRAIN[:-1], 3, "--out", "out")
    assert result.exit_code == 1, result.output
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("failed: ")]
    assert "diverged: the training loss is not finite, also after 3 reloads" in line
    assert "out/training/best.safetensors keeps the best weights, of epoch 1" in line
    assert Path("out/training/best.safetensors").exists()


def test_an_exploding_cell_is_a_failed_trial_and_the_search_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    break_loss(monkeypatch, lambda step: step == 0)
    result = run(*SEARCH, "--out", "out", "--json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert (report["evaluations"], report["failed"]) == (3, 1)
    assert json.loads(run("show", "out", "--json").stdout)["failures"] == ["diverged"]


def test_embedded_data_of_the_other_kind(text_run: Path) -> None:
    message = "digits holds images; the network reads text: give other data, or pydoc"
    refused(message, "evaluate", text_run / "run", *DIGITS)


def test_what_a_language_model_has_no_use_for_is_said(text_run: Path, tmp_path: Path) -> None:
    options = ("--data", str(text_run / "text"), "--out", str(tmp_path / "files"))
    refused = run("export", str(text_run / "run"), *options)
    assert refused.exit_code == 2
    assert "--data is for --format int8, which a language model does not have" in refused.stderr
    step = text_run / "run" / "network" / "model.onnx"
    step.touch()
    measured = run("evaluate", str(step))
    step.unlink()
    assert measured.exit_code == 2
    assert f"is one step of a language model; its folder is measured: give {step.parent}" in (
        measured.stderr
    )
