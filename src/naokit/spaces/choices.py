"""A named list of choices with conditions, for anything that is not a cell.

    Choices("mlp", (
        Choice("layers", (1, 2, 3)),
        Choice("width", (16, 64, 256)),
        Choice("dropout", (0.1, 0.5), when=("width", (64, 256))),
    ))

A choice whose condition does not hold is absent: its value alters nothing, not even the key.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING

from naokit.base import InputError, Json, unexpected
from naokit.grammar import Grammar
from naokit.graphs import Graph
from naokit.settings import NetworkSettings
from naokit.space import Architecture, Space, Suggests
from naokit.wording import one_line

if TYPE_CHECKING:
    from torch import nn

Value = str | int | float | bool
ABSENT = "none"
"""How the value None is written: the choice does not apply."""

_NUMBER = re.compile(r"\s*[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?\s*")


@dataclass(frozen=True)
class Choice:
    """One decision.

    Attributes:
        name: The name of the choice, without spaces, commas and equals signs.
        values: The values to choose from. None as a value means that the choice is absent, as if a
            condition did not hold.
        when: The condition of the choice: the name of an earlier choice, and the values of that one
            for which this one matters. If None, it always matters.
    """

    name: str
    values: tuple[Value | None, ...]
    when: tuple[str, tuple[Value | None, ...]] | None = None

    def __post_init__(self) -> None:
        values: object = self.values
        if isinstance(values, str):
            raise unexpected("values", values, "several values, such as ('relu', 'gelu')")
        # Lists are taken too; what is kept can be compared and hashed.
        object.__setattr__(self, "values", tuple(self.values))
        if self.when is not None:
            parent, those = self.when
            object.__setattr__(self, "when", (parent, tuple(those)))

    @property
    def ordered(self) -> bool:
        """Whether the values other than None are more than two numbers in ascending order."""
        return 2 < len(self.numbers) == len(self.present) and self.numbers == sorted(self.numbers)

    @property
    def present(self) -> list[Value]:
        """The values other than None."""
        return [value for value in self.values if value is not None]

    @property
    def numbers(self) -> list[float]:
        """The values that are numbers."""
        return [value for value in self.values if isinstance(value, int | float)]

    @property
    def words(self) -> list[str]:
        """The values as they are written."""
        return [ABSENT if value is None else str(value) for value in self.values]


@dataclass(frozen=True)
class Choices(Space):
    """A list of categorical choices.

    Attributes:
        label: The name of the space.
        choices: The decisions; a condition names an earlier one.
        network: A function (values by name, settings) -> network, if there is a network to train.
        data: What the networks read, "images" or "text".
        source: The place that the space was loaded from (`file.py:NAME` or `package.module:NAME`).
        note: A sentence about the networks, for `naokit show` and model cards.
    """

    label: str
    choices: tuple[Choice, ...]
    network: Callable[[Mapping[str, Value], NetworkSettings], nn.Module] | None = None
    data: str = "images"
    source: str = field(default="", compare=False)
    note: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "choices", tuple(self.choices))
        earlier: dict[str, Choice] = {}
        for choice in self.choices:
            self._check(choice, earlier)
            earlier[choice.name] = choice
        if not earlier:
            raise InputError(f"the space {self.label} has no choices")

    def _check(self, choice: Choice, earlier: Mapping[str, Choice]) -> None:
        spelled = choice.words
        if choice.name in earlier or not spelled or len(set(spelled)) != len(spelled):
            raise InputError(f"{choice.name} needs a new name and different values, at least one")
        if any(c.isspace() or c in ",=" for text in (choice.name, *spelled) for c in text):
            raise InputError(f"{choice.name}: no spaces, commas or equals signs in names or values")
        if choice.when is None:
            return
        parent, values = choice.when
        if parent not in earlier or not set(values) <= set(earlier[parent].values):
            raise InputError(
                f"the condition of {choice.name} needs an earlier choice and values that it has; "
                f"got {parent} in {values}"
            )

    @property
    def name(self) -> str:
        """The name of the space."""
        return self.label

    @property
    def reads(self) -> str:
        """What the networks read, as `data` says."""
        return self.data

    @cached_property
    def grammar(self) -> Grammar:
        """One position a choice, each with tokens of its own."""
        counts = tuple(len(choice.values) for choice in self.choices)
        first_tokens = tuple(accumulate(counts[:-1], initial=1))
        names = tuple(choice.name for choice in self.choices)
        options = tuple(tuple(choice.words) for choice in self.choices)
        return Grammar(names, counts, first_tokens, options=options)

    def values(self, choices: Sequence[int]) -> dict[str, Value]:
        """The chosen values by name, without absent choices."""
        chosen: dict[str, Value] = {}
        for choice, index in zip(self.choices, choices, strict=True):
            value = choice.values[index]
            active = choice.when is None or chosen.get(choice.when[0]) in choice.when[1]
            if active and value is not None:
                chosen[choice.name] = value
        return chosen

    def matters(self, choices: Sequence[int]) -> Sequence[bool]:
        """Whether the condition of each choice holds."""
        chosen = self.values(choices)
        return [c.when is None or chosen.get(c.when[0]) in c.when[1] for c in self.choices]

    def spell(self, choices: Sequence[int]) -> str:
        """`name=value` of every choice, absent ones included so that reading gives it back."""
        return " ".join(
            f"{choice.name}={choice.words[index]}"
            for choice, index in zip(self.choices, choices, strict=True)
        )

    def read(self, text: str) -> tuple[int, ...]:
        """The choices of `name=value` words in any order; absent ones may be left out."""
        words: dict[str, str] = {}
        for word in text.replace(",", " ").split():
            name, equals, value = word.partition("=")
            if not equals:
                names = ", ".join(self.grammar.names)
                raise InputError(f"{self.name}: {word!r} is no NAME=VALUE; its names are {names}")
            if name in words:
                raise InputError(f"{self.name}: {name} is given twice in {text!r}")
            words[name] = value
        self.check_names(words)
        indices = self.of_texts(words)
        missing = self.values(indices).keys() - words.keys()
        if missing:
            raise InputError(f"{self.name}: {min(missing)} has no value in {text!r}")
        return indices

    def check_names(self, names: Iterable[str]) -> None:
        """Raises InputError if one of the names is not the name of a choice."""
        if unknown := [name for name in names if name not in self.grammar.names]:
            raise InputError(
                f"{self.name} has no choice {unknown[0]!r}; it has {', '.join(self.grammar.names)}"
            )

    def of_texts(self, texts: Mapping[str, str]) -> tuple[int, ...]:
        """The choices of values written as texts, by name; the first value if there is no text."""
        return tuple(self._index(choice, texts.get(choice.name)) for choice in self.choices)

    @staticmethod
    def _index(choice: Choice, word: str | None) -> int:
        spelled = choice.words
        if word is None:
            return 0
        if word in spelled:
            return spelled.index(word)
        if (number := plain_number(word)) in choice.values:  # 1e-3 is 0.001
            return choice.values.index(number)
        raise InputError(f"{choice.name} is {word}; expected one of {', '.join(spelled)}")

    def numbers(self, choices: Sequence[int]) -> Sequence[float]:
        """The position of each number among the values of its choice; 0.5 for an absent choice."""
        chosen = self.values(choices)
        return [
            places[chosen[name]] if name in chosen else 0.5 for name, places in self._places.items()
        ]

    @cached_property
    def _places(self) -> dict[str, dict[Value, float]]:
        """The position in [0, 1] of each value of an ordered choice.

        It is kept because it is needed thousands of times in each suggestion.
        """
        return {
            choice.name: {
                value: place / (len(choice.present) - 1)
                for place, value in reversed(
                    list(enumerate(choice.present))
                )  # 1 is True: the first
            }
            for choice in self.choices
            if choice.ordered
        }

    def describe(self, choices: Sequence[int]) -> str:
        """The chosen values, without absent choices, and the note."""
        lines = [one_line(f"{name}: {value}") for name, value in self.values(choices).items()]
        return "\n".join([*lines, self.note] if self.note else lines)

    def graphs(self, choices: Sequence[int]) -> tuple[Graph, ...]:
        """One graph, a star with a vertex for each choice that is present."""
        labels = [f"{name}={value}" for name, value in self.values(choices).items()]
        output = len(labels) + 1
        edges = [e for place in range(1, output) for e in ((0, place), (place, output))]
        return (Graph.of(["input", *labels, "output"], edges, (0,), (output,)),)

    def suggest(self, trial: Suggests) -> Architecture:
        """The architecture that a sampler proposes; it is not asked for absent choices."""
        indices: list[int] = []
        present: dict[str, Value | None] = {}
        for choice in self.choices:
            active = choice.when is None or present.get(choice.when[0]) in choice.when[1]
            count = range(len(choice.values))
            indices.append(trial.suggest_categorical(choice.name, count) if active else 0)
            if active:
                present[choice.name] = choice.values[indices[-1]]
        return self.architecture(indices)

    def settings(self) -> Mapping[str, Json]:
        """The name of the space, every choice, and the source."""
        choices = [
            [c.name, list(c.values), c.when and [c.when[0], list(c.when[1])]] for c in self.choices
        ]
        settings: dict[str, Json] = {"space": self.name, "choices": choices}
        return settings | ({"source": self.source} if self.source else {})

    def build(self, architecture: Architecture, settings: NetworkSettings) -> nn.Module:
        """The network that `network` makes of the values."""
        if self.network is None:
            return super().build(architecture, settings)
        return self.network(self.values(architecture.choices), settings)


def plain_number(text: str) -> float:
    """The number that a text writes in digits, with a point and an exponent; NaN for anything else.

    Python reads more: `1_0` as 10, digits of other scripts, `inf`, and `1e400` as infinity.
    """
    number = float(text) if _NUMBER.fullmatch(text) else math.nan
    return number if math.isfinite(number) else math.nan
