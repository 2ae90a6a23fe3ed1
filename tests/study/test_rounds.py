"""An evaluator that wants several architectures at a time, and learns in between."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import optuna
import pytest

from naokit.base import Architecture, Evaluator, InputError, Result, Workers
from naokit.spaces import Choice, Choices, ConvCells
from naokit.study import Study, create_study

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

    def prepare(self, pool: Sequence[Architecture], number: int) -> None:
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
    assert [len(pool) for pool in evaluator.pools.values()] == [4, 8, 11]
    assert sorted(trial.round for trial in study.trials) == [0] * 4 + [1] * 4 + [2] * 3


@pytest.mark.parametrize("method", ["evolution", "random", "tpe"])
def test_an_interrupted_round_goes_on_as_it_was(tmp_path: Path, method: str) -> None:
    whole, made = study_in(tmp_path, method=method), Shared()
    whole.optimize(made, 10)
    for ends_at in range(1, made.calls + 1):
        folder = tmp_path / str(ends_at)
        folder.mkdir()
        with pytest.raises(KeyboardInterrupt):
            study_in(folder, method=method).optimize(Shared(ends_at), 10)
        study, again = study_in(folder, method=method), Shared()
        study.optimize(again, 10)
        assert found(study) == found(whole)
        assert all(again.pools[number] == made.pools[number] for number in again.pools)


def test_a_round_cut_while_it_is_proposed_goes_on_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = study_in(tmp_path)
    whole.optimize(Shared(), 10)
    ask, asked = Study.ask, []

    def cut(study: Study) -> Any:
        asked.append(None)
        if len(asked) == 7:
            raise KeyboardInterrupt
        return ask(study)

    (tmp_path / "cut").mkdir()
    with monkeypatch.context() as context:
        context.setattr(Study, "ask", cut)
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
    assert [len(pool) for pool in evaluator.pools.values()] == [4, 5]


def test_a_state_in_one_place_needs_no_other_workers(tmp_path: Path) -> None:
    class Elsewhere(Workers):
        def submit(self, *call: Any) -> Any:
            raise AssertionError

    with pytest.raises(InputError, match="keeps its state in this process"):
        study_in(tmp_path).optimize(Shared(), 10, workers=Elsewhere())
