"""Methods of one's own and Optuna's samplers in a study."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import optuna
import pytest
from tests.study.shared_studies import SPACE, score, study_of

from naokit.base import InputError
from naokit.doors import Method, Observation, Proposal
from naokit.method.baselines import RandomSearch
from naokit.space import Architecture
from naokit.spaces import Choice, Choices
from naokit.study import create_study
from naokit.study.ledger import ARCHITECTURE, record_of
from naokit.study.origins import KNOWN
from naokit.study.proposing import AnyMethod


class Constant(Method):
    """Proposes every architecture in order, from the first."""

    def propose(
        self, history: Sequence[Observation], pending: Sequence[Architecture] = ()
    ) -> Proposal:
        return Proposal(SPACE.architecture((len(history) % 2, *[0] * 7)), "mine")


@pytest.mark.parametrize(
    ("method", "name"),
    [
        (Constant(), "Constant"),
        (RandomSearch, "RandomSearch"),
        (lambda space, seed, evaluations: RandomSearch(space, seed, evaluations), "<lambda>"),
        (optuna.samplers.TPESampler(seed=0), "TPESampler"),
    ],
    ids=["method", "class", "function", "sampler"],
)
def test_a_method_of_ones_own_proposes(tmp_path: Path, method: AnyMethod, name: str) -> None:
    """And the study, continued with it, goes on."""
    for evaluations in (1, 2):
        study = study_of(tmp_path, method=method)
        study.optimize(score, evaluations)
        assert study.settings["method"] == name
        assert len({trial.architecture.key for trial in study.trials}) == evaluations


def test_a_study_whose_samplers_composed_its_trials_goes_on(tmp_path: Path) -> None:
    """Earlier versions kept their parameters, and a trial for each known one asked for again."""
    study_of(tmp_path, method="tpe").optimize(score, 3)
    with_parameters = study_of(tmp_path, method="tpe")
    for origin in ("TPESampler", KNOWN):
        architecture = SPACE.sample(np.random.default_rng(7))
        parameters = dict(zip(SPACE.grammar.names, architecture.choices, strict=True))
        with_parameters.optuna.add_trial(
            optuna.trial.create_trial(
                value=0.5,
                params=parameters,
                distributions={
                    name: optuna.distributions.CategoricalDistribution(range(count))
                    for name, count in zip(SPACE.grammar.names, SPACE.grammar.counts, strict=True)
                },
                user_attrs={ARCHITECTURE: record_of(architecture, origin)},
            )
        )
    study = study_of(tmp_path, method="tpe")
    study.optimize(score, 6)
    assert study.evaluations == len({trial.architecture.key for trial in study.trials}) == 6
    assert len(study.optuna.trials) == 7


def test_what_is_no_method_is_refused() -> None:
    with pytest.raises(InputError, match="`method` is 5; expected a name"):
        create_study(SPACE, method=5)


@pytest.mark.parametrize("method", ["tpe", "gp", "nsga2"])
def test_optunas_samplers_may_ask_again_for_what_failed_or_runs(method: str) -> None:
    """Nine architectures, three of which fail, three at a time: each is asked for once."""
    space = Choices("s", (Choice("a", (0, 1, 2)), Choice("b", (0, 1, 2))))
    study = create_study(space, method=method)
    keys = []
    for _ in range(3):
        batch = [study.ask() for _ in range(3)]
        for asked in batch:
            keys.append(asked.architecture.key)
            a, b = asked.architecture.choices
            study.tell(asked.number, None if a == 1 else float(a + b))
    assert len(set(keys)) == study.evaluations == 9
