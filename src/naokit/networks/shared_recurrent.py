"""The shared recurrent cell: one weight for each node, node that it reads and activation.

Unlike in the official code the output is the mean of nodes 1 to N, as in the final cell: there it
includes node 0, so that the shared cell and the final one compute different things.

Shapes: L steps, B batch, X inputs, H hidden, N nodes.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from naokit.networks.language import LanguageModel
from naokit.networks.recurrence import RULES, ActivationFunction, Recurrence
from naokit.networks.recurrent import (
    ACTIVATIONS,
    RecurrentCell,
    RecurrentPlan,
    slots_of,
    unrolled,
    wants_gradients,
)


class SharedRecurrentCell(nn.Module):
    """Every recurrent cell of so many nodes.

    Attributes:
        first: W_0 of every cell (X + H, 2H).
        weights: `weights[node][source]` holds the weight (H, 2H) of each activation, in the order
            of their names.
        state_size: The numbers in a state, H.
    """

    def __init__(
        self,
        nodes: int,
        inputs: int,
        hidden: int,
        activations: Mapping[str, ActivationFunction] = ACTIVATIONS,
    ) -> None:
        super().__init__()
        self.inputs, self.hidden, self.state_size = inputs, hidden, hidden
        self.activations = dict(activations)
        self.places = {name: place for place, name in enumerate(activations)}
        self.first = nn.Parameter(torch.empty(inputs + hidden, 2 * hidden))

        def weights() -> nn.ParameterList:
            return nn.ParameterList(
                nn.Parameter(torch.empty(hidden, 2 * hidden)) for _ in activations
            )

        self.weights = nn.ModuleList(
            nn.ModuleList(weights() for _ in range(node)) for node in range(1, nodes + 1)
        )
        for weight in self.parameters():
            nn.init.uniform_(weight, -0.04, 0.04)

    def forward(
        self,
        inputs: Float[Tensor, "L B X"],
        state: Float[Tensor, "B H"],
        input_mask: Float[Tensor, "B X"] | None,
        state_mask: Float[Tensor, "B H"] | None,
        plan: RecurrentPlan,
    ) -> tuple[Float[Tensor, "L B H"], Float[Tensor, "B H"]]:
        """The output of every step and the last state of the cell of a plan."""
        weights, activations = self.sampled(plan), self.used(plan)
        nodes = slots_of(plan, activations)
        known = all(any(own is rule for rule in RULES) for own in activations)
        if known and wants_gradients(inputs, state, self.first, *weights):
            outputs: Tensor = Recurrence.apply(  # type: ignore[no-untyped-call]
                inputs, state, self.first, torch.stack(weights), input_mask, state_mask, nodes
            )
            return outputs, outputs[-1]
        return unrolled(nodes, (self.first, *weights), inputs, state, input_mask, state_mask)

    def sampled(self, plan: RecurrentPlan) -> list[Tensor]:
        """The weight of each node of a plan (H, 2H)."""
        return [
            self.weights[node][source][self.places[name]]  # type: ignore[index]
            for node, (source, name) in enumerate(plan.nodes)
        ]

    def used(self, plan: RecurrentPlan) -> list[ActivationFunction]:
        """The activation of each node of a plan."""
        return [self.activations[name] for _, name in plan.nodes]


class SharedLanguageModel(LanguageModel):
    """A language model around a shared cell: `model(tokens, state, plan)`."""

    def network(self, plan: RecurrentPlan) -> LanguageModel:
        """The language model of a plan by itself, with copies of the weights that it uses here."""
        cell = self.cell
        assert isinstance(cell, SharedRecurrentCell)
        own = RecurrentCell(plan, cell.inputs, cell.hidden, cell.activations)
        alone = LanguageModel(own, self.settings)
        with torch.no_grad():
            own.first.copy_(cell.first)
            own.weights.copy_(torch.stack(cell.sampled(plan)))
            alone.embedding.copy_(self.embedding)
            alone.bias.copy_(self.bias)
        return alone.train(self.training)
