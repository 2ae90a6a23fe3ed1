"""The descriptors of a study: those that its trials hold, and those that were measured since.

A trial holds what was measured for the proposal that it is of, so that a search that is resumed
measures nothing twice and proposes the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import optuna

from naokit.base import Json
from naokit.doors import Descriptors, Evaluator
from naokit.space import Architecture
from naokit.study.ledger import Ledger, described_in

# Beneath Optuna's own logger, so that `optuna.logging.set_verbosity` governs it.
_logger = optuna.logging.get_logger("optuna.naokit")


class Described(Descriptors):
    """The descriptors of architectures, each measured once.

    Args:
        ledger: The ledger of the study.
        evaluator: What measures them.
    """

    def __init__(self, ledger: Ledger, evaluator: Evaluator) -> None:
        self._ledger, self._evaluator = ledger, evaluator
        self._found: dict[str, tuple[Architecture, dict[str, float]]] = {}
        self._stored: set[tuple[int, ...]] = set()
        self._warned = False

    @property
    def share(self) -> float:
        """What the descriptors of one architecture cost as a share of one evaluation."""
        return self._evaluator.descriptor_share

    def read(self) -> None:
        """Takes over what the trials hold, those of other processes among them."""
        rows = [row for trial in self._ledger.stored.trials() for row in described_in(trial)]
        for row in rows:
            choices = tuple(row["choices"])
            if choices not in self._stored:
                architecture = self._ledger.space.architecture(choices)
                self._found.setdefault(architecture.key, (architecture, row["values"]))
        self._stored = {tuple(row["choices"]) for row in rows}

    def unstored(self) -> list[Json]:
        """What no trial held when they were last read."""
        return [
            {"choices": list(architecture.choices), "values": values}
            for architecture, values in self._found.values()
            if architecture.choices not in self._stored
        ]

    def known(self) -> list[Architecture]:
        """The architectures whose descriptors are measured, in the order of their keys."""
        return [self._found[key][0] for key in sorted(self._found)]

    def __call__(self, architectures: Sequence[Architecture]) -> np.ndarray:
        """The descriptors (N, d), measured where they are not known yet."""
        names = self._evaluator.descriptor_names
        rows = [self._of(architecture) for architecture in architectures]
        table = [[row.get(name, math.nan) for name in names] for row in rows]
        return np.array(table, dtype=float).reshape(len(rows), len(names))

    def _of(self, architecture: Architecture) -> dict[str, float]:
        if architecture.key not in self._found:
            inside = self._ledger.space.architecture(architecture.choices)
            self._found[architecture.key] = (inside, self._measured(inside))
        return self._found[architecture.key][1]

    def _measured(self, architecture: Architecture) -> dict[str, float]:
        """The finite descriptors of an architecture; the first ones that lack are remarked on."""
        names = self._evaluator.descriptor_names
        values, why = {}, "not finite"
        try:
            measured = self._evaluator.descriptors(architecture)
            values = {name: float(measured[name]) for name in names if name in measured}
        except Exception as error:  # noqa: BLE001  # a search goes on without a descriptor
            why = f"{type(error).__name__}: {error}"
        finite = {name: value for name, value in values.items() if math.isfinite(value)}
        if len(finite) < len(names) and not self._warned:
            self._warned = True
            missing = ", ".join(name for name in names if name not in finite)
            _logger.warning(
                f"{architecture} has no {missing} ({why}); it is judged without, and so are others "
                "of which this is not said again"
            )
        return finite
