"""What the user believes is good: weights on choices, which fade as results come in.

    worth of a candidate = acquisition * pi^(BETA / n)      (Hvarfner et al. 2022, arXiv 2204.11051)

n results are known. The prior pi is the product of the shares of the options that an architecture
has, each in units of an equal share, so that a choice without weights, and one that is absent,
count as nothing. Its log is divided by the root of the number L of weighed positions: among random
architectures it then varies like that of one choice, however many choices a space has.

Shapes: N architectures, L weighed positions, C options.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property

import numpy as np

from naokit.base import InputError, Weights, unknown_name
from naokit.space import Architecture, Space

BETA = 10.0
"""How many results a prior stands against. With 3 a right one gained half as much at first, with 30
a wrong one cost twice as much (docs/results.md). The paper has a tenth of the budget, on which
nothing here depends."""

LEAST = 0.01
"""An option weighs at least this share of the heaviest one at its position: what was ruled out
wrongly would never be found out."""

COUNTABLE = 50_000
"""The whole of a space of at most this many spellings may be drawn from."""


class Prior:
    """The weights of a space, checked.

    Args:
        space: The space that is searched.
        weights: The weights (see `checked`).
        everything: All architectures of a small space, to draw from them; None for a larger one.
    """

    def __init__(
        self, space: Space, weights: Weights, everything: Sequence[Architecture] | None = None
    ) -> None:
        self.space = space.without_limits
        self.everything = everything
        grammar = space.grammar
        named = checked(space, weights)
        self.places = [place for place, name in enumerate(grammar.names) if name in named]
        self.shares = [
            _shares([named[grammar.names[p]].get(o, 1.0) for o in grammar.named_options[p]])
            for p in self.places
        ]

    def logs(self, architectures: Sequence[Architecture]) -> np.ndarray:
        """The log of the prior of each architecture, (N,); 0 where nothing is believed.

        Of spellings that the grammar knows to be equal the one with the largest prior counts.
        """
        choices = np.array([architecture.choices for architecture in architectures])
        best = self._totals(choices)
        for permutation in (one for group in self.space.grammar.symmetries for one in group):
            respelled = choices[:, permutation]
            totals = self._totals(respelled)
            choices = np.where((totals > best)[:, None], respelled, choices)
            best = np.maximum(totals, best)
        return best

    def weigh(
        self, worth: np.ndarray, architectures: Sequence[Architecture], results: int
    ) -> np.ndarray:
        """The log of what candidates are worth, (N,), the prior included.

        Args:
            worth: What each is worth without it, (N,), 0 or more.
            architectures: The candidates, N of them.
            results: How many results are known, n.
        """
        whole = architectures is self.everything
        logs = self._logs_of_everything if whole else self.logs(architectures)
        with np.errstate(divide="ignore"):
            weighed: np.ndarray = np.log(np.maximum(worth.astype(np.float64), 0))
        weighed += BETA / results * logs
        return weighed

    def sample(self, generator: np.random.Generator) -> Architecture:
        """An architecture drawn from the prior.

        That of a larger space is a random one whose weighed choices are drawn anew, one after
        another, as far as the space allows what comes out.
        """
        if self.everything is not None:
            return self.everything[int(generator.choice(len(self.everything), p=self._chances))]
        choices = self.space.sample(generator).choices
        for number in generator.permutation(len(self.places)):
            place, shares = self.places[number], self.shares[number]
            option = int(generator.choice(len(shares), p=shares))
            changed = (*choices[:place], option, *choices[place + 1 :])
            if self.space.allows(changed):
                choices = changed
        return Architecture(self.space, choices)

    def _totals(self, choices: np.ndarray) -> np.ndarray:
        """The scaled log of the prior of choices, as they are spelled, (N, L) -> (N,)."""
        matters = np.array([self.space.matters(one) for one in choices.tolist()])
        totals = np.zeros(len(choices))
        for place, shares in zip(self.places, self.shares, strict=True):
            totals += np.log(shares * len(shares))[choices[:, place]] * matters[:, place]
        scaled: np.ndarray = totals / math.sqrt(len(self.places))
        return scaled

    @cached_property
    def _logs_of_everything(self) -> np.ndarray:
        """The logs of the whole space, which every suggestion needs."""
        assert self.everything is not None
        return self.logs(self.everything)

    @cached_property
    def _chances(self) -> np.ndarray:
        """How likely each architecture of the whole space is drawn."""
        logs = self._logs_of_everything * math.sqrt(len(self.places))
        likely = np.exp(logs - logs.max())
        chances: np.ndarray = likely / likely.sum()
        return chances


def checked(space: Space, weights: object) -> dict[str, dict[str, float]]:
    """The weights by the names of the space's positions and options.

    Args:
        space: The space that is searched.
        weights: The weight of each option, by name, of each position, by name. An option that is
            not named weighs 1. Numbers may be written in any way (`1e-3` is 0.001).

    Raises:
        InputError: There is no such position or option, or a weight is no number of 0 or more; the
            message has the nearest names.
    """
    options = dict(zip(space.grammar.names, space.grammar.named_options, strict=True))
    given = _filled(weights, "it holds no weights; expected {choice: {option: weight}}")
    return {str(name): _checked_position(str(name), options, w) for name, w in given.items()}


def _filled(given: object, message: str) -> Mapping[object, object]:
    """What is given, a mapping that is not empty; raises InputError with the message."""
    if not isinstance(given, Mapping) or not given:
        raise InputError(f"`prior`: {message}")
    return given


def _checked_position(
    name: str, options: Mapping[str, Sequence[str]], given: object
) -> dict[str, float]:
    """The weights of one position by the names of its options; raises InputError."""
    if name not in options:
        raise InputError(f"`prior`: {unknown_name('choice', name, options)}")
    weights = _filled(given, f"{name} has no weights; expected {{option: weight}}")
    found: dict[str, float] = {}
    for written, weight in weights.items():
        option = _option(name, options[name], str(written))
        if option in found:
            raise InputError(f"`prior`: {name} has two weights of {option}; give one")
        found[option] = _number(name, option, weight)
    if not any(found.get(option, 1.0) for option in options[name]):
        raise InputError(f"`prior`: every option of {name} weighs 0; leave {name} out, or give one")
    return found


def _number(name: str, option: str, weight: object) -> float:
    """A weight, checked."""
    if (
        not isinstance(weight, int | float)
        or isinstance(weight, bool)
        or not 0 <= weight <= sys.float_info.max
    ):
        raise InputError(
            f"`prior`: {name} has the weight {weight!r} of {option}; expected a number of 0 or "
            "more, where 1 is that of an option that is not named"
        )
    return float(weight)


def _option(name: str, options: Sequence[str], written: str) -> str:
    """The name of an option, which may be a number that is written in another way."""
    if written in options:
        return written
    for option in options:
        with suppress(ValueError):
            if float(option) == float(written):
                return option
    raise InputError(f"`prior`: {unknown_name(f'option of {name}', written, options)}")


def _shares(weights: Sequence[float]) -> np.ndarray:
    """The share of each option of a position, (C,)."""
    bounded = np.maximum(np.array(weights) / max(weights), LEAST)
    shares: np.ndarray = bounded / bounded.sum()
    return shares
