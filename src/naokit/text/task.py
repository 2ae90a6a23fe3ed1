"""The task of learning a text: parallel streams, with the state carried from update to update.

The training text is cut into B streams of equal length. An update reads the same L steps of each,
from the state that the update before it left; the gradient goes no further back::

    stream 1   the cat sat | on the mat <eos> | ...
    stream B   it was      | a dark and       | ...
               update 1      update 2

Shapes: N tokens, L steps, B streams, H hidden, V vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.nn import functional as F

from naokit.base import EvaluationFailed, InputError, derive_seed
from naokit.text.data import TextData
from naokit.text.perplexity import perplexity
from naokit.text.recipes import TextRecipe
from naokit.training.metric import Metric
from naokit.training.task import Task, Update

# docs/specification.md, section 4.2: the steps of an update are N(bptt, 5), at least 5 and at most
# bptt + 20; once in twenty times N(bptt / 2, 5).
DEVIATION, FEWEST, MOST_MORE, HALF = 5, 5, 20, 0.05


PERPLEXITY = Metric("perplexity", "", "minimize")


@dataclass(frozen=True)
class TextUpdate(Update):
    """The steps of one update.

    Attributes:
        start: The first of the steps.
        steps: The number of steps (L).
    """

    start: int
    steps: int

    @property
    def rows(self) -> int:
        """The streams (B)."""
        return self.size // self.steps


@dataclass(frozen=True, eq=False)
class TextBatch:
    """The tokens of one update on the device.

    Attributes:
        tokens: The tokens that are read (L, B).
        following: The token that comes after each (L, B).
        state: The state before the first token (B, H). If None, this is the beginning of the text.
        carried: The states after the last token, row by row as they become known.
    """

    tokens: Tensor
    following: Tensor
    state: Tensor | None
    carried: list[Tensor] = field(default_factory=list)

    def __len__(self) -> int:
        return self.tokens.shape[1]


class TextTask(Task[TextUpdate, TextBatch]):
    """A text, a recipe and a device.

    Args:
        data: The text.
        recipe: The recipe that it is learnt by.
        fabric: The device that it is learnt on, by one process.

    Raises:
        InputError: The text is too short for the recipe's streams and steps, or there are several
            processes.
    """

    metric = PERPLEXITY
    most_reloads = 3

    def __init__(self, data: TextData, recipe: TextRecipe, fabric: Fabric) -> None:
        if fabric.world_size > 1:
            raise InputError("a language model trains in one process: leave `processes` out")
        self.recipe: TextRecipe = recipe
        self.device, self.fingerprint = fabric.device, data.fingerprint
        check_length(data, recipe)
        ids = data.train[: recipe.train_tokens]
        length = len(ids) // recipe.batch
        streams = ids[: length * recipe.batch].reshape(recipe.batch, length)
        self.streams = torch.from_numpy(streams.T.copy()).to(self.device)  # (steps, B)
        self.validation = data.validation
        self.held_out = len(data.validation)
        self.most_steps = length // FEWEST + 1
        self.state: Tensor | None = None

    def plan(self, epoch: int, seed: int) -> list[TextUpdate]:
        """Passages of random length to the end of the streams."""
        generator = np.random.default_rng(derive_seed(seed, "passages", epoch))
        bptt, end = self.recipe.bptt, len(self.streams) - 1
        passages: list[TextUpdate] = []
        start = 0
        while start < end - 1:  # one step alone has no change from step to step
            mean = bptt / 2 if generator.random() < HALF else bptt
            drawn = int(generator.normal(mean, DEVIATION))
            steps = min(max(FEWEST, min(drawn, bptt + MOST_MORE)), end - start)
            passages.append(TextUpdate(steps * self.recipe.batch, steps / bptt, start, steps))
            start += steps
        return passages

    def prepare(self, update: TextUpdate, generator: torch.Generator) -> TextBatch:
        """The tokens to read, from the state that the last update left."""
        del generator
        if update.start == 0:
            self.state = None
        end = update.start + update.steps
        return TextBatch(
            self.streams[update.start : end], self.streams[update.start + 1 : end + 1], self.state
        )

    def loss(self, network: nn.Module, batch: TextBatch, part: slice) -> Tensor:
        """Cross-entropy and activation regularisation, as sums over the tokens."""
        state = None if batch.state is None else batch.state[part]
        following = batch.following[:, part]
        spoken = network(batch.tokens[:, part], state)
        batch.carried.append(spoken.state.detach())
        loss = F.cross_entropy(spoken.logits.flatten(0, 1), following.flatten(), reduction="sum")
        if self.recipe.alpha:
            loss = loss + self.recipe.alpha * following.numel() * spoken.dropped.square().mean()
        if self.recipe.beta:
            changes = spoken.raw[1:] - spoken.raw[:-1]
            loss = loss + self.recipe.beta * following.numel() * changes.square().mean()
        return loss

    def examples(self, inputs: Tensor) -> int:
        """The number of tokens (L, B)."""
        return inputs.numel()

    def learnt(self, batch: TextBatch) -> None:
        """Carries the state on."""
        self.state = torch.cat(batch.carried)

    def measure(self, network: nn.Module) -> float:
        """Perplexity of the validation part.

        Raises:
            EvaluationFailed: The perplexity is not finite ("diverged").
        """
        found = perplexity(network, self.validation, device=self.device)
        if not math.isfinite(found):
            raise EvaluationFailed("diverged", "the validation perplexity is not finite")
        return found

    def average_begins(self, history: Sequence[float]) -> bool:
        """Whether the last measure is worse than the best of all but a few earlier ones.

        The few are those just before it: the official code compares first, then records.
        """
        few, earlier = self.recipe.average_after, history[:-1]
        if few is None or len(earlier) <= few:
            return False
        return history[-1] > min(earlier[:-few])

    def tensors(self) -> dict[str, Tensor]:
        """The state."""
        return {} if self.state is None else {"state": self.state}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Puts the state back."""
        state = tensors.get("state")
        self.state = None if state is None else state.to(self.device)


def check_length(data: TextData, recipe: TextRecipe) -> None:
    """Raises InputError where a text is too short for a recipe's streams or steps."""
    taken = min(len(data.train), recipe.part or len(data.train))
    if taken // recipe.batch < FEWEST + 1:
        raise InputError(
            f"{data.name} has {taken} training tokens, too few for {recipe.batch} "
            f"streams of at least {FEWEST + 1}: give a longer text or a recipe with a smaller batch"
        )
    if len(data.validation) <= recipe.bptt:
        raise InputError(
            f"{data.name} has {len(data.validation)} validation tokens, fewer than the "
            f"{recipe.bptt + 1} that one passage needs: give a longer validation part"
        )
