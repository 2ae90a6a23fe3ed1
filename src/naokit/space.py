"""What may be searched: a space and its architectures. Nothing here needs torch.

Space          grammar, spelling, graphs, building
Architecture   one point of a space: immutable, hashable, readable
"""

from __future__ import annotations

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np

from naokit.base import InputError, Json, unexpected
from naokit.grammar import Grammar
from naokit.graphs import Graph, digest
from naokit.settings import NetworkSettings
from naokit.wording import one_line

if TYPE_CHECKING:  # torch's type alone: this module imports no torch at run time
    from torch import nn


@dataclass(frozen=True)
class Architecture:
    """One architecture of a space. Two of them are equal if space and choices are.

    Two spellings of one computation are different architectures with the same `key`, as far as
    their graphs tell (`naokit.graphs`).
    """

    space: Space
    choices: tuple[int, ...]

    @cached_property
    def key(self) -> str:
        """The name that architectures of the same canonical graphs share in their space."""
        return self.space.key(self.choices)

    @property
    def graphs(self) -> tuple[Graph, ...]:
        """What the architecture computes, one labelled graph for each part."""
        return self.space.graphs(self.choices)

    def __str__(self) -> str:
        return self.space.spell(self.choices)

    def __repr__(self) -> str:
        return one_line(f"<{self.space.name}: {self}>")

    def _repr_svg_(self) -> str:
        """The picture that notebooks show."""
        from naokit.drawing import svg  # needed only to look at an architecture

        return svg(self.graphs, title=repr(self), positions=self.space.grammar.names)


def taken_over(architecture: Architecture, space: Space) -> Architecture | None:
    """The architecture of the same text in another space; None if it computes something else there.

    Raises:
        InputError: The space has no such text.
    """
    found = space.parse(str(architecture))
    return found if digest(found.graphs) == digest(architecture.graphs) else None


def check_architecture(value: object) -> None:
    """Raises InputError for what is no architecture."""
    if not isinstance(value, Architecture):
        expected = "an architecture; `space.parse(text)` reads one"
        raise unexpected("architecture", value, expected)


class Suggests(Protocol):
    """The part of an Optuna trial that a space uses to let a sampler choose."""

    def suggest_categorical(self, name: str, choices: Sequence[int]) -> int:
        """One of the choices."""


class Space(ABC):
    """A set of architectures. Promises are tested by `naokit.testing.SpaceContract`.

    A space is immutable and hashable (a frozen dataclass). `grammar` bounds the choices, and every
    sequence within it is a valid architecture; `spell` and `read` are inverse to each other;
    `graphs` says what is computed; `build` makes the network.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """The name that the command line knows the space by."""

    @property
    @abstractmethod
    def grammar(self) -> Grammar:
        """The choices of the space."""

    @abstractmethod
    def spell(self, choices: Sequence[int]) -> str:
        """The official text of these choices."""

    @abstractmethod
    def read(self, text: str) -> tuple[int, ...]:
        """The choices that an official text spells.

        Raises:
            InputError: A position is wrong; the message says which, and what was expected there.
        """

    @abstractmethod
    def graphs(self, choices: Sequence[int]) -> tuple[Graph, ...]:
        """What these choices compute, before any reduction (see `naokit.graphs`)."""

    def numbers(self, choices: Sequence[int]) -> Sequence[float]:
        """Numeric features in [0, 1] that the graphs do not carry.

        Their number is the same for every architecture of the space. A width of 16, 64 or 256 is
        more than three labels: near values have near numbers.
        """
        del choices
        return ()

    def matters(self, choices: Sequence[int]) -> Sequence[bool]:
        """Whether each choice alters anything, given the others; one that does not is absent."""
        return [True] * len(choices)

    def describe(self, choices: Sequence[int]) -> str:
        """The architecture as lines of text for people."""
        names = self.grammar.names
        return "\n".join(
            one_line(f"{name}: {choice}") for name, choice in zip(names, choices, strict=True)
        )

    def key(self, choices: Sequence[int]) -> str:
        """A name that the choices share with all others that compute the same."""
        return digest(self.graphs(choices))

    def class_of(self, choices: Sequence[int]) -> str:
        """What a table calls choices that compute the same: `key`, or a name that is made faster.

        A table of half a million rows is read in seconds only if a name takes microseconds.
        """
        return self.key(choices)

    def allows(self, choices: Sequence[int]) -> bool:
        """Whether these choices may be evaluated; methods propose only such choices."""
        del choices
        return True

    @abstractmethod
    def settings(self) -> Mapping[str, Json]:
        """What recreates this space: `naokit.spaces.from_settings(space.settings()) == space`."""

    def build(self, architecture: Architecture, settings: NetworkSettings) -> nn.Module:
        """The network of an architecture.

        Raises:
            InputError: The space has no networks, or the settings do not fit.
        """
        raise self.no_network()

    def build_shared(self, settings: NetworkSettings) -> nn.Module:
        """One network that holds every network of the space: weight sharing.

        `shared(inputs, ..., space.plan(architecture))` is what the architecture computes with the
        shared weights, and `shared.network(plan)` is that network by itself.

        Raises:
            InputError: The space has no shared network, or the settings do not fit.
        """
        del settings
        raise InputError(
            f"the space {self.name} has no shared network; conv-small, conv-large, nasnet, "
            "recurrent and nas-bench-201 have one, and cells of your own operations"
        )

    def plan(self, architecture: Architecture) -> object:
        """What a shared network of the space is told to run as an architecture."""
        return architecture.choices

    def no_network(self) -> InputError:
        """The error for asking a space without networks for one."""
        return InputError(
            f"the space {self.name} has no network to build: it is searched on known results; "
            "give a `table` or a function as evaluator"
        )

    @property
    def without_limits(self) -> Space:
        """The space without its limits; a sample of it needs no check."""
        return self

    @property
    def reads(self) -> str:
        """What the networks of the space read."""
        return "images"

    @property
    def has_networks(self) -> bool:
        """Whether `build` makes a network."""
        return type(self).build is not Space.build

    @property
    def same_cost(self) -> bool:
        """Whether all networks have as many parameters and multiply-accumulates as one of them."""
        return False

    @property
    def size(self) -> int:
        """The number of spellings."""
        return math.prod(self.grammar.counts)

    def parse(self, text: str) -> Architecture:
        """The architecture that an official text spells; raises InputError as `read` does."""
        return self.architecture(self.read(text))

    def architecture(self, choices: Sequence[int]) -> Architecture:
        """The architecture of these choices, which are checked.

        Raises:
            InputError: The number of choices is wrong, or one is out of range; the message says
                which, and what is allowed.
        """
        grammar = self.grammar
        if len(choices) != grammar.length:
            raise InputError(
                f"an architecture of {self.name} has {grammar.length} choices, not {len(choices)}"
            )
        for name, choice, count in zip(grammar.names, choices, grammar.counts, strict=True):
            if not 0 <= choice < count:
                raise InputError(f"{name} is choice {choice}; {self.name} has 0 to {count - 1}")
        return Architecture(self, tuple(int(choice) for choice in choices))

    def everything(self, limit: int) -> list[Architecture] | None:
        """Every architecture once; None if there are more than `limit` spellings.

        A space that is a list of its architectures anyway gives all of them whatever the limit.
        """
        if self.size > limit:
            return None
        found: dict[str, Architecture] = {}
        for choices in itertools.product(*map(range, self.grammar.counts)):
            architecture = Architecture(self, choices)
            found.setdefault(architecture.key, architecture)
        return list(found.values())

    def sample(self, generator: np.random.Generator) -> Architecture:
        """A random architecture; every choice is uniform (docs/specification.md, section 1.5)."""
        counts = np.asarray(self.grammar.counts)
        return Architecture(self, tuple(generator.integers(0, counts).tolist()))

    def suggest(self, trial: Suggests) -> Architecture:
        """The architecture that a sampler of Optuna proposes; each position is one parameter."""
        grammar = self.grammar
        return self.architecture(
            [
                trial.suggest_categorical(name, range(count))
                for name, count in zip(grammar.names, grammar.counts, strict=True)
            ]
        )

    def mutate(self, architecture: Architecture, generator: np.random.Generator) -> Architecture:
        """The architecture with one choice changed to another value."""
        counts = self.grammar.counts
        free = [position for position, count in enumerate(counts) if count > 1]
        position = free[int(generator.integers(len(free)))]
        step = int(generator.integers(1, counts[position]))
        choices = list(architecture.choices)
        choices[position] = (choices[position] + step) % counts[position]
        return Architecture(self, tuple(choices))

    def neighbours(self, architecture: Architecture) -> Iterator[Architecture]:
        """Every architecture with one choice changed, position by position."""
        for position, count in enumerate(self.grammar.counts):
            for choice in range(count):
                if choice != architecture.choices[position]:
                    choices = list(architecture.choices)
                    choices[position] = choice
                    yield Architecture(self, tuple(choices))
