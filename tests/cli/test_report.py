"""`naokit report`: one page of a run, or its numbers."""

import json
import tarfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from naokit.cli.app import app

KEPT = Path(__file__).parents[1] / "kept" / "before-rooms.tar.gz"


@pytest.fixture(autouse=True)
def _unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kept run, in the working directory."""
    with tarfile.open(KEPT) as kept:
        kept.extractall(tmp_path, filter="data")
    monkeypatch.chdir(tmp_path)


def called(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["report", *words])
    assert done.exit_code == code, done.output
    return done.stdout if code == 0 else done.stderr


def test_a_page_is_written_and_its_place_is_said() -> None:
    assert called("run") == "written: run/report.html\n"
    called("run")  # again, without a word
    assert Path("run/report.html").stat().st_size < 1_000_000


def test_a_file_that_is_there_is_replaced_only_on_request() -> None:
    Path("mine.html").write_text("mine")
    assert "mine.html exists already" in called("run", "--out", "mine.html", code=2)
    assert Path("mine.html").read_text() == "mine"
    called("run", "--out", "mine.html", "--force")
    assert "naokit" in Path("mine.html").read_text(encoding="utf-8")


def test_json_prints_the_numbers_and_writes_nothing() -> None:
    found = json.loads(called("run", "--json", "--top", "1"))
    assert len(found["shown"]["standings"]) == len(found["costs"]) == 1
    assert not Path("run/report.html").exists()


def test_what_is_no_run_is_refused_in_one_line() -> None:
    said = called("words", code=2)
    assert said.count("\n") == 1
    assert "words is not a run" in said


def test_several_runs_are_compared() -> None:
    assert called("run", "run") == "written: comparison.html\n"
    assert "comparison.html exists already" in called("run", "run", code=2)
    found = json.loads(called("run", "run", "--json"))
    assert [one["name"] for one in found["runs"]] == ["run", "run"]
    assert "--examples is for one run" in called("run", "run", "--examples", code=2)


def test_architectures_are_drawn_for_optuna_dashboard() -> None:
    said = called("run", "--dashboard").splitlines()
    assert said == [
        "drawn: 9 trials in run/drawings",
        "Next: optuna-dashboard sqlite:///run/study.db --artifact-dir run/drawings",
    ]
    assert called("run", "--dashboard").startswith("drawn: 0 trials")
    assert "--dashboard is for one run" in called("run", "run", "--dashboard", code=2)
