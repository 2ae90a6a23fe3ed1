"""Recipes for text: how a language model is trained, each number with its source.

"2018" is docs/specification.md, section 4.2.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from naokit.base import InputError
from naokit.training.recipe import BELOW_ONE, FROM_ONE, FROM_TWO, FROM_ZERO, POSITIVE, Recipe, named


@dataclass(frozen=True)
class TextRecipe(Recipe):
    """How a language model is trained.

    The defaults are those of train_ptb_final.sh (docs/specification.md, section 4.2) except for the
    rate, which is constant there and falls in a cosine to `final_learning_rate` here. The official
    scripts' names are in brackets.

    Attributes:
        bptt: The mean number of steps that a gradient goes back; the deviation is 5, and once in
            twenty times the mean is half as large. The rate of an update is in proportion to its
            steps.
        output_dropout: The rate of `LanguageSettings.output_dropout` [dropout].
        input_dropout: The rate of `LanguageSettings.input_dropout` [dropoutx].
        state_dropout: The rate of `LanguageSettings.state_dropout` [dropouth].
        embedding_dropout: The rate of `LanguageSettings.embedding_dropout` [dropouti].
        word_dropout: The rate of `LanguageSettings.word_dropout` [dropoute].
        alpha: The weight of the mean square of the outputs.
        beta: The weight of the mean square of their changes from step to step.
        average_after: The number of latest epochs that an epoch is not compared with. From the
            first epoch that is worse than the best of the earlier ones, the mean of the weights is
            measured and kept (ASGD) [nonmono]. If None, it never is.
        train_tokens: The number of training tokens to use, from the first. If None, all.
    """

    epochs: Annotated[int, FROM_ONE]
    batch: Annotated[int, FROM_ONE] = 64
    learning_rate: Annotated[float, POSITIVE] = 20.0
    momentum: Annotated[float, BELOW_ONE] = 0.0
    weight_decay: Annotated[float, FROM_ZERO] = 8e-7
    clip: Annotated[float, POSITIVE] = 0.25
    bptt: Annotated[int, FROM_TWO] = 35
    output_dropout: Annotated[float, BELOW_ONE] = 0.75
    input_dropout: Annotated[float, BELOW_ONE] = 0.75
    state_dropout: Annotated[float, BELOW_ONE] = 0.25
    embedding_dropout: Annotated[float, BELOW_ONE] = 0.2
    word_dropout: Annotated[float, BELOW_ONE] = 0.0
    alpha: Annotated[float, FROM_ZERO] = 0.0
    beta: Annotated[float, FROM_ZERO] = 1e-3
    average_after: Annotated[int | None, FROM_ONE] = 5
    train_tokens: Annotated[int | None, FROM_TWO] = None

    @property
    def part(self) -> int | None:
        """`train_tokens`."""
        return self.train_tokens

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.ema and self.average_after is not None:
            raise InputError("a recipe averages weights in one way: ema or average_after")


_LITTLE: Mapping[str, Any] = {
    "output_dropout": 0.1,
    "input_dropout": 0.1,
    "state_dropout": 0.05,
    "embedding_dropout": 0.05,
}
_SOME: Mapping[str, Any] = {
    "output_dropout": 0.2,
    "input_dropout": 0.2,
    "state_dropout": 0.1,
    "embedding_dropout": 0.1,
}
"""Short trainings want less dropout than those of the paper."""

_RECIPES = (
    TextRecipe("ptb-2018", epochs=4000, final_learning_rate=20.0),
    TextRecipe(
        "wikitext-2-2018",
        epochs=2000,
        final_learning_rate=20.0,
        state_dropout=0.15,
        weight_decay=5e-7,
    ),
    # Few tokens are many small updates: streams of 8 learn in one pass over 100,000 tokens of PTB
    # what streams of 20 do not in two (perplexity 442 and 831 to 876, hidden 100).
    TextRecipe("text-quick", epochs=2, batch=8, bptt=20, average_after=None, **_LITTLE),
    TextRecipe("text-quick-final", epochs=6, batch=8, bptt=20, average_after=None, **_SOME),
    TextRecipe(
        "text-small",
        epochs=1,
        batch=8,
        bptt=20,
        average_after=None,
        train_tokens=100_000,
        **_LITTLE,
    ),
    TextRecipe("text-small-final", epochs=6, batch=10, average_after=None, **_SOME),
    # Shared networks. Each weight is met by few of the updates.
    TextRecipe("text-quick-shared", epochs=6, batch=8, bptt=20, average_after=None, **_LITTLE),
    TextRecipe(
        "text-small-shared",
        epochs=4,
        batch=8,
        bptt=20,
        average_after=None,
        train_tokens=100_000,
        **_LITTLE,
    ),
    # NAO-WS/rnn/train_search.sh (docs/specification.md, section 2.8).
    TextRecipe(
        "text-shared-2018",
        epochs=1000,
        batch=256,
        learning_rate=0.25,
        final_learning_rate=0.25,
        weight_decay=5e-7,
        clip=10.0,
        average_after=None,
    ),
    # docs/specification.md, section 2.7, train_ptb_search.sh: an evaluation is the whole model for
    # 600 epochs.
    TextRecipe("text-search-2018", epochs=600, final_learning_rate=20.0),
)

RECIPES: Mapping[str, TextRecipe] = {recipe.name: recipe for recipe in _RECIPES}

PUBLISHED_SIZES: Mapping[str, Mapping[str, int]] = {
    "text-search-2018": {"hidden": 850},
    "text-shared-2018": {"hidden": 300},
    "ptb-2018": {"hidden": 850},
    "wikitext-2-2018": {"hidden": 700},
}
"""How large the networks are that a published recipe trains: H."""


def recipe(name: str | TextRecipe, epochs: int | None = None) -> TextRecipe:
    """The recipe of a name, or a recipe itself.

    Args:
        name: A name of `RECIPES`, or a recipe.
        epochs: The number of epochs in place of the recipe's.

    Raises:
        InputError: There is no such recipe (with the nearest names).
    """
    found = named(name, RECIPES)
    return dataclasses.replace(found, epochs=epochs or found.epochs)
