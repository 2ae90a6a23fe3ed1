"""The descriptors of a study: measured once, kept in the trials, left out where there are none."""

import json
import math
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import optuna
import pytest

from naokit.base import InputError
from naokit.doors import Evaluator, Result
from naokit.evaluators import Tabular
from naokit.space import Architecture
from naokit.spaces import ConvCells
from naokit.study import Study, create_study, describing
from naokit.study.ledger import ARCHITECTURE, described_in

SPACE = ConvCells.small(nodes=2)
TRIALS = 9


@pytest.fixture(autouse=True)
def _quiet() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)


def value(architecture: Architecture) -> float:
    return int(architecture.key[:6], 16) / 16**6


class Killed(BaseException):
    """The process is gone."""


class Describing(Evaluator):
    """Scores by the key, of which a descriptor tells; it may end the process at any call."""

    descriptor_names = ("hint", "other")
    descriptor_share = 0.1
    ends_at: tuple[str, int] = ("", 0)

    def __init__(self) -> None:
        self.measured: list[str] = []
        self.evaluated: list[str] = []

    def _called(self, calls: list[str], name: str, architecture: Architecture) -> None:
        calls.append(architecture.key)
        if self.ends_at == (name, len(calls)):
            raise Killed

    def descriptors(self, architecture: Architecture) -> Mapping[str, float]:
        self._called(self.measured, "descriptors", architecture)
        return {"hint": value(architecture) ** 3, "other": value(architecture) / 3}

    def evaluate(self, architecture: Architecture, seed: int) -> Result:
        self._called(self.evaluated, "evaluate", architecture)
        return Result(value(architecture))


def study_in(folder: Path, **settings: Any) -> Study:
    return create_study(SPACE, storage=f"sqlite:///{folder}/s.db", name="s", **settings)


def found(study: Study) -> list[tuple[str, str, dict[str, float]]]:
    return [(str(t.architecture), t.origin, dict(t.model)) for t in study.trials]


def test_each_is_measured_once_and_kept_in_the_trial_it_was_measured_for(tmp_path: Path) -> None:
    study, evaluator = study_in(tmp_path), Describing()
    study.optimize(evaluator, TRIALS)
    assert len(evaluator.measured) == len(set(evaluator.measured)) > TRIALS
    rows = [row for trial in study.optuna.trials for row in described_in(trial)]
    keys = [SPACE.architecture(row["choices"]).key for row in rows]
    assert keys == evaluator.measured
    assert {tuple(row["values"]) for row in rows} == {("hint", "other")}
    assert study.trials[-1].model["described"] == len(rows)


@pytest.mark.parametrize(
    ("name", "call"), [("descriptors", 1), ("descriptors", 13), ("evaluate", 7), ("evaluate", 9)]
)
def test_ended_at_any_moment_the_search_continues_as_if_it_had_not_been(
    tmp_path: Path, name: str, call: int
) -> None:
    whole = create_study(SPACE)
    whole.optimize(Describing(), TRIALS)
    first, second = Describing(), Describing()
    first.ends_at = (name, call)
    with pytest.raises(Killed):
        study_in(tmp_path).optimize(first, TRIALS)
    again = study_in(tmp_path)
    again.optimize(second, TRIALS)
    assert found(again) == found(whole)
    twice = set(first.measured) & set(second.measured)
    assert not twice if name == "evaluate" else twice  # no trial held those of its own proposal


def test_what_another_process_measured_is_taken_over(tmp_path: Path) -> None:
    one, other = study_in(tmp_path), study_in(tmp_path)
    first, second = Describing(), Describing()
    for evaluations in range(1, TRIALS + 1):
        study, evaluator = (one, first) if evaluations % 2 else (other, second)
        study.optimize(evaluator, evaluations)
    measured = [*first.measured, *second.measured]
    assert len(measured) == len(set(measured))
    whole = create_study(SPACE)
    whole.optimize(Describing(), TRIALS)
    assert found(one) == found(whole)


@pytest.mark.parametrize("spoilt", [math.nan, math.inf, "much", ZeroDivisionError("oh"), None])
def test_one_that_is_not_there_is_left_out_and_that_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoilt: Any
) -> None:
    class Spoilt(Describing):
        def descriptors(self, architecture: Architecture) -> Mapping[str, float]:
            if isinstance(spoilt, Exception):
                raise spoilt
            found = super().descriptors(architecture)
            return {"hint": found["hint"], **({} if spoilt is None else {"other": spoilt})}

    said: list[str] = []
    monkeypatch.setattr(describing._logger, "warning", said.append)
    study = study_in(tmp_path)
    study.optimize(Spoilt(), TRIALS)
    assert len(said) == 1
    assert "other" in said[0]
    assert "ZeroDivisionError: oh" in said[0] or not isinstance(spoilt, Exception)
    kept = [row for trial in study.optuna.trials for row in described_in(trial)]
    assert kept
    assert all("other" not in row["values"] for row in kept)
    again = study_in(tmp_path)
    again.optimize(Spoilt(), TRIALS + 1)
    assert again.evaluations == TRIALS + 1


@pytest.mark.parametrize("change", [{"round_size": 3}, {"descriptor_names": ()}])
def test_where_values_change_or_there_are_none_nothing_is_measured(
    change: Mapping[str, Any],
) -> None:
    class Without(Describing):
        pass

    for name, given in change.items():
        setattr(Without, name, given)
    study, evaluator = create_study(SPACE), Without()
    study.optimize(evaluator, TRIALS)
    plain = create_study(SPACE)
    plain.optimize(value, TRIALS)
    assert not evaluator.measured
    if evaluator.round_size == 1:
        assert found(study) == found(plain)


@pytest.mark.parametrize("method", ["random", "evolution", "tpe"])
def test_other_methods_measure_nothing(method: str) -> None:
    evaluator = Describing()
    create_study(SPACE, method=method).optimize(evaluator, 4)
    assert not evaluator.measured


def test_tables_have_none() -> None:
    assert not Tabular.descriptor_names


@pytest.mark.parametrize(
    "spoil",
    [
        lambda row: row.pop("values"),
        lambda row: row.update(choices=[99] * len(row["choices"])),
        lambda row: row.update(values={"hint": "much"}),
    ],
)
def test_damaged_descriptors_are_noticed(tmp_path: Path, spoil: Callable[[Any], Any]) -> None:
    study = study_in(tmp_path)
    study.optimize(Describing(), 5)
    trial = next(t for t in study.optuna.trials if described_in(t))
    record = json.loads(json.dumps(trial.user_attrs[ARCHITECTURE]))
    spoil(record["described"][0])
    with sqlite3.connect(tmp_path / "s.db") as database:
        database.execute(
            "update trial_user_attributes set value_json = ? where key = ? and trial_id = "
            "(select trial_id from trials where number = ?)",
            (json.dumps(record), ARCHITECTURE, trial.number),
        )
    with pytest.raises(InputError, match="damaged"):
        study_in(tmp_path)
