"""The commands as a user runs them: exit codes, one JSON object, one-line errors."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner, Result

from naokit.cli.app import app
from naokit.doors import Result as Score
from naokit.evaluators import Training
from naokit.images.bundle import ImageBundle
from naokit.images.presets import PRESETS, ImagePreset
from naokit.runs import final
from naokit.space import Architecture
from naokit.spaces import ConvCells
from naokit.spaces.published import GENOTYPES
from naokit.study import Study
from naokit.training import loop

NAONET_A = "0 7 1 15 2 8 1 7 0 6 1 7 0 8 4 7 1 5 0 7 0 7 1 13 0 6 0 14 0 9 1 10 0 14 2 6 1 11 0 7"
TINY = "0 0 1 0 0 0 1 0"
CELL = "|none~0|+|none~0|none~1|+|{}~0|none~1|none~2|"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    small = ImagePreset("tiny", 3, "quick", 2, 2, True, "quick", 4, 1, 4, 1)
    monkeypatch.setattr("naokit.images.presets.PRESETS", {**PRESETS, "tiny": small})


def table(path: Path) -> Path:
    operations = ("nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3", "skip_connect")
    rows = [f"{CELL.format(name)},{90 + n}" for n, name in enumerate(operations)]
    path.write_text("\n".join(["arch,acc", *rows]) + "\n")
    return path


def test_profile_counts_the_published_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("naokit.images.costs.BATCHES", (1, 2))  # 64 images take half a minute
    result = run(
        *("profile", NAONET_A, "--space", "conv-large", "--no-onnx"),
        *("--cells", "6", "--channels", "36", "--classes", "10", "--json"),
    )
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert found["parameters"] == 11470150
    assert found["auxiliary_parameters"] == 476426
    assert found["latency_ms"] > 0
    assert found["peak_memory_mb"] > 0


def test_the_zoo_is_listed_and_its_names_stand_for_genotypes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown = GENOTYPES["naonet-b"]
    monkeypatch.setattr("naokit.spaces.published.GENOTYPES", {"naonet-b": shown})
    listed = json.loads(run("zoo", "--json").stdout)["networks"]
    assert [(row["name"], row["parameters"]) for row in listed] == [("naonet-b", 2_921_302)]
    table = run("zoo").stdout
    assert "2,921,302" in table
    assert "2.93, cutout" in table
    assert "train_NAONet_B_36_cifar10.sh" in table
    assert run("show", "naonet-b").stdout == run("show", shown.text).stdout


def test_the_zoo_counts_nothing_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each network took a second of counting; what is recorded is counted again by a test."""
    monkeypatch.setattr("naokit.kinds.build", None)
    monkeypatch.setattr("naokit.networks.count_macs", None)
    listed = json.loads(run("zoo", "--json").stdout)
    assert len(listed["networks"]) == 12
    imagenet = [row for row in listed["networks"] if row["data"] == "ImageNet"]
    assert [(row["name"], row["published_error"]) for row in imagenet] == [
        ("naonet-a", "25.7 top-1, 8.2 top-5"),
        ("naonet-v2", "25.5 top-1, 8.2 top-5"),
    ]


def test_a_genotype_may_begin_with_a_letter(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from naokit.spaces import Choice, Choices\n"
        "SPACE = Choices('mine', (Choice('width', (16, 64)), Choice('depth', (1, 2))))\n"
    )
    shown = run("show", "width=64 depth=2", "--space", "mine.py:SPACE", "--json")
    assert shown.exit_code == 0, shown.output
    assert json.loads(shown.stdout)["architecture"] == "width=64 depth=2"


def test_search_on_a_table_prints_one_object_and_continues(tmp_path: Path) -> None:
    command = ("search", "--space", "nas-bench-201", "--table", str(table(tmp_path / "t.csv")))
    options = ("--metric", "acc", "--method", "random", "--out", "out", "--json")
    first = run(*command, *options, "--evaluations", "2")
    assert first.exit_code == 0, first.output
    assert json.loads(first.stdout)["evaluations"] == 2
    more = json.loads(run(*command, *options, "--evaluations", "4").stdout)
    assert more["evaluations"] == 4
    assert more["best"]["value"] == 93
    assert more["best"]["architecture"] == CELL.format("skip_connect")
    other = run(*command, *options, "--seed", "5")
    assert other.exit_code == 2
    assert "seed was 0, now 5" in other.stderr
    assert json.loads((tmp_path / "out" / "report.json").read_text()) == more
    assert json.loads((tmp_path / "out" / "settings.json").read_text())["seed"] == 0


def test_a_run_is_shown_from_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    Path("my.py").write_text(
        "from naokit.spaces import Choice, Choices\n"
        "SPACE = Choices('mine', (Choice('width', (16, 64)),))\n"
    )
    Path("t.csv").write_text("width,acc\n16,1\n64,2\n")
    command = ("search", "--space", "my.py:SPACE", "--table", "t.csv", "--metric", "acc")
    done = run(*command, "--architecture-column", "width", "--out", "out", "--evaluations", "2")
    assert done.exit_code == 0, done.output
    monkeypatch.chdir(tmp_path)
    shown = run("show", "sub/out", "--json")
    assert shown.exit_code == 0, shown.output
    assert json.loads(shown.stdout)["architecture"] == "width=64"


def test_starting_points_are_kept(tmp_path: Path) -> None:
    path, start = table(tmp_path / "t.csv"), tmp_path / "start.txt"
    command = ("search", "--space", "nas-bench-201", "--table", str(path), "--metric", "acc")
    command = (*command, "--method", "random", "--out", "out", "--evaluations")
    start.write_text(f"{CELL.format('skip_connect')}\n\n{CELL.format('avg_pool_3x3')}\n")
    for evaluations in ("2", "3"):
        assert run(*command, evaluations, "--start-from", str(start)).exit_code == 0
    (tmp_path / "one.txt").write_text(CELL.format("skip_connect"))
    for changed in ((), ("--start-from", str(tmp_path / "one.txt"))):
        refused = run(*command, "4", *changed)
        assert refused.exit_code == 2
        assert "begun with --start-from and 2 architectures" in refused.stderr
    assert json.loads(run("show", "out", "--json").stdout)["origins"]["given"] == 2


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


def test_small_differences_are_shown(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv")
    path.write_text(path.read_text().replace(",93", ",0.732667").replace(",9", ",0.00"))
    command = ("search", "--space", "nas-bench-201", "--table", str(path), "--metric", "acc")
    found = run(*command, "--method", "random", "--out", "out", "--evaluations", "4")
    assert "Best: 0.732667 (one evaluation)" in found.stdout
    assert "best 0.732667, last " in found.stderr
    shown = run("show", "out").stdout
    assert " 0.732667 " in shown
    assert "s; value (more is better)" in shown


def test_the_whole_path_from_search_to_export(tmp_path: Path, few_digits: None) -> None:
    """Digits, searched, repeated, compared, trained, exported, shown, profiled, trained again."""
    command = ("search", "--preset", "tiny", "--nodes", "1", "--data", "digits", "--out", "out")
    done = run(*command, "--method", "evolution")
    assert done.exit_code == 0, done.output
    assert "Random search, as many evaluations" in done.stdout
    assert "Checked out/network/model.onnx" in done.stdout
    assert 8 <= len(done.stdout.splitlines()) <= 14
    report = json.loads(Path("out/report.json").read_text())
    assert (report["evaluations"], report["repeats"]) == (3, 2)
    assert report["final"]["test_accuracy"] > 10
    again = run(*command, "--method", "evolution", "--no-final", "--json")
    assert json.loads(again.stdout)["best"] == report["best"]
    assert {p.name for p in Path("out/network").iterdir()} == {
        "README.md",
        "config.json",
        "model.onnx",
        "model.pt2",
        "model.safetensors",
        "network.py",
    }
    shown = json.loads(run("show", "out", "--json").stdout)
    assert shown["evaluations"] == 3
    assert len(shown["standings"]) == 3
    assert len(shown["standings"][0]["values"]) == 2
    assert "evolution, seed 0" in run("show", "out", "--svg", "cell.svg").stdout
    assert (tmp_path / "cell.svg").read_text().startswith("<svg")
    profiled = run("profile", "out", "--channels", "4", "--data", "digits", "--no-onnx", "--json")
    assert json.loads(profiled.stdout)["parameters"] > 100
    trained = run("train", "out", "--out", "again", "--recipe", "quick", "--json")
    assert json.loads(trained.stdout)["epochs"] == 3
    exported = run("export", "again", "--format", "safetensors", "--out", "files", "--json")
    assert json.loads(exported.stdout)["exports"][0]["difference"] == 0


def test_another_winner_is_trained_and_the_former_one_is_kept(
    monkeypatch: pytest.MonkeyPatch, small_exports: None, few_digits: None
) -> None:
    """More evaluations may find a better one: its training is not that of the one before."""
    command = ("search", "--preset", "tiny", "--nodes", "1", "--no-baseline", "--out", "out")
    assert run(*command).exit_code == 0
    weights = Path("out/network/model.safetensors").read_bytes()
    other = ConvCells.small(nodes=1).parse("0 3 1 3 0 3 1 3")
    monkeypatch.setattr(Study, "best_architecture", property(lambda _: other))
    done = run(*command, "--evaluations", "4")
    assert done.exit_code == 0, done.output
    assert "the former winner is kept: out/former-1" in done.stderr
    assert Path("out/former-1/network/model.safetensors").read_bytes() == weights
    assert Path("out/former-1/training/last.safetensors").exists()
    config = json.loads(Path("out/network/config.json").read_text())
    assert config["architecture"] == str(other)
    assert "kept" not in run(*command, "--evaluations", "4").stderr


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


def test_the_bar_of_a_search_that_is_done_is_full(tmp_path: Path) -> None:
    path = str(table(tmp_path / "t.csv"))
    command = ("search", "--space", "nas-bench-201", "--table", path, "--metric", "acc")
    done = run(*command, "--evaluations", "9", "--out", "out")
    assert done.exit_code == 0, done.output
    assert " 4/4 " in done.stderr


def test_a_run_has_one_storage(tmp_path: Path) -> None:
    path = str(table(tmp_path / "t.csv"))
    command = ("search", "--space", "nas-bench-201", "--table", path, "--metric", "acc")
    command += ("--evaluations", "4", "--out", "out")
    assert run(*command).exit_code == 0
    refused = run(*command, "--storage", "sqlite:///other.db", "--method", "random")
    assert refused.exit_code == 2
    assert "lies in sqlite:///out/study.db, not in sqlite:///other.db" in refused.stderr
    assert not Path("other.db").exists()
    assert run(*command, "--storage", f"sqlite:///{Path('out/study.db').resolve()}").exit_code == 0


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


class _Clock:
    """A clock that stands still but for evaluations, which take a minute."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        self.final: list[float | None] = []
        train_final = final.train_final

        def evaluate(_: Training, architecture: Architecture, seed: int) -> Score:
            self.now += 60
            return Score(50 + seed % 10)

        def trained(architecture: Architecture, job: final.Job, **settings: Any) -> ImageBundle:
            self.final.append(job.seconds)
            return train_final(architecture, job, **settings)

        monkeypatch.setattr("time.monotonic", lambda: self.now)
        monkeypatch.setattr(Training, "evaluate", evaluate)
        monkeypatch.setattr(final, "train_final", trained)


def test_hours_limit_the_whole_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two studies of three evaluations and two repeats: ten minutes, then the final training.

    A fifth of three minutes is the final training's: no evaluation begins after 144 seconds.
    """
    monkeypatch.setattr("naokit.runs.winner.export", lambda *_, **__: [])  # takes seconds
    clock = _Clock(monkeypatch)
    command = ("search", "--preset", "tiny", "--nodes", "1", "--method", "random", "--out", "out")

    cut = run(*command, "--hours", "0.05", "--json")
    first = json.loads(cut.stdout)
    assert "--hours: the search gets 2.4 min, 36 s are kept for the final training" in cut.stderr
    assert first["unfinished"] == ["search", "random search"]
    assert (first["evaluations"], first["repeats"]) == (3, 0)
    assert not {"random", "verdict"} & first.keys()
    assert first["final"]["complete"]
    assert clock.final == [36]  # all of its share, though the last evaluation ended within it

    second = run(*command, "--hours", "0.05")
    assert second.exit_code == 0, second.output
    assert "Not finished: random search. The same" in second.stdout
    assert clock.final == [36, 36]

    third = json.loads(run(*command, "--hours", "0.1", "--json").stdout)
    assert third["unfinished"] == []
    assert third["random"]["evaluations"] == 3
    assert third["final"]["complete"]
    assert clock.final[2] == pytest.approx(360 - 240)


@pytest.mark.parametrize(
    ("hours", "shown"),
    [
        (0.02, [("random", 2, 3), ("best again", 0, 2)]),
        (0.045, [("random", 3, 3), ("best again", 0, 2)]),
        (1.0, [("random", 3, 3), ("best again", 2, 2)]),
    ],
)
def test_a_bar_says_what_was_evaluated_and_what_again(
    monkeypatch: pytest.MonkeyPatch, hours: float, shown: list[tuple[str, int, int]]
) -> None:
    _Clock(monkeypatch)
    command = ("search", "--preset", "tiny", "--nodes", "1", "--method", "random", "--no-final")
    said = run(*command, "--no-baseline", "--hours", str(hours)).stderr
    bars = re.findall(r"^(\S.*?) +[━╸╺]+ +(\d+)/(\d+) ", said, re.MULTILINE)
    assert [(name, int(done), int(total)) for name, done, total in bars] == shown


def test_a_bar_counts_no_more_repeats_than_there_are_architectures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _Clock(monkeypatch)
    command = ("search", "--preset", "tiny", "--nodes", "1", "--no-final", "--evaluations", "1")
    done = run(*command, "--no-baseline", "--hours", "0.01")
    assert re.search(r"best again +[━╸╺]+ +0/1 ", done.stderr)
    assert "Not finished: search" in done.stdout


def test_a_final_training_cut_in_its_first_epoch_is_unfinished_and_exported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = _Clock(monkeypatch)
    step = loop._Run._step

    def slow(*arguments: Any) -> torch.Tensor:
        clock.now += 60
        return step(*arguments)

    monkeypatch.setattr(loop._Run, "_step", slow)
    command = ("search", "--preset", "tiny", "--nodes", "1", "--method", "random", "--out", "out")
    command = (*command, "--no-baseline", "--hours", "0.2")
    report = json.loads(run(*command, "--json").stdout)
    assert report["unfinished"] == ["final training"]
    assert clock.final == [pytest.approx(720 - 300)]
    assert 0 < report["final"]["epochs_done"] < 1
    assert not report["final"]["complete"]
    assert {Path(check["file"]).name for check in report["exports"]} >= {"model.onnx"}
    clock.now = 0.0
    monkeypatch.setattr("naokit.runs.winner.export", lambda *_, **__: [])  # takes seconds
    done = run(*command)
    assert done.exit_code == 0, done.output
    assert re.search(r"Trained 1\.\d+ of \d+ epochs \(.* parameters\): ", done.stdout)
    longer = run("train", "out", "--hours", "0")
    assert re.search(r"after 1\.\d+ of \d+ epochs: the same command continues", longer.stdout)


def test_hours_that_are_over_before_the_first_evaluation() -> None:
    result = run("search", "--preset", "tiny", "--nodes", "1", "--hours", "0", "--out", "out")
    assert result.exit_code == 2
    assert "--hours ended before the first evaluation did" in result.stderr


def test_a_genotype_may_be_longer_than_a_path_can_be() -> None:
    shown = run("show", " ".join(["0"] * 240), "--nodes", "30")
    assert shown.exit_code == 0, shown.output
    assert "  31 = sep_conv_3x3(0) + sep_conv_3x3(0)" in shown.stdout


def test_space_and_nodes_beside_a_published_name_may_agree() -> None:
    agreeing = ("--space", "conv-large", "--nodes", "5")
    assert run("show", "naonet-a", *agreeing).stdout == run("show", "naonet-a").stdout


def test_a_drawing_replaces_no_file_unasked() -> None:
    Path("config.json").write_text("precious")
    asked = ("show", TINY, "--nodes", "1", "--svg", "config.json")
    refused = run(*asked)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "config.json exists already; name another file, or give --force" in refused.stderr
    assert Path("config.json").read_text() == "precious"
    assert "drawn in config.json" in run(*asked, "--force").stdout
    assert Path("config.json").read_text().startswith("<svg")


def test_show_draws_a_genotype_as_text() -> None:
    result = run("show", TINY, "--nodes", "1")
    assert result.stdout.splitlines() == [
        "normal cell",
        "  2 = sep_conv_3x3(0) + sep_conv_3x3(1)",
        "  output = concat(2)",
        "reduction cell",
        "  2 = sep_conv_3x3(0) + sep_conv_3x3(1)",
        "  output = concat(2)",
    ]


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


def test_help_and_version_work_as_a_module() -> None:
    command = [sys.executable, "-m", "naokit"]
    shown = subprocess.run([*command, "--help"], capture_output=True, text=True, check=True)
    assert "search" in shown.stdout
    version = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
    assert version.stdout.strip() == "0.1.0"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_commands_and_options(
    shell: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The script of `--show-completion` asks naokit itself, as here."""
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    script = run("--show-completion", shell)
    assert script.exit_code == 0, script.output
    assert "_NAOKIT_COMPLETE" in script.stdout
    monkeypatch.setenv("_NAOKIT_COMPLETE", f"complete_{shell}")
    monkeypatch.setenv("_TYPER_COMPLETE_FISH_ACTION", "get-args")
    for typed, expected in (("naokit tra", {"train", "transfer"}), ("naokit search --fin", None)):
        monkeypatch.setenv("_TYPER_COMPLETE_ARGS", typed)
        monkeypatch.setenv("COMP_WORDS", typed)
        monkeypatch.setenv("COMP_CWORD", str(len(typed.split()) - 1))
        said = CliRunner().invoke(app, [], prog_name="naokit").stdout
        for word in expected or {"--final", "--final-epochs"}:
            assert word in said
