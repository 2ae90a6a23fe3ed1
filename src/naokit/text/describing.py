"""Training text that untrained networks are looked at with.

Shapes: E examples, L steps, B columns, H hidden, V vocabulary.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from naokit.text.data import TextData
from naokit.text.recipes import TextRecipe
from naokit.text.task import TextTask
from naokit.training.describing import LOSS, RIDGE, Probe

UPDATES = 6
"""How many updates a network learns by."""
STEPS = 32
"""Tokens of a passage, which is read from no state."""
FITTED, JUDGING = 32, 16
"""To how many passages the regression is fitted, and how many judge it."""


class TextProbe(Probe):
    """Passages of the training text: those of a few updates, then those that are looked at.

    Which token comes next is hardly ever told right so early, so that there is no accuracy.

    Args:
        data: The text; its training part alone is read.
        recipe: The recipe of the updates.
        fabric: Where networks are.
    """

    names = (RIDGE, LOSS)

    def __init__(self, data: TextData, recipe: TextRecipe, fabric: Fabric) -> None:
        learnt = min(recipe.batch * (UPDATES * recipe.bptt + 1), len(data.train) // 2)
        # The loop measures at the end: on a few tokens, not on all that is held out.
        few = replace(data, train=data.train[:learnt], validation=data.train[: recipe.bptt + 1])
        self.task: TextTask = TextTask(few, replace(recipe, train_tokens=None), fabric)
        shown = torch.from_numpy(data.train[learnt:][: (FITTED + JUDGING) * STEPS + 1])
        columns = (len(shown) - 1) // STEPS
        self._fitted_columns = columns * FITTED // (FITTED + JUDGING)
        self.fitted = self._fitted_columns * STEPS
        end = columns * STEPS
        self.answers = shown[1 : end + 1].long()
        self.tokens = shown[:end].view(columns, STEPS).t().contiguous().to(fabric.device)

    @torch.no_grad()
    def look(self, network: nn.Module, *, judge: bool) -> tuple[Tensor, Tensor]:
        """The outputs of the cell and the logits, passage by passage."""
        spoken = network(self.tokens[:, self._fitted_columns if judge else 0 :], None)
        return by_passage(spoken.dropped), by_passage(spoken.logits)


def by_passage(outputs: Tensor) -> Tensor:
    """Outputs (L, B, H) as one row for each example (E, H), passage by passage."""
    return outputs.transpose(0, 1).flatten(0, 1)
