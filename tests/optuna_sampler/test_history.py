"""The trials of a study as rows."""

import optuna
from optuna.distributions import IntDistribution
from optuna.trial import create_trial

from naokit.optuna_sampler.history import History
from naokit.optuna_sampler.parameters import ParameterSpace, union


def test_one_that_ended_early_and_complete_does_not_either() -> None:
    def told(**params: int) -> optuna.trial.FrozenTrial:
        distributions = {name: IntDistribution(0, 3) for name in params}
        return create_trial(params=params, distributions=distributions, value=0.0)

    trials = [told(a=1, b=0), told(a=1), told(a=1), told(a=2)]
    space = ParameterSpace(union(trials))
    row, other = space.encode([{"a": 1, "b": 3}, {"a": 2, "b": 3}])
    assert History(space, trials).is_new(row)
    assert not History(space, trials).is_new(other), "a = 2 asks for no b"
