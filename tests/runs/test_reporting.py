"""What is reported of a run: one that an earlier naokit made, one without a best, a live one."""

import json
import tarfile
from pathlib import Path

import pytest

from naokit.base import EvaluationFailed, InputError
from naokit.evaluators.function import Function
from naokit.runs import live_page
from naokit.runs.live_page import LivePage
from naokit.runs.plan import Plan
from naokit.runs.reporting import run_report, write_page
from naokit.runs.run import Run
from naokit.runs.search import search
from naokit.spaces import Choice, Choices

KEPT = Path(__file__).parents[1] / "kept" / "before-rooms.tar.gz"
SPACE = Choices("c", (Choice("a", (1, 2, 3)), Choice("b", (1, 2, 3))))


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The run that an earlier naokit made."""
    with tarfile.open(KEPT) as archive:
        archive.extractall(tmp_path, filter="data")
    monkeypatch.chdir(tmp_path)
    return Run.at("run")


def made(folder: Path, score=lambda architecture: float(sum(architecture.choices))) -> Run:
    """The run of a search by a function."""
    plan = Plan(dict(SPACE.settings()), {}, "random", evaluations=6)
    evaluator = Function(score, "maximize")
    search(plan, folder, space=SPACE, evaluator=evaluator, final=False)
    return Run.at(folder)


def test_a_run_of_an_earlier_version_is_reported(kept: Run) -> None:
    found, before = run_report(kept), kept.report
    assert found.found is not None
    assert found.found.best.value == before["best"]["value"]
    assert (found.metric, found.name) == (before["metric"], "run")
    assert found.final is not None
    assert len(found.final.epochs) == 2
    assert found.final.scores["test"] == before["final"]["test_accuracy"]
    assert found.final.parameters == before["final"]["parameters"]
    assert [one.name for one in found.parts] == ["search", "final training"]
    assert "naokit train run" in [one.text for one in found.commands]
    assert found.costs[0].metrics["parameters"] > 0


def test_what_is_reported_is_whole_json(kept: Run) -> None:
    found = json.loads(json.dumps(run_report(kept).to_json(), allow_nan=False))
    assert found["shown"]["evaluations"] == 3
    assert len(found["course"]["evaluations"]) == 3 + found["found"]["repeats"]
    assert found["found"]["best"]["architecture"] == found["shown"]["architecture"]


def test_a_page_is_written_into_the_folder_of_its_run(kept: Run) -> None:
    path = write_page(kept, run_report(kept))
    assert path == Path("run/report.html")
    text = path.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert "Final training" in text


def test_a_run_without_a_final_training_or_network_is_reported(tmp_path: Path) -> None:
    found = run_report(made(tmp_path / "run with a space"))
    assert (found.final, found.random, found.metric) == (None, None, "value")
    texts = [one.text for one in found.commands]
    assert texts == [f"naokit show '{tmp_path}/run with a space'"]


def test_the_time_of_the_proposals_is_a_part_of_the_costs(tmp_path: Path) -> None:
    run = made(tmp_path)
    parts = {part.name: part.seconds for part in run_report(run).parts}
    assert [*parts] == ["proposals of the search", "search"]
    proposing = sum(trial.proposing for trial in run.study.trials)
    assert parts["proposals of the search"] == proposing > 0


def test_a_run_without_a_best_says_why(tmp_path: Path) -> None:
    def failing(_: object) -> float:
        raise EvaluationFailed("diverged")

    with pytest.raises(InputError):
        made(tmp_path, failing)
    found = run_report(Run.at(tmp_path))
    assert found.found is None
    assert "6 evaluations" in str(found.shown.no_best)
    path = write_page(Run.at(tmp_path), found)
    assert "Why there is no best" in path.read_text(encoding="utf-8")


def test_a_live_page_is_written_now_and_then(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(live_page, "EVERY", 1e9)
    page = LivePage(tmp_path / "run")
    page.told()  # there is no run yet, which ends nothing
    assert not (tmp_path / "run").exists()
    made(tmp_path / "run")
    (tmp_path / "run" / "report.html").unlink()  # of the whole run
    page.told()  # too soon
    assert not (tmp_path / "run" / "report.html").exists()
    page = LivePage(tmp_path / "run")
    page.told()
    assert 'http-equiv="refresh"' in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
