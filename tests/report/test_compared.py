"""Several runs beside each other: who is ahead, as far as chance allows to say."""

from dataclasses import replace

import numpy as np
import pytest
from tests.report.page.reports import HOSTILE, searched
from tests.report.page.test_page import Reader, leaves

from naokit.base import InputError
from naokit.report.beside import Difference
from naokit.report.compared import compared
from naokit.report.contents import Comparison
from naokit.report.page.compare import comparison_page
from naokit.report.run_report import RunReport


def report(method: str, seed: int, best: float) -> RunReport:
    """A report of this method, whose best has this value."""
    found, _ = searched(60)
    overview, findings = found.shown.overview, found.found
    assert overview is not None
    assert findings is not None
    study = dict(overview.study) | {"method": method, "seed": seed}
    shown = replace(found.shown, overview=replace(overview, study=study))
    name = f"{method}-{seed}"
    return replace(
        found,
        name=name,
        folder=f"runs/{name}",
        shown=shown,
        found=replace(findings, best=Comparison("a", best, (best,))),
    )


BETTER = [report("nao", seed, 92.0 + seed / 10) for seed in range(3)]
POORER = [report("random", seed, 90.0 + seed / 10) for seed in range(3)]
ALIKE = [report("evolution", seed, 92.0 + seed) for seed in range(-1, 2)]


def test_runs_that_differ_in_the_seed_alone_belong_together() -> None:
    found = compared([*BETTER, *POORER])
    assert [one.runs for one in found.groups] == [
        ("nao-0", "nao-1", "nao-2"),
        ("random-0", "random-1", "random-2"),
    ]
    assert found.groups[0].mean == pytest.approx(92.1)
    assert [one.seed for one in found.runs] == [0, 1, 2, 0, 1, 2]


def test_ahead_and_behind_are_more_than_chance_and_level_is_not() -> None:
    assert compared([*BETTER, *POORER]).differences[0].said == "ahead"
    assert compared([*POORER, *BETTER]).differences[0].said == "behind"
    assert compared([*BETTER, *ALIKE]).differences[0].said == "level"


def test_less_may_be_better() -> None:
    turned = [replace(one, direction="minimize") for one in (*BETTER, *POORER)]
    assert compared(turned).differences[0].said == "behind"


def test_the_interval_is_that_of_welch() -> None:
    from scipy.stats import ttest_ind

    (found,) = compared([*BETTER, *ALIKE]).differences
    one, other = ([r.found.best.value for r in same] for same in (BETTER, ALIKE))
    low, high = ttest_ind(one, other, equal_var=False).confidence_interval(0.95)
    assert (found.margin, found.difference) == pytest.approx(((high - low) / 2, (high + low) / 2))


def test_of_single_runs_nothing_is_known_of_chance() -> None:
    (found,) = compared([BETTER[0], POORER[0]]).differences
    assert found == Difference("nao on conv-small", "random on conv-small", 2.0, None, "unknown")


def test_runs_without_a_best_are_shown_and_compared_with_none() -> None:
    none = replace(report("tpe", 0, 1.0), found=None)
    found = compared([BETTER[0], none])
    assert found.runs[1].value is None
    assert found.differences[0].difference is None
    assert "none" in comparison_page(found)


def test_values_that_mean_something_else_are_refused() -> None:
    other = replace(POORER[0], metric="validation perplexity")
    with pytest.raises(InputError, match=r"nao-0 and runs/random-0 cannot be compared"):
        compared([BETTER[0], other])


def test_a_curve_is_the_mean_of_the_best_so_far() -> None:
    (group,) = compared(BETTER).groups
    assert group.curve[-1].mean == pytest.approx(BETTER[0].course.improvements[-1].value)
    means = [point.mean for point in group.curve]
    assert (np.diff(means) >= 0).all()
    assert all(point.low <= point.mean <= point.high for point in group.curve)


def test_the_page_has_the_numbers_of_json_and_shows_names_as_text() -> None:
    hostile = [replace(one, name=HOSTILE[0], folder=HOSTILE[1]) for one in POORER]
    found = compared([*BETTER, *hostile])
    read = Reader(comparison_page(found))
    assert len(read.named("script")) == 1
    assert HOSTILE[1] in "".join(read.words)
    shown = [float(one["value"] or "nan") for one in read.named("data")]
    assert len(shown) > 20
    assert {*shown} <= leaves(found.to_json())
    assert "ahead" in read.words
