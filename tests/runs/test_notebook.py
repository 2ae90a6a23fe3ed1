"""What a notebook shows of a run: one that an earlier naokit made, one that goes on, trainings."""

import tarfile
from pathlib import Path

import pytest
from tests.report.page.reader import Reader
from tests.report.page.reports import HOSTILE
from tests.runs.test_reporting import KEPT, SPACE, made

from naokit.runs.notebook import run_html
from naokit.runs.run import Run
from naokit.study import create_study
from naokit.wording import one_line


def words_of(shown: str) -> str:
    return " ".join("".join(Reader(shown).words).split())


def test_a_run_shows_its_search_and_its_winner(tmp_path: Path, monkeypatch) -> None:
    with tarfile.open(KEPT) as archive:
        archive.extractall(tmp_path, filter="data")
    monkeypatch.chdir(tmp_path)
    run = Run.at("run")
    words, final = words_of(run._repr_html_()), run.report["final"]
    assert words.startswith("Run run The winner, trained for 2 epochs: validation ")
    assert f"test {final['test_accuracy']:.2f} (accuracy, percent)" in words
    assert "nao on conv-small: 3 evaluations. Best: " in words
    assert "(validation accuracy, percent; more is better)" in words


def test_a_run_without_a_training_shows_its_search(tmp_path: Path) -> None:
    words = words_of(made(tmp_path / "<b>run")._repr_html_())
    assert words.startswith(f"Run {tmp_path}/<b>run random on c: 6 evaluations. Best: ")


def test_the_best_few_that_were_trained_anew_stand_first() -> None:
    studies = [create_study(SPACE, method="random", name=name) for name in ("search", "own")]
    for study in studies:
        study.optimize(lambda architecture: float(sum(architecture.choices)), 2)
    found = run_html(Path(HOSTILE[0]), *studies, {"metric": "accuracy, percent, shared weights"})
    words = words_of(found)
    assert words.startswith(f"Run {one_line(HOSTILE[0])} The best few, trained anew: random on c")
    own, _, search = words.partition("The search before:")
    assert "(accuracy, percent; more is better)" in own
    assert "(accuracy, percent, shared weights; more is better)" in search


@pytest.mark.parametrize("found", [{}, {"final": {}}])
def test_nothing_is_said_of_a_training_that_has_not_begun(found, tmp_path: Path) -> None:
    study = create_study(SPACE, method="random")
    assert "winner" not in words_of(run_html(tmp_path, study, None, found))
