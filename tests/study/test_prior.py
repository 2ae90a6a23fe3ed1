"""A study with a prior: recorded, resumed exactly, with limits, objectives and batches."""

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import optuna
import pytest

from naokit import create_study
from naokit.base import InputError, Weights
from naokit.doors import Method, Observation, Proposal, Result
from naokit.evaluators import Tabular
from naokit.space import Architecture
from naokit.spaces import Choice, Choices
from naokit.study import Study
from naokit.study.stored import SETTINGS

SPACE = Choices(
    "mine",
    (
        Choice("width", (16, 32, 64, 128)),
        Choice("kind", ("plain", "gated", "none_of_it")),
        Choice("depth", tuple(range(1, 9))),
    ),
)
PRIOR: Weights = {"width": {"64": 4, "16": 0}, "depth": {"3": 5}}


@pytest.fixture(autouse=True)
def _quiet() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)


def score(architecture: Architecture) -> Result:
    values = SPACE.values(architecture.choices)
    width, depth = float(values["width"]), float(values["depth"])
    return Result(-abs(width - 64) / 64 - abs(depth - 3), {"cost": width * depth})


def study_of(folder: Path, **settings: Any) -> Study:
    return create_study(SPACE, storage=f"sqlite:///{folder}/s.db", **{"prior": PRIOR, **settings})


def texts(study: Study) -> list[str]:
    return [str(trial.architecture) for trial in study.trials]


@pytest.mark.parametrize("method", ["nao", "random"])
def test_it_is_recorded_and_a_resumed_study_goes_on_as_it_would_have(
    tmp_path: Path, method: str
) -> None:
    whole = create_study(SPACE, method=method, prior=PRIOR)
    whole.optimize(score, 12)
    for evaluations in (5, 12):
        study = study_of(tmp_path, method=method)
        study.optimize(score, evaluations)
    assert texts(study) == texts(whole)
    recorded = study.optuna.user_attrs[SETTINGS]["prior"]
    assert recorded == {"width": {"64": 4.0, "16": 0.0}, "depth": {"3": 5.0}}
    assert {trial.origin for trial in whole.trials[:3]} == {"prior"}


@pytest.mark.parametrize(
    ("prior", "said"),
    [
        (None, "prior was {'width'"),
        ({**PRIOR, "depth": {"3": 2}}, "prior.depth.3 was 5.0, now 2.0"),
        ({**PRIOR, "kind": {"plain": 2}}, "prior.kind was None, now {'plain': 2.0}"),
    ],
)
def test_a_study_with_another_prior_is_refused(
    tmp_path: Path, prior: Weights | None, said: str
) -> None:
    study_of(tmp_path).optimize(score, 4)
    with pytest.raises(InputError) as error:
        study_of(tmp_path, prior=prior)
    assert said in str(error.value)
    assert len(study_of(tmp_path).trials) == 4


def test_a_study_that_was_begun_without_one_goes_on_without_one(tmp_path: Path) -> None:
    """Studies of an earlier naokit have no such setting."""
    study = study_of(tmp_path, prior=None)
    study.optimize(score, 3)
    settings = study.optuna.user_attrs[SETTINGS]
    del settings["prior"]
    study.optuna.set_user_attr(SETTINGS, settings)
    study_of(tmp_path, prior=None).optimize(score, 4)
    with pytest.raises(InputError, match="prior was None, now"):
        study_of(tmp_path)


class Own(Method):
    """A user's method that knows of no prior."""

    def propose(
        self, history: Sequence[Observation], pending: Sequence[Architecture] = ()
    ) -> Proposal:
        raise NotImplementedError


@pytest.mark.parametrize(
    "method",
    [
        "evolution",
        "local-search",
        "nao-2018",
        "seminas",
        "tpe",
        optuna.samplers.TPESampler(),
        Own(),
    ],
)
def test_a_method_that_takes_no_prior_is_refused_before_anything_is_written(
    tmp_path: Path, method: Any
) -> None:
    with pytest.raises(InputError, match=r"takes no prior: .* nao, random"):
        study_of(tmp_path, method=method)
    assert not (tmp_path / "s.db").exists()


def test_choices_that_are_not_there_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no choice 'widht'"):
        study_of(tmp_path, prior={"widht": {"64": 2}})
    assert not (tmp_path / "s.db").exists()


def test_several_are_asked_for_before_the_first_is_told() -> None:
    study = create_study(SPACE, prior=PRIOR)
    for _ in range(3):
        asked = [study.ask() for _ in range(4)]
        assert len({one.architecture.key for one in asked}) == 4
        for one in asked:
            study.tell(one.number, score(one.architecture))
    assert len(study.trials) == 12


def test_objectives_and_limits_are_as_without_one() -> None:
    study = create_study(
        SPACE, prior=PRIOR, objectives=["value", "cost:minimize"], limits=["cost<=300"]
    )
    study.optimize(score, 12)
    assert all(trial.metrics["cost"] <= 300 for trial in study.front())


def test_limits_that_are_known_beforehand_hold_for_what_is_drawn(tmp_path: Path) -> None:
    rows = [f"{w},{k},{d},{d},{w * d}" for w, k, d in product((16, 32, 64, 128), "pg", range(1, 9))]
    (tmp_path / "t.csv").write_text("\n".join(["width,kind,depth,acc,cost", *rows]))
    space = Choices("t", (*SPACE.choices[:1], Choice("kind", ("p", "g")), *SPACE.choices[2:]))
    table = Tabular(
        space,
        tmp_path / "t.csv",
        architecture_column="width,kind,depth",
        metric="acc",
        also=["cost"],
    )
    prior: Weights = {"width": {"128": 50}, "depth": {"8": 50}}
    study = create_study(table.space, prior=prior, limits=["cost<=256"])
    study.optimize(table, 10)
    assert max(trial.metrics["cost"] for trial in study.trials) <= 256
    assert study.best_value == 8


def test_failures_at_the_beginning_are_drawn_from_the_prior_too() -> None:
    study = create_study(SPACE, prior=PRIOR)
    for _ in range(5):
        asked = study.ask()
        assert asked.origin == "prior"
        study.tell(asked.number, None, "diverged")
