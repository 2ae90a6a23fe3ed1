"""The recurrent cell: nodes with highway gates, their mean as output.

See docs/specification.md, section 1.4::

    node 0   s_0 = h + c (tanh(u) - h),       [c, u] = [x m_x, h m_h] W_0,   c through a sigmoid
    node i   s_i = s_p + c (act(u) - s_p),    [c, u] = (s_p m_h) W_i,        p: what node i reads
    output   the mean of s_1 ... s_N, which is also the next state h

The masks m_x and m_h are drawn once a sequence (variational dropout, Gal and Ghahramani 2016).

Shapes: L steps, B batch, X inputs, H hidden, N nodes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from naokit.base import InputError
from naokit.networks.recurrence import RULES, ActivationFunction, Recurrence, masked, unchanged

ACTIVATIONS: Mapping[str, ActivationFunction] = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "identity": unchanged,
}
"""The four activations of the paper."""


@dataclass(frozen=True)
class RecurrentPlan:
    """What a cell computes.

    Attributes:
        nodes: For each of nodes 1, 2, ... the earlier node that it reads (0 is the first), and the
            name of its activation.
    """

    nodes: tuple[tuple[int, str], ...]


class RecurrentCell(nn.Module):
    """The cell over a sequence.

    Training uses `Recurrence`. Everything else uses plain operations, which any exporter can read,
    and so does a cell with an activation that a user defined.

    Attributes:
        plan: The plan of the cell.
        known: Whether `Recurrence` knows the slopes of all activations of the cell.
        first: W_0, the rows of the input above those of the state (X + H, 2H).
        weights: W_1 ... W_N (N, H, 2H).
        state_size: The number of numbers in a state, H.

    Raises:
        InputError: The plan has no nodes, a node reads a later one, or an activation is unknown.
    """

    def __init__(
        self,
        plan: RecurrentPlan,
        inputs: int,
        hidden: int,
        activations: Mapping[str, ActivationFunction] = ACTIVATIONS,
    ) -> None:
        super().__init__()
        check_plan(plan, activations)
        self.plan, self.inputs, self.hidden = plan, inputs, hidden
        self.state_size = hidden
        self.activations = [activations[name] for _, name in plan.nodes]
        self.known = all(any(own is rule for rule in RULES) for own in self.activations)
        self.first = nn.Parameter(torch.empty(inputs + hidden, 2 * hidden))
        self.weights = nn.Parameter(torch.empty(len(plan.nodes), hidden, 2 * hidden))
        for weight in (self.first, self.weights):
            nn.init.uniform_(weight, -0.04, 0.04)

    def forward(
        self,
        inputs: Float[Tensor, "L B X"],
        state: Float[Tensor, "B H"],
        input_mask: Float[Tensor, "B X"] | None = None,
        state_mask: Float[Tensor, "B H"] | None = None,
    ) -> tuple[Float[Tensor, "L B H"], Float[Tensor, "B H"]]:
        """The output of every step and the last state.

        Args:
            inputs: The sequence.
            state: The state before the first step.
            input_mask: The mask m_x. If None, nothing is masked.
            state_mask: The mask m_h. If None, nothing is masked.
        """
        if self.known and wants_gradients(inputs, state, *self.parameters()):
            outputs: Tensor = Recurrence.apply(  # type: ignore[no-untyped-call]
                inputs, state, self.first, self.weights, input_mask, state_mask, self._nodes()
            )
            return outputs, outputs[-1]
        weights = (self.first, *self.weights)
        return unrolled(self._nodes(), weights, inputs, state, input_mask, state_mask)

    def _nodes(self) -> list[tuple[int, ActivationFunction]]:
        """The slot that each node reads (see `recurrence`) and its activation."""
        return slots_of(self.plan, self.activations)


def slots_of(
    plan: RecurrentPlan, activations: Sequence[ActivationFunction]
) -> list[tuple[int, ActivationFunction]]:
    """The slot that each node reads (see `recurrence`) and its activation, node 0 first."""
    slots = [0, *(source + 1 for source, _ in plan.nodes)]
    return list(zip(slots, [torch.tanh, *activations], strict=True))


def wants_gradients(inputs: Tensor, *others: Tensor) -> bool:
    """Whether `Recurrence` serves: for gradients, outside autocast; exporters see plain operations.

    Args:
        inputs: The sequence.
        others: What may need gradients besides.
    """
    return (
        torch.is_grad_enabled()
        and not torch.compiler.is_compiling()
        and (inputs.is_meta or not torch.is_autocast_enabled(inputs.device.type))
        and any(tensor.requires_grad for tensor in (inputs, *others))
    )


def unrolled(
    nodes: Sequence[tuple[int, ActivationFunction]],
    weights: Sequence[Tensor],
    inputs: Tensor,
    state: Tensor,
    input_mask: Tensor | None,
    state_mask: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """The output of every step and the last state, step by step in plain operations.

    Args:
        nodes: The slot that each node reads and its activation, node 0 first.
        weights: W_0, the rows of the input above those of the state, then W_1 ... W_N.
        inputs: The sequence (L, B, X).
        state: The state before its first step (B, H).
        input_mask: The mask of the inputs m_x (B, X). If None, it is all ones.
        state_mask: The mask of the state m_h (B, H). If None, it is all ones.
    """
    width = inputs.shape[-1]
    entering = masked(inputs, input_mask) @ weights[0][:width]
    products = (weights[0][width:], *weights[1:])
    made = []
    for entry in entering:
        slots = [state]
        for number, ((slot, activation), weight) in enumerate(zip(nodes, products, strict=True)):
            product = masked(slots[slot], state_mask) @ weight
            product = product if number else entry + product
            slots.append(gated(product, slots[slot], activation))
        state = torch.stack(slots[2:]).mean(dim=0)
        made.append(state)
    return torch.stack(made), state


def gated(product: Tensor, before: Tensor, activation: ActivationFunction) -> Tensor:
    """A point between `before` and the activation; the gate says how far along."""
    gate, value = product.chunk(2, dim=1)
    return before + torch.sigmoid(gate) * (activation(value) - before)


def check_plan(plan: RecurrentPlan, activations: Mapping[str, ActivationFunction]) -> None:
    """Raises InputError, with the first reason, if a plan cannot be built."""
    if not plan.nodes:
        raise InputError("a recurrent cell needs at least one node")
    for node, (source, name) in enumerate(plan.nodes, 1):
        if not 0 <= source < node:
            raise InputError(f"node {node} reads node {source}; expected 0 to {node - 1}")
        if name not in activations:
            raise InputError(
                f"node {node} has the activation {name!r}; expected {', '.join(activations)}"
            )
