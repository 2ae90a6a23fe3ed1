"""Text for a language model of H hidden units."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from naokit.base import EvaluationFailed, Json, LanguageSettings
from naokit.networks import LanguageModel, step_latencies_ms, step_macs
from naokit.subjects.subject import Subject
from naokit.training.recipe import Recipe
from naokit.training.text.data import TextData, load_text
from naokit.training.text.perplexity import perplexity
from naokit.training.text.recipes import TextRecipe
from naokit.training.text.task import check_length

if TYPE_CHECKING:
    from lightning_fabric import Fabric
    from torch import nn


@dataclass(frozen=True)
class TextSubject(Subject):
    """Text for a language model.

    Attributes:
        source: what `load_text` takes.
        hidden: size of embedding, state and output (H).
        tokens: see `load_text`.
    """

    source: str | Path | TextData
    hidden: int
    tokens: str = "word"

    reads = "text"
    score = "perplexity"
    unit = ""
    direction = "minimize"
    workers = 0

    @cached_property
    def data(self) -> TextData:
        """The text, read once."""
        return load_text(self.source, self.tokens)

    def again(self, size: Mapping[str, Json]) -> TextSubject:
        """The same text with another H."""
        return replace(self, source=self.data, **size)

    def unread(self) -> TextSubject:
        """The same without the text."""
        return replace(self)

    def check_data(self, recipe: Recipe) -> None:
        """Also where its streams would be too short."""
        assert isinstance(recipe, TextRecipe)
        check_length(self.data, recipe)

    def settings(self, recipe: Recipe) -> LanguageSettings:
        """Those of a language model."""
        assert isinstance(recipe, TextRecipe)
        return LanguageSettings(
            vocabulary=len(self.data.vocabulary),
            hidden=self.hidden,
            output_dropout=recipe.output_dropout,
            input_dropout=recipe.input_dropout,
            state_dropout=recipe.state_dropout,
            embedding_dropout=recipe.embedding_dropout,
            word_dropout=recipe.word_dropout,
        )

    def size(self) -> Mapping[str, Json]:
        """H."""
        return {"hidden": self.hidden}

    def macs(self, network: nn.Module) -> int:
        """Of one token."""
        assert isinstance(network, LanguageModel)
        return step_macs(network)

    def latency(self, network: nn.Module) -> float:
        """Median milliseconds of one token."""
        assert isinstance(network, LanguageModel)
        return statistics.median(step_latencies_ms(network.cpu().eval()))

    def check(self, score: float) -> None:
        """Also where it is worse than knowing nothing: an exploded cell is no result."""
        super().check(score)
        words = len(self.data.vocabulary)
        if score > words:
            raise EvaluationFailed(
                "diverged", f"the perplexity is {score:.4g}, worse than guessing among {words}"
            )

    def results(self) -> dict[str, Json]:
        """Which text, in which tokens."""
        return {"data": str(self.data.name), "tokens": self.tokens, "unknown": self.data.unknown}

    def tested(
        self, network: nn.Module, fabric: Fabric, on_tested: Callable[[int], None] | None = None
    ) -> float | None:
        """Perplexity of the test part."""
        ids = self.data.test
        if len(ids) < 2:
            return None
        device = fabric.device
        return perplexity(network.to(device), ids, device=device, on_step=on_tested)
