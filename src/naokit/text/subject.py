"""The subject of text: data and the size of the language models that learn from them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from naokit.base import EvaluationFailed, InputError, Json
from naokit.export.config import CONFIG, read_any
from naokit.export.results import Results
from naokit.networks import LanguageModel, step_latencies_ms, step_macs
from naokit.profiling.steps import MOST_STEPS, SMALL_RATE, STEPS_AN_EPOCH, WARM_UP
from naokit.settings import LanguageSettings
from naokit.space import Architecture
from naokit.subject import Subject, origin_of
from naokit.text.bundle import LanguageBundle, read_vocabulary
from naokit.text.data import TextData, load_text
from naokit.text.describing import TextProbe
from naokit.text.perplexity import COLUMN, EVALUATION_BATCH, perplexity
from naokit.text.recipes import TextRecipe
from naokit.text.scoring import TextScorer
from naokit.text.task import PERPLEXITY, TextTask, check_length
from naokit.training.recipe import Recipe

if TYPE_CHECKING:
    from lightning_fabric import Fabric
    from torch import Tensor, nn


@dataclass(frozen=True)
class TextSubject(Subject):
    """Text for a language model.

    Attributes:
        source: What `load_text` takes.
        hidden: The size of embedding, state and output (H).
        tokens: The kind of tokens, as for `load_text`.
    """

    source: str | Path | TextData
    hidden: int
    tokens: str = "word"

    reads = "text"
    metric = PERPLEXITY
    descriptor_names = TextProbe.names

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
        """Raises InputError also where its streams would be too short."""
        assert isinstance(recipe, TextRecipe)
        check_length(self.data, recipe)

    def settings(self, recipe: Recipe) -> LanguageSettings:
        """The settings of a language model."""
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
        """The size H."""
        return {"hidden": self.hidden}

    def macs(self, network: nn.Module) -> int:
        """The multiply-accumulates of one token."""
        assert isinstance(network, LanguageModel)
        return step_macs(network)

    def latency(self, network: nn.Module) -> float:
        """Median milliseconds of one token."""
        assert isinstance(network, LanguageModel)
        return statistics.median(step_latencies_ms(network.cpu().eval()))

    def check(self, score: float) -> None:
        """Also refuses a perplexity above that of a uniform guess, which an exploded cell gives."""
        super().check(score)
        words = len(self.data.vocabulary)
        if score > words:
            raise EvaluationFailed(
                "diverged", f"the perplexity is {score:.4g}, worse than guessing among {words}"
            )

    def task(self, recipe: Recipe, fabric: Fabric) -> TextTask:
        """Streams of the text side by side."""
        return TextTask(self.data, _for_text(recipe, self.data), fabric)

    def probe(self, recipe: Recipe, fabric: Fabric) -> TextProbe:
        """The first passages of the training part."""
        return TextProbe(self.data, _for_text(recipe, self.data), fabric)

    def scorer(self, fabric: Fabric, examples: int) -> TextScorer:
        """Scores networks on the same held-out part of the data."""
        return TextScorer(self.data, fabric.device, examples)

    def short_task(
        self, network: nn.Module, recipe: Recipe, fabric: Fabric, seconds: float
    ) -> TextTask:
        """Short epochs, in streams of the recipe's number and about its length."""
        del network, seconds
        data, recipe = self.data, _for_text(recipe, self.data)
        few = replace(
            data,
            train=data.train[: recipe.batch * (STEPS_AN_EPOCH * recipe.bptt + 1)],
            validation=data.validation[: EVALUATION_BATCH * COLUMN + 1],
        )
        epochs = math.ceil((WARM_UP + MOST_STEPS) / STEPS_AN_EPOCH)
        short = replace(recipe, epochs=epochs, train_tokens=None, learning_rate=SMALL_RATE)
        return TextTask(few, short, fabric)

    def bundle(
        self,
        architecture: Architecture,
        network: nn.Module,
        recipe: Recipe,
        results: Results,
    ) -> LanguageBundle:
        """The language model with its vocabulary."""
        assert isinstance(network, LanguageModel)
        settings, vocabulary = self.settings(recipe), self.data.vocabulary
        return LanguageBundle(network, architecture, settings, vocabulary, results)

    def fitting(
        self, network: nn.Module, weights: Mapping[str, Tensor], folder: Path
    ) -> tuple[dict[str, Tensor], dict[str, Json]]:
        """The fitting weights, with the rows of the tokens that both vocabularies have."""
        taken, _ = super().fitting(network, weights, folder)
        config = read_any(folder) if (folder / CONFIG).exists() else {}
        theirs, own_tokens = read_vocabulary(folder, config), self.data.vocabulary
        here, there = own_tokens.shared(theirs)
        for name in LanguageModel.of_tokens:
            taken.pop(name, None)
            own, rows = network.state_dict()[name].clone(), weights.get(name)
            if rows is not None and len(rows) != len(theirs):
                raise InputError(
                    f"the vocabulary in {folder} is of another network: it has {len(theirs)} "
                    f"tokens, the network {len(rows)}; copy the network's own there"
                )
            if here and rows is not None and rows.shape[1:] == own.shape[1:]:
                own[here] = rows[there]
                taken[name] = own
        return taken, {"tokens": len(here), "of_tokens": len(own_tokens)}

    def origin(self) -> dict[str, Json]:
        """The arguments of `load_text`."""
        return origin_of(self)

    def left_out(self) -> dict[str, Json]:
        """How many tokens of each part are not in the vocabulary."""
        return {"unknown": dict(self.data.unknown)}

    def results(self) -> dict[str, Json]:
        """The text and the kind of its tokens."""
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


def _for_text(recipe: Recipe, data: TextData) -> TextRecipe:
    """The recipe itself; raises InputError where it is for another kind of data."""
    if not isinstance(recipe, TextRecipe):
        raise InputError(f"{data.name} is text, the recipe {recipe.name} is for images")
    return recipe
