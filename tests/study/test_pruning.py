"""Who stops evaluations early: ASHA's rule, and Optuna's pruners as Optuna itself uses them."""

import optuna
import pytest
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, SuccessiveHalvingPruner
from optuna.trial import TrialState

from naokit.base import Curve, InputError
from naokit.study.pruning import PRUNERS, Asha, FromOptuna, Seen, pruner_of


def _upto(curve: Curve, epoch: int) -> Curve:
    return {number: value for number, value in curve.items() if number <= epoch}


def _seen(*values: float, whole: bool = False) -> Seen:
    return Seen(dict(enumerate(values, 1)), whole)


def test_asha_looks_after_one_three_and_nine_epochs() -> None:
    better = [_seen(*[9.0] * 12, whole=True) for _ in range(3)]
    mine: dict[int, float] = {}
    stops = []
    for epoch in range(1, 13):
        mine[epoch] = 1.0
        stops.append(Asha().stops(mine, better))
    assert [epoch for epoch, stop in enumerate(stops, 1) if stop] == [1, 3, 9]


@pytest.mark.parametrize(("others", "stops"), [(0, False), (1, True), (4, True), (5, False)])
def test_one_of_three_goes_on(others: int, stops: bool) -> None:
    """The second best of all that came as far: of six two go on, of five one does."""
    ended = [_seen(2.0), *[_seen(0.0)] * (others - 1)] if others else []
    assert Asha().stops({1: 1.0}, ended) is stops


def test_the_first_goes_on_and_equal_ones_do() -> None:
    assert not Asha().stops({1: 1.0}, [])
    assert not Asha().stops({1: 1.0}, [_seen(1.0)] * 9)


def test_what_counts_is_the_best_so_far() -> None:
    assert not Asha().stops({1: 5.0, 2: 1.0, 3: 1.0}, [_seen(1.0, 1.0, 4.0)] * 5)


def test_curves_that_are_not_reported_every_epoch_are_looked_at_when_they_pass() -> None:
    ended = [Seen({2: 9.0, 5: 9.0}, True)] * 3
    assert Asha().stops({2: 1.0}, ended)
    assert Asha().stops({2: 10.0, 5: 10.0}, [Seen({2: 11.0, 5: 11.0}, True)])
    assert not Asha().stops({2: 1.0, 4: 1.0, 6: 1.0, 7: 1.0}, ended)  # past 3, not yet at 9


def test_those_that_run_count_as_well() -> None:
    assert Asha().stops({1: 1.0}, [], [{1: 2.0}])
    assert not Asha().stops({1: 1.0}, [], [{1: 0.5}])


def test_what_was_stopped_goes_on_once_it_is_in_the_best_third() -> None:
    ended = [_seen(3.0, 3.0, 3.0, whole=True), _seen(2.0), *[_seen(1.0)] * 3]
    assert not any(Asha().resumes(ended))
    assert Asha().resumes([*ended, _seen(1.0)]) == [False, True, *[False] * 4]


def test_what_was_stopped_later_is_compared_with_those_that_came_as_far() -> None:
    ended = [_seen(1.0, 1.0, 5.0, whole=True), *[_seen(1.0, 1.0, value) for value in (4, 3, 2, 1)]]
    assert not any(Asha().resumes([*ended, *[_seen(0.0)] * 9]))
    later = [*ended, _seen(1.0, 1.0, 0.0)]
    assert Asha().resumes(later) == [False, True, *[False] * 4]


@pytest.mark.parametrize(
    "pruner", [MedianPruner(1), SuccessiveHalvingPruner(), HyperbandPruner(1, 9)]
)
def test_a_pruner_of_optunas_stops_where_it_does_in_a_study_of_optunas(pruner: BasePruner) -> None:
    curves = [{e: (n * 7 % 11) + e * (n % 3) for e in range(1, 10)} for n in range(14)]
    study = optuna.create_study(direction="maximize", pruner=pruner, study_name="replayed")
    wanted, found, ended = [], [], list[Seen]()
    ours = FromOptuna(pruner)
    for curve in curves:
        wanted.append(_stopped_in(study, curve))
        mine: dict[int, float] = {}
        stopped = 0
        for epoch, value in curve.items():
            mine[epoch] = float(value)
            if ours.stops(mine, ended):
                stopped = epoch
                break
        found.append(stopped)
        ended.append(Seen(dict(mine), not stopped))
    assert found == wanted
    assert any(wanted)


def _stopped_in(study: optuna.Study, curve: Curve) -> int:
    """The epoch at which a study of Optuna's prunes; 0 if it does not."""
    trial = study.ask()
    for epoch, value in curve.items():
        trial.report(value, epoch)
        if trial.should_prune():
            study.tell(trial, state=TrialState.PRUNED)
            return epoch
    study.tell(trial, max(curve.values()))
    return 0


def test_pruners_by_name_and_of_others() -> None:
    assert all(pruner_of(name) for name in PRUNERS)
    assert isinstance(pruner_of(MedianPruner()), FromOptuna)
    own = Asha(2, 4)
    assert pruner_of(own) is own
    with pytest.raises(InputError, match="there is no pruner 'ahsa'; did you mean asha"):
        pruner_of("ahsa")
    with pytest.raises(InputError, match="`pruner` is 3; expected one of asha"):
        pruner_of(3)  # type: ignore[arg-type]
