"""What results are worth, and how far they are within constraints."""

import math
from itertools import product

import numpy as np
from optuna.study import StudyDirection
from optuna.trial import TrialState, create_trial

from naokit.method.surrogate import rank_gauss
from naokit.optuna_sampler.results import slacks, targets, with_distances


def trial(state=TrialState.COMPLETE, value=None, reported=None, attributes=None):
    return create_trial(
        state=state,
        values=value,
        intermediate_values=reported or {},
        system_attrs=attributes or {},
    )


def test_results_stand_in_order() -> None:
    pruned = TrialState.PRUNED
    worst_first = [
        trial(pruned),
        trial(pruned, reported={1: math.nan}),
        trial(pruned, reported={1: -1.0}),
        trial(pruned, reported={2: 0.0}),
        trial(value=[math.inf]),
        trial(value=[5.0], attributes={"constraints": [1.0]}),
        trial(value=[1.0]),
    ]
    found = targets(worst_first, [StudyDirection.MINIMIZE], np.random.default_rng(0))
    assert sorted(found) == found.tolist()
    assert len(set(found)) == len(worst_first)


def test_differences_count_among_the_better_half() -> None:
    merits = np.array([-900.0, -30.0, -2.0, -1.0, 0.0, 0.01])
    quantiles = rank_gauss(merits)
    warped = with_distances(quantiles, merits)
    assert (warped[:3] == quantiles[:3]).all()
    assert sorted(warped) == warped.tolist()
    assert warped[5] - warped[4] < 0.05 * (warped[4] - warped[3])
    infinite = np.array([-math.inf, -math.inf, -math.inf, 0.0])
    assert (with_distances(rank_gauss(infinite), infinite) == rank_gauss(infinite)).all()


def test_the_best_in_every_objective_stands_first() -> None:
    trials = [trial(value=[a, b]) for a, b in product([0.0, 1.0, 2.0], repeat=2)]
    directions = [StudyDirection.MINIMIZE, StudyDirection.MAXIMIZE]
    for seed in range(20):
        found = targets(trials, directions, np.random.default_rng(seed))
        assert trials[found.argmax()].values == [0.0, 2.0]


def test_constraints_of_both_kinds_are_read() -> None:
    trials = [
        trial(value=[0.0], attributes={"constraints": [1.5, -0.5]}),
        trial(value=[0.0], attributes={"constraints:a": 2.0}),
        trial(value=[0.0]),
    ]
    found = slacks(trials)
    assert sorted(found[0]) == [-1.5, 0.5, math.inf]
    assert sorted(found[1]) == [-2.0, math.inf, math.inf]
    assert (found[2] == math.inf).all()
    assert slacks(trials[2:]).shape == (1, 0)
