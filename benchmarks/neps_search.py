"""NePS's Bayesian optimisation on tables of known results, in an environment of its own.

    python -m venv NEPS && NEPS/bin/pip install neural-pipeline-search==0.17.0 optuna typer \\
        filelock psutil jaxtyping scikit-learn pydantic lightning-fabric
    NEPS/bin/pip install --no-deps .    # the versions that naokit asks for conflict with NePS's
    OMP_NUM_THREADS=1 NEPS/bin/python -m benchmarks.neps_search TABLES TASK ...

NePS (neural-pipeline-search 0.17.0, https://github.com/automl/neps) brings packages that naokit has
no use for. Runs are kept with those of `benchmarks.optimiser`, which reports them as `neps-bo`.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import neps
import numpy as np
import torch

from benchmarks.optimiser import evaluations_of, seeds_of
from benchmarks.tables import OUT, benchmarks, converted
from naokit import method as methods
from naokit.base import derive_seed
from naokit.bench import Search, bench
from naokit.doors import Method, Observation, Proposal
from naokit.method.baselines import RandomStream, keys_of
from naokit.space import Architecture, Space
from naokit.spaces import Choices
from naokit.spaces.table import TableSpace

NAME = "neps-bo"

REPEATS = 3
"""How often in a row NePS may ask for what is known, before a random architecture is evaluated."""


class NepsMethod(Method):
    """NePS's Bayesian optimisation at its defaults, its first random proposals included.

    Each choice of ordered numbers is an integer, every other one a category. If NePS asks for what
    is known, it is told the value again, for this proposal alone. Pending evaluations are only not
    proposed again.
    """

    def __init__(self, space: Space, seed: int, evaluations: int) -> None:
        del evaluations
        self.space = space
        self.seed = seed
        self.names = space.grammar.names
        parameters = zip(self.names, space.grammar.counts, ordered(space), strict=True)
        self.parameters: Any = neps.SearchSpace(
            {
                name: neps.HPOInteger(0, count - 1)
                if numbers
                else neps.HPOCategorical(list(range(count)))
                for name, count, numbers in parameters
            }
        )

    def propose(
        self, history: Sequence[Observation], pending: Sequence[Architecture] = ()
    ) -> Proposal:
        """The first suggestion that is new."""
        optimiser = neps.AskAndTell(neps.algorithms.bayesian_optimization(self.parameters))
        for number, trial in enumerate(history, 1):
            config = dict(zip(self.names, trial.architecture.choices, strict=True))
            optimiser.tell_custom(config_id=str(number), config=config, result=loss_of(trial.known))
        known = {trial.architecture.key: trial.known for trial in history}
        seen = keys_of(history, pending)
        seed_everything(derive_seed(self.seed, "neps", len(seen)))
        for _ in range(REPEATS):
            asked: Any = optimiser.ask()
            architecture = self.space.architecture([int(asked.config[name]) for name in self.names])
            if architecture.key not in seen and self.space.allows(architecture.choices):
                return Proposal(architecture, "neps")
            optimiser.tell(asked, loss_of(known.get(architecture.key)))
        return Proposal(RandomStream(self.space, len(seen)).next(seen), "random")


def ordered(space: Space) -> list[bool]:
    """Whether the values of each choice are numbers in order."""
    beneath = space.space if isinstance(space, TableSpace) else space
    if isinstance(beneath, Choices):
        return [choice.ordered for choice in beneath.choices]
    return [False] * space.grammar.length


def loss_of(value: float | None) -> float | Exception:
    """What NePS is told: methods see values of which more is better, NePS minimises."""
    return ValueError("failed") if value is None else -value


def seed_everything(seed: int) -> None:
    """Sets the global generators, which are the only ones that NePS knows."""
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002
    torch.manual_seed(seed)


def main() -> None:
    """Measures NePS on the named tables."""
    methods.METHODS = {**methods.METHODS, NAME: NepsMethod}  # known in this process alone
    known = benchmarks(Path(sys.argv[1]).resolve())
    for name in sys.argv[2:]:
        bench(
            converted(name, known[name]).table,
            [NAME],
            seeds=seeds_of(name, NAME),
            evaluations=evaluations_of(name, NAME, known[name]),
            out=OUT / name,
            on_search=report,
        )


def report(found: Search) -> None:
    """Prints what a search took."""
    print(found.method, found.seed, len(found.values), f"{found.seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
