"""NAS-Bench-101 by the command line: on a table, and trained and exported."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from naokit.cli.app import app
from naokit.images.presets import PRESETS, ImagePreset

ROWS = ["101,c3,94", "101,c1,92", "101,mp,90", "111,c3,95", "111,c1,93", "1,,85", "100111,c3-c1,96"]
SEARCH = ("search", "--space", "nas-bench-101", "--json", "--out", "out")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    small = ImagePreset("tiny", 2, "quick", 1, 1, False, "quick", 6, 1, 6, 1)
    monkeypatch.setattr("naokit.images.presets.PRESETS", {**PRESETS, "tiny": small})


@pytest.mark.parametrize("method", ["nao", "evolution"])
def test_a_table_of_two_columns_is_searched(method: str) -> None:
    Path("t.csv").write_text("\n".join(["adjacency_upper,ops,acc", *ROWS]) + "\n")
    table = ("--table", "t.csv", "--architecture-column", "adjacency_upper,ops", "--metric", "acc")
    done = run(*SEARCH, *table, "--method", method, "--evaluations", "7")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["best"] == found["best"] | {"value": 96, "architecture": "100111 c3-c1"}


@pytest.mark.slow
def test_cells_are_trained_and_exported() -> None:
    done = run(*SEARCH, "--preset", "tiny", "--data", "digits", "--method", "random")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["evaluations"] == 2
    exported = run("export", "out", "--format", "onnx", "--out", "files", "--json")
    assert exported.exit_code == 0, exported.output
    check = json.loads(exported.stdout)["exports"][-1]
    assert check["file"].endswith("model.onnx")
    assert check["difference"] <= check["tolerance"]


def test_the_published_network_is_counted_without_an_auxiliary_head() -> None:
    size = ("--channels", "128", "--cells", "3", "--classes", "10", "--counts", "--json")
    done = run("profile", "101 c3", "--space", "nas-bench-101", *size)
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["parameters"], found["auxiliary_parameters"]) == (10_177_674, 0)


def test_too_few_channels_are_one_line() -> None:
    done = run("profile", "101 c3", "--space", "nas-bench-101", "--channels", "4", "--no-onnx")
    assert done.exit_code == 2
    assert "channels must be at least 6 for nas-bench-101" in done.stderr
