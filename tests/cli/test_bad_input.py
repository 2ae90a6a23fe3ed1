"""Bad input ends a command with one line and an exit code, and leaves nothing behind."""

from pathlib import Path

import numpy as np
import pytest
from tests.cli.commands import NAONET_A, TINY, run, table

pytestmark = pytest.mark.usefixtures("tiny_preset")


def test_a_wrong_starting_point_is_named_before_anything_is_written(tmp_path: Path) -> None:
    start = tmp_path / "start.txt"
    command = ("search", "--preset", "tiny", "--nodes", "1", "--start-from", str(start))
    start.write_text(f"{TINY}\n\n1 2 3\n")
    wrong = run(*command)
    assert wrong.exit_code == 2
    assert f"--start-from: {start}:3: a genotype of" in wrong.stderr
    start.write_text("\n")
    assert "holds no architecture" in run(*command).stderr
    assert list(tmp_path.iterdir()) == [start]


def test_a_search_that_could_not_begin_leaves_no_settings(tmp_path: Path) -> None:
    path = str(table(tmp_path / "t.csv"))
    command = ("search", "--space", "nas-bench-201", "--table", path, "--metric", "acc")
    command += ("--evaluations", "4", "--out", "out")
    assert run(*command, "--storage", "foo://bar").exit_code == 2
    assert run(*command).exit_code == 0
    assert run("show", "out").exit_code == 0


def test_pictures_too_small_for_the_network_are_told_before_anything_is_written() -> None:
    images = np.zeros((40, 3, 3), dtype=np.uint8)
    np.savez("small.npz", images=images, labels=np.arange(40) % 4)
    refused = run("search", "--preset", "tiny", "--data", "small.npz", "--out", "out")
    assert refused.exit_code == 2
    assert "images need a channel and 4 pixels a side" in refused.stderr
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("kind", "option"),
    [
        ("table", ("--baseline",)),
        ("table", ("--preset", "paper")),
        ("table", ("--nodes", "5")),
        ("table", ("--device", "cuda")),
        ("data", ("--metric", "acc")),
        ("data", ("--direction", "minimize")),
    ],
)
def test_options_of_the_other_kind_of_search_are_refused(
    tmp_path: Path, kind: str, option: tuple[str, ...]
) -> None:
    path = str(table(tmp_path / "t.csv"))
    looked_up = ("--space", "nas-bench-201", "--table", path, "--metric", "acc")
    command = looked_up if kind == "table" else ("--preset", "tiny", "--nodes", "1")
    refused = run("search", *command, *option, "--out", "out")
    assert refused.exit_code == 2
    assert f"{option[0]} is for a search that" in refused.stderr
    assert not Path("out").exists()


def test_a_drawing_replaces_no_file_unasked() -> None:
    Path("config.json").write_text("precious")
    asked = ("show", TINY, "--nodes", "1", "--svg", "config.json")
    refused = run(*asked)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "config.json exists already; name another file, or give --force" in refused.stderr
    assert Path("config.json").read_text() == "precious"
    assert "drawn in config.json" in run(*asked, "--force").stdout
    assert Path("config.json").read_text().startswith("<svg")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("search", "--space", "conv-smal"), "did you mean conv-small"),
        (("search", "--preset", "quik"), "did you mean quick"),
        (("search", "--method", "nao2018"), "did you mean nao-2018"),
        (("search", "--data", "nowhere"), "there is no file or folder 'nowhere'"),
        (("search", "--device", "tpu"), "there is no device 'tpu'; expected auto, cpu"),
        (("search", "--precision", "8"), "there is no precision '8'"),
        (("train", TINY, "--nodes", "1", "--precision", "8"), "expected auto, 32-true"),
        (("search", "--table", "x.csv"), "--table needs --metric"),
        (("search", "--table", "x.csv", "--data", "digits"), "not both"),
        (("search", "--space", "nas-bench-201", "--nodes", "3"), "no nodes to set"),
        (("search", "--space", "transnas-micro"), "has no network to build"),
        (("profile", "1 2 3"), "has 40 integers"),
        (("profile", "naonet-c"), "no published network 'naonet-c'; did you mean naonet-"),
        (("profile", TINY, "--nodes", "1", "--channels", "3"), "channels must be even"),
        (("show", "."), "neither a run"),
        (("show", NAONET_A), "was expected) but one of conv-large: give --space conv-large"),
        (("show", "naonet-a", "--space", "conv-nasnet"), "of the space conv-large, not of conv-n"),
        (("show", "naonet-a", "--nodes", "4"), "says itself how many nodes it has"),
        (("show", "/nonexist/run"), "there is no folder /nonexist/run; expected that of a run"),
        (("show", "Runs"), "there is no folder Runs; expected that of a run"),
        (("train", TINY, "--nodes", "1", "--recipe", "nope"), "there is no recipe 'nope'"),
        (("export", "."), "holds no trained network"),
        (("search", "--out", "/proc/none/run"), "cannot be read or written"),
    ],
)
def test_bad_input_ends_with_2_and_one_line(arguments: tuple[str, ...], message: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert message in line
    assert result.stdout == ""


@pytest.mark.parametrize("option", ["--device", "--precision"])
@pytest.mark.parametrize("command", [("search",), ("train", TINY, "--nodes", "1")], ids=" ".join)
def test_a_wrong_device_leaves_nothing_behind(
    command: tuple[str, ...], option: str, tmp_path: Path
) -> None:
    assert run(*command, option, "nope").exit_code == 2
    assert not list(tmp_path.iterdir())


def test_a_space_without_networks_leaves_nothing_behind(tmp_path: Path) -> None:
    assert run("search", "--space", "transnas-micro").exit_code == 2
    assert not list(tmp_path.iterdir())


def test_an_interrupt_ends_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("naokit.runs.stages.search_study", interrupted)
    result = run("search", "--preset", "tiny")
    assert result.exit_code == 130
    assert "the same command continues" in result.stderr
