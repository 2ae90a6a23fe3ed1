"""The commands as a user runs them: exit codes, one JSON object, one-line errors."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.commands import CELL, NAONET_A, TINY, run, table
from typer.testing import CliRunner

from naokit.cli.app import app
from naokit.spaces import ConvCells
from naokit.spaces.published import GENOTYPES
from naokit.study import Study

pytestmark = pytest.mark.usefixtures("tiny_preset")


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


def test_a_genotype_may_be_longer_than_a_path_can_be() -> None:
    shown = run("show", " ".join(["0"] * 240), "--nodes", "30")
    assert shown.exit_code == 0, shown.output
    assert "  31 = sep_conv_3x3(0) + sep_conv_3x3(0)" in shown.stdout


def test_space_and_nodes_beside_a_published_name_may_agree() -> None:
    agreeing = ("--space", "conv-large", "--nodes", "5")
    assert run("show", "naonet-a", *agreeing).stdout == run("show", "naonet-a").stdout


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
