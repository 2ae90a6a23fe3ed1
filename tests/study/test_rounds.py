"""An evaluator that wants several architectures at a time, and learns in between."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import optuna
import pytest

from naokit.base import InputError, OutOfTime
from naokit.doors import Evaluator, Proposal, Result, Workers
from naokit.method.baselines import RandomSearch
from naokit.space import Architecture
from naokit.spaces import Choice, Choices, ConvCells
from naokit.study import Study, create_study
from naokit.study.origins import RESCORED
from naokit.study.proposing import Proposing

SPACE = ConvCells.small(nodes=1)


@pytest.fixture(autouse=True)
def _quiet() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)


class Shared(Evaluator):
    """Scores follow from an architecture and from the pool that was prepared last."""

    round_size = 4
    in_one_place = True

    def __init__(self, ends_at: int | None = None) -> None:
        self.begun: list[Path | None] = []
        self.pools: dict[int, list[str]] = {}
        self.calls, self.ends_at = 0, ends_at

    def begin(self, folder: Path | None) -> None:
        self.begun.append(folder)

    def prepare(
        self, pool: Sequence[Architecture], number: int, seconds: float | None = None
    ) -> None:
        self._called()
        self.pools[number] = [str(architecture) for architecture in pool]

    def evaluate(self, architecture: Architecture, seed: int) -> Result:
        self._called()
        pool = self.pools[max(self.pools)]
        assert str(architecture) in pool
        return Result(int(architecture.key[:6], 16) / 16**6 + len(pool))

    def _called(self) -> None:
        self.calls += 1
        if self.calls == self.ends_at:
            raise KeyboardInterrupt


class Staying(Shared):
    """Half of a round stays in the next one."""

    kept = 2

    def evaluate(self, architecture: Architecture, seed: int) -> Result:
        result = super().evaluate(architecture, seed)
        return Result(result.value - 2 * max(self.pools))  # values fall from round to round


def study_in(folder: Path, **settings: Any) -> Study:
    settings = {"method": "evolution", "seed": 1, **settings}
    return create_study(
        SPACE, storage=f"sqlite:///{folder}/s.db", name="s", evaluations=10, **settings
    )


def found(study: Study) -> set[tuple[str, float | None, int]]:
    return {(str(t.architecture), t.value, t.round) for t in study.trials}


def test_a_round_is_proposed_and_prepared_before_it_is_evaluated(tmp_path: Path) -> None:
    study, evaluator = study_in(tmp_path), Shared()
    study.optimize(evaluator, 10, folder=tmp_path)
    study.optimize(evaluator, 11, folder=tmp_path)
    assert evaluator.begun == [tmp_path]
    assert [len(pool) for pool in evaluator.pools.values()] == [4, 4, 3]
    assert sorted(trial.round for trial in study.trials) == [0] * 4 + [1] * 4 + [2] * 3


def test_the_best_of_a_round_stay_in_the_next_and_are_scored_again(tmp_path: Path) -> None:
    study, evaluator = study_in(tmp_path), Staying()
    study.optimize(evaluator, 8)
    assert study.evaluations == 8
    assert [len(pool) for pool in evaluator.pools.values()] == [4, 4, 4]
    rounds = [[t for t in study.trials if t.round == number] for number in range(3)]
    assert [sorted(t.origin == RESCORED for t in one) for one in rounds] == [
        [False] * 4,
        *[[False, False, True, True]] * 2,
    ]
    for before, after in itertools.pairwise(rounds):
        best = sorted(before, key=lambda trial: -(trial.value or 0))[:2]
        stay = {str(t.architecture) for t in after if t.origin == RESCORED}
        assert stay == {str(trial.architecture) for trial in best}


def test_the_latest_values_count(tmp_path: Path) -> None:
    told: list[dict[str, float | None]] = []

    class Seeing(RandomSearch):
        def propose(self, history: Any, pending: Any = ()) -> Proposal:
            told.append({str(one.architecture): one.value for one in history})
            return super().propose(history, pending)

    study = create_study(SPACE, method=lambda *of: Seeing(*of), seed=1)
    study.optimize(Staying(), 8)
    latest: dict[str, float | None] = {}
    for trial in sorted(study.trials, key=lambda trial: trial.round):
        latest[str(trial.architecture)] = trial.value
    before = {str(t.architecture): t.value for t in study.trials if t.round == 1}
    assert told[-1].items() >= before.items()
    assert [len(seen) for seen in told] == [0] * 4 + [4] * 2 + [6] * 2
    standings = study.standings()
    assert [standing.round for standing in standings[:4]] == [2] * 4
    assert all(latest[str(s.architecture)] == s.mean for s in standings)
    assert len(standings) == 8
    front = study.front()[0]
    assert (str(front.architecture), front.value) == (
        max(latest, key=lambda name: latest[name] or 0),
        max(value or 0 for value in latest.values()),
    )


def test_a_method_is_told_of_the_rounds() -> None:
    told = []

    class Asked(RandomSearch):
        def in_rounds(self, first: int, later: int) -> None:
            told.append((first, later))

    for evaluator in (Staying(), Shared()):
        create_study(SPACE, method=lambda *of: Asked(*of)).optimize(evaluator, 6)
    create_study(SPACE, method=lambda *of: Asked(*of)).optimize(lambda _: 1.0, 2)
    assert told == [(4, 2), (4, 4)]


def test_nothing_is_lost_where_time_ends_while_a_round_is_prepared(tmp_path: Path) -> None:
    class Slow(Staying):
        def prepare(self, pool: Any, number: int, seconds: float | None = None) -> None:
            if seconds is not None and number == 1:
                assert 0 < seconds < 1000
                raise OutOfTime
            super().prepare(pool, number)

    study = study_in(tmp_path)
    study.optimize(Slow(), 6, seconds=1000)
    assert study.evaluations == 4
    study.optimize(Slow(), 6)
    (tmp_path / "whole").mkdir()
    whole = study_in(tmp_path / "whole")
    whole.optimize(Staying(), 6)
    assert found(study) == found(whole)


@pytest.mark.parametrize(
    ("method", "kind", "step"),
    [("evolution", Staying, 3), ("random", Shared, 2), ("tpe", Shared, 5), ("nao", Staying, 6)],
)
def test_an_interrupted_round_goes_on_as_it_was(
    tmp_path: Path, method: str, kind: type[Shared], step: int
) -> None:
    whole, made = study_in(tmp_path, method=method), kind()
    whole.optimize(made, 7)
    for ends_at in range(1, made.calls + 1, step):
        folder = tmp_path / str(ends_at)
        folder.mkdir()
        with pytest.raises(KeyboardInterrupt):
            study_in(folder, method=method).optimize(kind(ends_at), 7)
        study, again = study_in(folder, method=method), kind()
        study.optimize(again, 7)
        assert found(study) == found(whole)
        assert all(again.pools[number] == made.pools[number] for number in again.pools)


def test_a_round_cut_while_it_is_proposed_goes_on_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = study_in(tmp_path)
    whole.optimize(Shared(), 10)
    following, asked = Proposing.next, []

    def cut(proposing: Proposing, *given: Any) -> Any:
        asked.append(None)
        if len(asked) == 7:
            raise KeyboardInterrupt
        return following(proposing, *given)

    (tmp_path / "cut").mkdir()
    with monkeypatch.context() as context:
        context.setattr(Proposing, "next", cut)
        with pytest.raises(KeyboardInterrupt):
            study_in(tmp_path / "cut").optimize(Shared(), 10)
    study = study_in(tmp_path / "cut")
    assert study.evaluations == 4
    study.optimize(Shared(), 10)
    assert found(study) == found(whole)


def test_no_evaluation_of_a_round_begins_when_the_time_is_over(tmp_path: Path) -> None:
    study = study_in(tmp_path)
    study.optimize(Shared(), 10, seconds=-1)
    assert study.optuna.trials == []


def test_a_small_space_ends_within_a_round() -> None:
    space = Choices("s", (Choice("a", (1, 2, 3, 4, 5)),))
    study, evaluator = create_study(space, method="random"), Shared()
    study.optimize(evaluator, 10)
    assert [len(pool) for pool in evaluator.pools.values()] == [4, 1]


def test_a_state_in_one_place_needs_no_other_workers(tmp_path: Path) -> None:
    class Elsewhere(Workers):
        def submit(self, *call: Any) -> Any:
            raise AssertionError

    with pytest.raises(InputError, match="keeps its state in one process"):
        study_in(tmp_path).optimize(Shared(), 10, workers=Elsewhere())
