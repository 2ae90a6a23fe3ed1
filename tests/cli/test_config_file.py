"""`--config run.yaml`: what a run writes repeats it, what is given wins, what is wrong is said."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from naokit.cli import config_file
from naokit.cli.app import app
from naokit.export import export
from naokit.images.bundle import ImageBundle
from naokit.images.presets import PRESETS, ImagePreset
from naokit.runs.final import Job

TINY = "0 0 1 3 0 1 1 4"
SEARCH = ("search", "--preset", "tiny", "--nodes", "1", "--method", "random", "--no-baseline")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)))


def found(*arguments: object) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    said: dict[str, Any] = json.loads(result.stdout)
    return said


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    small = ImagePreset("tiny", 2, "quick", 0, 1, True, "quick", 4, 1, 4, 1)
    monkeypatch.setattr("naokit.images.presets.PRESETS", {**PRESETS, "tiny": small})


def table() -> None:
    Path("t.csv").write_text("width,acc\n" + "".join(f"{n},{n * n % 7}\n" for n in range(9)))
    Path("my.py").write_text(
        "from naokit.spaces import Choice, Choices\n"
        "SPACE = Choices('mine', (Choice('width', tuple(range(9))),))\n"
    )


def test_a_search_writes_a_file_that_repeats_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table()
    command = ("search", "--space", "my.py:SPACE", "--table", "t.csv", "--metric", "acc")
    options = ("--architecture-column", "width", "--evaluations", 4, "--seed", 3)
    first = found(*command, *options, "--limit", "acc>=0", "--out", "a")
    written = Path("a/run.yaml").read_text()
    monkeypatch.chdir("/")  # from anywhere
    again = found("search", "--config", tmp_path / "a/run.yaml")  # continues: nothing is left to do
    assert again["best"] == first["best"]
    other = found("search", "--config", tmp_path / "a/run.yaml", "--out", tmp_path / "b")
    assert other["best"] == first["best"]
    there = (tmp_path / "b/run.yaml").read_text()
    assert there == written.replace(f"{tmp_path}/a", f"{tmp_path}/b")
    more = found("search", "--config", tmp_path / "a/run.yaml", "--evaluations", 5)
    assert more["evaluations"] == 5
    assert "\nevaluations: 5\n" in (tmp_path / "a/run.yaml").read_text()


def test_the_final_training_is_as_asked_recorded_continued_and_compared(
    few_digits: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def save(
        bundle: ImageBundle, folder: Path, **_: object
    ) -> list[object]:  # the others take seconds
        return list(export(bundle, folder, ("safetensors",)))

    monkeypatch.setattr("naokit.runs.winner.export", save)
    sizes = ("--final-epochs", 1, "--final-channels", 2, "--final-cells", 2)
    report = found(*SEARCH, *sizes, "--out", "a")
    assert report["final"]["epochs"] == 1
    network = json.loads(Path("a/network/config.json").read_text())["network"]
    assert (network["channels"], network["cells"]) == (2, 2)
    assert found("search", "--config", "a/run.yaml")["final"] == report["final"]
    assert found("train", "a")["epochs"] == 1  # as the run's own final training
    for option, was, now in (("epochs", 1, 2), ("channels", 2, 4), ("cells", 2, 1)):
        refused = run("search", "--config", "a/run.yaml", f"--final-{option}", now)
        assert refused.exit_code == 2
        assert f"was begun with final {option} {was}, not {now}: give --final-" in refused.stderr
    assert run(*SEARCH, "--out", "a").exit_code == 2  # the preset's own are others
    wrong = run(*SEARCH, "--final-hidden", 8, "--out", "b")
    assert "--final-hidden is for text" in wrong.stderr
    assert not Path("b").exists()


def test_a_training_writes_a_file_that_repeats_it() -> None:
    shape = ("--nodes", 1, "--channels", 4, "--cells", 1, "--recipe", "quick", "--epochs", 1)
    command = ("train", TINY, *shape, "--set", "train_images=200", "--set", "mixup=0.2")
    first = found(*command, "--out", "a")
    assert (
        found("train", "--config", "a/training/run.yaml")["recipe"] == first["recipe"]
    )  # continues
    assert (
        run("train", "--config", "a/training/run.yaml", "--set", "mixup=0.3").exit_code == 2
    )  # replaced
    other = found("train", "--config", "a/training/run.yaml", "--out", "b")
    assert other["recipe"] == first["recipe"]
    moved = found("transfer", "a", "--data", "digits", *shape[2:], "--out", "c")
    again = found("transfer", "--config", "c/training/run.yaml")
    assert {**again, "folder": ""} == {**moved, "folder": ""}
    assert "command: transfer\nwhat: /" in Path("c/training/run.yaml").read_text()
    refused = run("train", "--config", "c/training/run.yaml")
    assert refused.stderr == (
        "error: c/training/run.yaml, line 2: it is of naokit transfer, not train\n"
    )


def test_a_file_is_not_replaced_by_a_training_that_is_refused() -> None:
    command = ("train", TINY, "--nodes", 1, "--channels", 4, "--cells", 1, "--out", "a")
    found(*command, "--recipe", "quick", "--epochs", 1)
    before = Path("a/training/run.yaml").read_text()
    assert run(*command, "--recipe", "quick", "--epochs", 2).exit_code == 2
    assert Path("a/training/run.yaml").read_text() == before


def test_the_file_of_a_search_stays_where_its_winner_is_trained_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found(*SEARCH, "--no-final", "--out", "a")
    before = Path("a/run.yaml").read_text()
    found("train", "a", "--epochs", 1, "--set", "train_images=99")
    assert Path("a/run.yaml").read_text() == before
    assert "command: train\nwhat: /" in Path("a/training/run.yaml").read_text()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("evaluation: 3", "line 1: naokit search has no option 'evaluation'; did you mean evaluat"),
        ("seed: 1\nwidgets: 3", "line 2: naokit search has no option 'widgets'; expected space"),
        ("seed: 1\nseed: 2", "line 2: seed is there twice"),
        ("image_size: 8\nimage-size: 9", "line 2: image-size is there twice"),
        ("seed: [1, 2]", "line 1: seed is one value, not a list"),
        ("seed: {a: 1}", "line 1: expected an option with a value or a list"),
        ("- seed", "is no file of options"),
        ("seed: [1", "is no YAML: "),
        ("[" * 9000, "is no YAML: "),
        ("a: &a [*a]", "line 1: expected an option with a value or a list"),
        ("command: train", "it is of naokit train, not search"),
        ("json: true", "has no option 'json'"),
        ("seed: 1.5", "Invalid value for '--seed'"),
        ("final: perhaps", "Invalid value for '--final'"),
        ("metric: acc", "--metric is for a search that looks results up in a --table"),
        ("final-hidden: 3", "--final-hidden is for text"),
    ],
)
def test_what_is_wrong_in_a_file_is_said(text: str, message: str) -> None:
    Path("run.yaml").write_text(text)
    refused = run("search", "--config", "run.yaml")
    assert refused.exit_code == 2, refused.output
    assert message in refused.stderr
    assert [path.name for path in Path().iterdir()] == ["run.yaml"]


def test_a_file_that_is_not_there_is_one_line() -> None:
    assert run("search", "--config", "no.yaml").stderr == "error: there is no file no.yaml\n"
    Path("x.yaml").write_bytes(b"\xff\xfe\x00")
    assert "is not readable as UTF-8" in run("search", "--config", "x.yaml").stderr


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Job, config_file.GivenOptions]]:
    """What would be trained: nothing is."""
    noted: list[tuple[Job, config_file.GivenOptions]] = []

    def note(
        _: object, job: Job, __: object, asked: config_file.GivenOptions, **___: object
    ) -> SimpleNamespace:
        noted.append((job, asked))
        return SimpleNamespace(to_json=dict)

    monkeypatch.setattr("naokit.cli.train.train_and_save", note)
    return noted


def test_values_are_read_as_on_the_command_line_and_nothing_stands_for_nothing(
    jobs: list[tuple[Job, config_file.GivenOptions]],
) -> None:
    Path("mine.yaml").write_text(
        f"what: {TINY}\nnodes: 1\nall_data: no\nbalance: true\nepochs:\nchannels: null\n"
        "set: mixup=0.25\nhours: 1e-3\n"
    )
    assert found("train", "--config", "mine.yaml", "--hours", 2) == {}
    job, _ = jobs.pop()
    assert (job.recipe.balance, job.recipe.mixup, job.seconds) == (True, 0.25, 7200.0)


numbers = st.integers(-(2**62), 2**62)
texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1)


@settings(deadline=None, max_examples=60)
@given(
    seed=numbers,
    hours=st.floats(0, allow_nan=False, allow_infinity=False),
    recipe=texts,
    changes=st.lists(texts, min_size=1),
    balance=st.booleans(),
)
def test_what_is_written_reads_back_equal(
    tmp_path_factory: pytest.TempPathFactory,
    seed: int,
    hours: float,
    recipe: str,
    changes: list[str],
    balance: bool,
) -> None:
    folder = tmp_path_factory.mktemp("written")
    values = {
        "seed": seed,
        "hours": hours,
        "recipe": recipe,
        "set": changes,
        "balance": balance,
        "out": str(np.random.default_rng(0)),
    }
    config_file.GivenOptions("train", values).write(folder)
    command = typer.main.get_command(app).commands["train"]  # type: ignore[attr-defined]
    context = command.make_context("train", ["x", "--config", str(folder / "run.yaml")])
    read = context.params
    assert {name: read["settings" if name == "set" else name] for name in values} == {
        **values,
        "out": Path(str(values["out"])),
    }


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("sqlite:///a%3Fb/study.db", True),
        ("postgresql+psycopg://me@host/studies", True),
        ("postgresql+psycopg://me:secret@host/studies", False),
        ("postgresql+psycopg://host/studies?user=me&password=secret", False),
    ],
)
def test_a_password_is_not_kept(address: str, kept: bool) -> None:
    """It is given again, as for `settings.json`; see `storage.shown`."""
    command = typer.main.get_command(app).commands["search"]
    context = command.make_context("search", ["--storage", address], resilient_parsing=True)
    assert ("storage" in config_file.given(context).options) == kept
