"""Who leads, and what is said where nobody does."""

import re

import pytest

from naokit.base import Architecture, EvaluationFailed, InputError
from naokit.spaces import ConvCells
from naokit.study import create_study


@pytest.mark.parametrize(
    ("reasons", "message"),
    [
        (
            ["diverged"] * 3,
            "failed (diverged: 3): lower the learning rate, or search another space",
        ),
        (["a", "b", "b"], "failed (b: 2): mend that, or search another space"),
    ],
)
def test_a_study_of_failures_says_why_it_has_no_best(reasons: list[str], message: str) -> None:
    left = iter(reasons)

    def fails(architecture: Architecture) -> float:
        raise EvaluationFailed(next(left))

    study = create_study(ConvCells.small(nodes=1), method="random", name="s")
    with pytest.raises(InputError, match="s has no finished evaluation yet: search on"):
        _ = study.best
    study.optimize(fails, len(reasons))
    with pytest.raises(InputError, match=re.escape(f"all 3 evaluations of the study s {message}")):
        _ = study.best
