"""A recurrent cell over a whole sequence as one operation with its own gradients.

Every node reads a slot: slot 0 is the state before the step, slot i + 1 the output of node i.

    states   N + 2 of (L, B, H)      h | s_0 | s_1 | ... | s_N      kept for the gradients
    gates    N + 1 of (L, B, H)          c_0   c_1   ...   c_N      kept
    values   N + 1 of (L, B, H)          a_0   a_1   ...   a_N      kept: what was activated
    slopes   N + 1 of (L, B, 2, H)   the loss by the products [c, u], before sigmoid and activation

What one step needs of another is computed step by step: the products of states forwards, those of
their gradients backwards. The rest is one product a node for all steps: what enters from the
inputs, and the gradients of all weights, (H, L B) by (L B, 2H).
Measured against plain loops in `benchmarks/results/recurrent.json`.

A tensor a node, not one for all: an allocator gives large ones back to the system after every
sequence, and fresh pages took up to a seventh of the time (hidden 300).

Shapes: L steps, B batch, X inputs, H hidden, N nodes beside node 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

ActivationFunction = Callable[[Tensor], Tensor]
Product = Callable[[Tensor, Tensor], Tensor]
"""(values, out): the values times a weight."""

Nodes = Sequence[tuple[int, ActivationFunction]]
"""The slot that each node reads and its activation, node 0 first."""


def unchanged(values: Tensor) -> Tensor:
    """The values themselves."""
    return values


class Rule(NamedTuple):
    """How an activation and its slope are computed in place.

    Attributes:
        write: A function (values, out) that writes the activated values.
        slope: A function (gate, activated, out) that writes the gate times the slope; the slope
            follows from the activated values.
    """

    write: Callable[[Tensor, Tensor], Tensor]
    slope: Callable[[Tensor, Tensor, Tensor], Tensor]


RULES: Mapping[ActivationFunction, Rule] = {
    torch.tanh: Rule(
        lambda values, out: torch.tanh(values, out=out),
        lambda gate, a, out: torch.addcmul(gate, gate * a, a, value=-1, out=out),
    ),
    torch.relu: Rule(
        lambda values, out: torch.clamp_min(values, 0, out=out),
        lambda gate, a, out: torch.sign(a, out=out).mul_(gate),
    ),
    torch.sigmoid: Rule(
        lambda values, out: torch.sigmoid(values, out=out),
        lambda gate, a, out: torch.addcmul(a, a, a, value=-1, out=out).mul_(gate),
    ),
    unchanged: Rule(
        lambda values, out: out.copy_(values),
        lambda gate, _, out: out.copy_(gate),
    ),
}
"""The activations whose slope is known; a cell with another one is differentiated by torch."""


class Recurrence(torch.autograd.Function):
    """A function that gives the outputs of every step (L, B, H).

    It takes inputs (L, B, X), state (B, H), first (X + H, 2H), weights (N, H, 2H), the masks (B, X)
    and (B, H) or None, and the nodes. The masks get no gradient.
    """

    @staticmethod
    def forward(
        ctx: Any,
        inputs: Tensor,
        state: Tensor,
        first: Tensor,
        weights: Tensor,
        input_mask: Tensor | None,
        state_mask: Tensor | None,
        nodes: Nodes,
    ) -> Tensor:
        """Computes the outputs; keeps states, gates and values for the backward pass."""
        length, batch, width = inputs.shape
        entered = masked(inputs, input_mask)
        entering = (entered.flatten(0, 1) @ first[:width]).view(length, batch, -1)
        products = [product_by(w, batch, length) for w in (first[width:], *weights)]
        outputs = inputs.new_empty(length, *state.shape)
        states = [torch.empty_like(outputs) for _ in range(len(nodes) + 1)]
        gates, values = ([torch.empty_like(outputs) for _ in nodes] for _ in range(2))
        steps = zip(entering, *map(_by_step, (states, gates, values)), strict=True)
        for output, (entry, slots, gate, value) in zip(outputs, steps, strict=True):
            slots[0].copy_(state)
            _forwards(nodes, products, entry, slots, gate, value, state_mask)
            state = _mean(slots[2:], output)
        ctx.nodes = nodes
        kept = (*states, *gates, *values)
        ctx.save_for_backward(entered, first, weights, input_mask, state_mask, *kept)
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Computes the gradients of inputs, state and both weights."""
        entered, first, weights, input_mask, state_mask, *kept = ctx.saved_tensors
        (length, batch, width), nodes, count = entered.shape, ctx.nodes, len(ctx.nodes)
        states, gates, values = kept[: count + 1], kept[count + 1 : -count], kept[-count:]
        products = [product_by(w.t(), batch, length) for w in (first[width:], *weights)]
        slopes = [w.new_empty(length, batch, 2, w.shape[-1] // 2) for w in [first] * count]
        by_slot = torch.zeros_like(states[0][:1]).repeat(count + 1, 1, 1)
        steps = zip(gradient, *map(_by_step, (states, gates, values, slopes)), strict=True)
        for by_output, slots, gate, value, slope in reversed(list(steps)):
            # The state goes on to the next step, whose gradient is in slot 0.
            torch.add(by_output, by_slot[0], out=by_slot[2]).div_(count - 1)
            by_slot[3:] = by_slot[2]
            by_slot[:2].zero_()
            _slopes(nodes, slots, gate, value, slope)
            _backwards(nodes, products, gate, slope, by_slot, state_mask)
        flat = [slope.view(length * batch, -1) for slope in slopes]
        by_first, by_weights = torch.empty_like(first), torch.empty_like(weights)
        torch.mm(entered.flatten(0, 1).t(), flat[0], out=by_first[:width])
        for (slot, _), slope, out in zip(nodes, flat, (by_first[width:], *by_weights), strict=True):
            torch.mm(masked(states[slot], state_mask).flatten(0, 1).t(), slope, out=out)
        by_inputs = None
        if ctx.needs_input_grad[0]:
            by_inputs = masked((flat[0] @ first[:width].t()).view_as(entered), input_mask)
        return by_inputs, by_slot[0], by_first, by_weights, None, None, None


def _by_step(tensors: Sequence[Tensor]) -> list[tuple[Tensor, ...]]:
    """The parts of all tensors that belong to each step."""
    return list(zip(*(tensor.unbind() for tensor in tensors), strict=True))


def _forwards(
    nodes: Nodes,
    products: Sequence[Product],
    entry: Tensor,
    slots: Sequence[Tensor],
    gates: Sequence[Tensor],
    values: Sequence[Tensor],
    mask: Tensor | None,
) -> None:
    """Fills slots 1 ... of one step, and its gates and values."""
    product, read = torch.empty_like(entry), dict[int, Tensor]()
    gate, value = product.chunk(2, dim=1)
    for node, (slot, activation) in enumerate(nodes):
        if slot not in read:
            read[slot] = masked(slots[slot], mask)
        products[node](read[slot], product)
        if node == 0:
            product += entry
        torch.sigmoid(gate, out=gates[node])
        RULES[activation].write(value, values[node])
        torch.lerp(slots[slot], values[node], gates[node], out=slots[node + 1])


def _mean(tensors: Sequence[Tensor], out: Tensor) -> Tensor:
    """The mean of the tensors, without stacking them, which is slower."""
    out.copy_(tensors[0])
    for tensor in tensors[1:]:
        out += tensor
    return out.div_(len(tensors))


def _slopes(
    nodes: Nodes,
    slots: Sequence[Tensor],
    gates: Sequence[Tensor],
    values: Sequence[Tensor],
    slopes: Sequence[Tensor],
) -> None:
    """Writes the derivative of each node's output by its products, for one step."""
    for (slot, activation), gate, value, slope in zip(nodes, gates, values, slopes, strict=True):
        by_gate, by_value = slope.unbind(1)
        torch.addcmul(gate, gate, gate, value=-1, out=by_gate).mul_(value - slots[slot])
        RULES[activation].slope(gate, value, by_value)


def _backwards(
    nodes: Nodes,
    products: Sequence[Product],
    gates: Sequence[Tensor],
    slopes: Sequence[Tensor],
    by_slot: Tensor,
    mask: Tensor | None,
) -> None:
    """Turns the slopes of one step into those of the loss, and sums the gradients of its slots."""
    gradients, product = by_slot.unbind(), torch.empty_like(by_slot[0])
    for node in reversed(range(len(nodes))):
        gradient, source = gradients[node + 1], gradients[nodes[node][0]]
        source.add_(gradient).addcmul_(gradient, gates[node], value=-1)
        products[node](slopes[node].mul_(gradient.unsqueeze(1)).flatten(1), product)
        if mask is None:
            source.add_(product)
        else:
            source.addcmul_(product, mask)


def product_by(weight: Tensor, rows: int, times: int) -> Product:
    """The product of (B, H) by a weight that is used several times.

    oneDNN multiplies few rows by a large matrix a third faster once the matrix is packed, which
    takes as long as one product. torch has no public name for it (inductor uses this one).
    """
    if not _worth_packing(weight, times):
        return lambda values, out: torch.mm(values, weight, out=out)
    multiply = torch.ops.mkldnn._linear_pointwise.default
    packed = torch.ops.mkldnn._reorder_linear_weight(weight.t(), rows)
    return lambda values, out: out.copy_(multiply(values, packed, None, "none", [], ""))


def _worth_packing(weight: Tensor, times: int) -> bool:
    """Whether a weight is large enough, used often enough, and can be packed by this torch."""
    return (
        weight.device.type == "cpu"
        and weight.dtype == torch.float32
        and weight.numel() >= PACKED_FROM
        and times >= PACKED_TIMES
        and torch.backends.mkldnn.is_available()
        and hasattr(torch.ops.mkldnn, "_linear_pointwise")
        and hasattr(torch.ops.mkldnn, "_reorder_linear_weight")
    )


PACKED_FROM = 300_000  # numbers in a weight: below, packing gains less than it takes
PACKED_TIMES = 8


def masked(values: Tensor, mask: Tensor | None) -> Tensor:
    """The values times the mask, or the values themselves if there is no mask."""
    return values if mask is None else values * mask
