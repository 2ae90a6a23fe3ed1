"""Every trial is read once, and what is read is what the storage holds."""

import json
from pathlib import Path

import optuna
import pytest

from naokit.base import EvaluationFailed
from naokit.report.overview import shown
from naokit.space import Architecture
from naokit.spaces import Choice, Choices, ConvCells, NasBench201
from naokit.study import Study, create_study, ledger, open_study

SPACE = ConvCells.small(nodes=1)
GOLDEN = json.loads((Path(__file__).parent / "proposals.json").read_text())
SPACES = {
    "nas-bench-201": NasBench201(),
    "conv-small": ConvCells.small(),
    "choices": Choices("c", tuple(Choice(name, (0, 1, 2, 3)) for name in "abcd")),
}


@pytest.fixture(autouse=True)
def _quiet() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)


def score(architecture: Architecture) -> float:
    number = int(architecture.key[:6], 16)
    if number % 11 == 0:
        raise EvaluationFailed("diverged")
    return number / 16**6


@pytest.mark.parametrize("name", GOLDEN)
def test_proposals_are_those_of_the_versions_before(name: str) -> None:
    """The first ones of each method, recorded before trials were read once."""
    method, space = name.split("/")
    study = create_study(SPACES[space], method=method, seed=3, evaluations=25)
    study.optimize(score, len(GOLDEN[name]))
    assert [[list(t.architecture.choices), t.origin] for t in study.trials] == GOLDEN[name]


def counted_parses(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    parsed: list[int] = []
    to_trial = ledger.to_trial

    def counting(frozen: optuna.trial.FrozenTrial, space: ConvCells) -> object:
        parsed.append(frozen.number)
        return to_trial(frozen, space)

    monkeypatch.setattr(ledger, "to_trial", counting)
    return parsed


@pytest.mark.parametrize("method", ["evolution", "tpe"])
def test_a_search_reads_each_trial_once(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    parsed = counted_parses(monkeypatch)
    study = create_study(SPACE, method=method, seed=1)
    study.optimize(score, 12)
    study.repeat(score, best=1, times=2)
    assert len(study.trials) >= 12
    assert study.evaluations == 12
    assert len(parsed) == len(set(parsed))


def test_showing_a_run_reads_each_trial_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = f"sqlite:///{tmp_path}/s.db"
    create_study(SPACE, storage=storage, method="random").optimize(score, 10)
    parsed = counted_parses(monkeypatch)
    study = open_study(SPACE, storage, "naokit")
    found = shown(study.best_architecture, study, 5).overview
    assert found is not None
    assert found.evaluations == 10
    assert len(found.standings) == 5
    assert sorted(parsed) == list(range(10))


def test_trials_that_end_out_of_order_are_read_in_order(tmp_path: Path) -> None:
    def opened() -> Study:
        return create_study(SPACE, storage=f"sqlite:///{tmp_path}/s.db", method="random")

    study, reader = opened(), opened()
    asked = [study.ask() for _ in range(6)]
    for place in (4, 1, 5, 0, 3):
        study.tell(asked[place].number, float(place))
        assert [t.number for t in reader.trials] == sorted(t.number for t in reader.trials)
    reading = reader._ledger.read()
    assert [trial.value for trial in reading.ended] == [0.0, 1.0, 3.0, 4.0, 5.0]
    assert list(reading.pending) == [2]
    assert reading.pending[2] == asked[2].architecture
    assert reader._ledger.evaluated(asked[4].architecture.key)
    assert not reader._ledger.evaluated(asked[2].architecture.key)
