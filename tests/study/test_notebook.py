"""What a notebook shows of a study and of a standing: all as text, and nothing that runs."""

import re
from collections.abc import Callable

import pytest
from tests.report.page.reader import Reader
from tests.report.page.reports import HOSTILE, hostile_study

from naokit.base import EvaluationFailed
from naokit.doors import Result
from naokit.spaces import Choice, Choices
from naokit.study import Study, create_study
from naokit.wording import one_line

SPACE = Choices("c", (Choice("a", tuple(range(9))),))


def searched(score=lambda architecture: float(architecture.choices[0]), **settings) -> Study:
    study = create_study(SPACE, method="random", seed=1, **settings)
    study.optimize(score, 8)
    return study


def words_of(study: Study) -> str:
    return " ".join("".join(Reader(study._repr_html_()).words).split())


def test_a_study_shows_its_best_and_their_cells() -> None:
    study = searched()
    read = Reader(study._repr_html_())
    words = words_of(study)
    assert "random on c: 8 evaluations. Best: 8 (value; more is better)." in words
    assert [one.get("scope") for one in read.named("th")] == ["col"] * 5
    assert len(read.named("tr")) == 1 + 5
    assert ["open" in one for one in read.named("details")] == [True, False, False, False, False]
    assert "best so far" in words
    shown = re.findall(r"\d a=(\d)", words)
    assert shown == [str(one.architecture).removeprefix("a=") for one in study.standings()[:5]]


@pytest.mark.parametrize("made", [searched, hostile_study])
def test_an_output_is_alone_with_itself(made: Callable[[], Study]) -> None:
    """It has no names that another output may have too, no looks for others, and loads nothing."""
    study = made()
    for shown in (study._repr_html_(), study.best._repr_html_()):
        read = Reader(shown)
        assert shown.startswith("<div ")
        for tag, attributes in read.tags:
            assert tag not in {"style", "script", "link", "img", "iframe", "object", "a", "b"}
            assert not {"id", "class", "href", "src", "xlink:href"} & {*attributes}
            assert not any(name.startswith("on") for name in attributes)


def test_hostile_names_are_shown_as_text() -> None:
    study = hostile_study()
    words = "".join(Reader(study._repr_html_()).words)
    shown = {one.origin for one in study.trials} | {one.reason for one in study.trials}
    assert len(shown) > 8
    for name in HOSTILE:
        assert one_line(name) in words
    assert "\u202e" not in words


def test_a_standing_shows_each_of_its_values() -> None:
    study = searched()
    study.repeat(lambda architecture: 5.5, best=1, times=2)
    best = study.by_first_value()[0]
    words = "".join(Reader(best._repr_html_()).words)
    assert f"Trial {best.number}, evaluated to 8, 5.5, mean 6.75" in words


def test_a_study_without_a_best_says_why() -> None:
    study = create_study(SPACE, method="random")
    assert "0 evaluations. No best: the study naokit has no finished" in words_of(study)

    def fails(architecture: object) -> float:
        raise EvaluationFailed("diverged")

    words = words_of(searched(fails))
    assert "8 evaluations, 8 failed. No best: all 8 evaluations" in words


def test_several_objectives_have_a_front() -> None:
    def both(architecture) -> Result:
        return Result(float(architecture.choices[0]), {"latency": float(architecture.choices[0])})

    words = words_of(searched(both, objectives=["accuracy", "latency"]))
    front = "On the Pareto front in accuracy (more is better), latency (less is better): 8"
    assert f"{front} architectures." in words
