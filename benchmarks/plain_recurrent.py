"""The paper's recurrent cell as one would first write it: step by step, node by node, eager.

It is written from docs/specification.md, section 1.4, independently of `naokit.networks`, which is
measured against it and whose outputs are compared. The weights of the nodes are parameters of their
own, or with `stacked` one parameter, from which torch cuts them at every step anew.

Shapes: L steps, B batch, X inputs, H hidden, N nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "identity": lambda values: values,
}


class PlainRecurrentCell(nn.Module):
    """Inputs (L, B, X), state (B, H), masks (B, X) and (B, H) or None -> (L, B, H), (B, H)."""

    def __init__(
        self, nodes: Sequence[tuple[int, str]], inputs: int, hidden: int, *, stacked: bool = False
    ) -> None:
        super().__init__()
        self.nodes, self.state_size = nodes, hidden
        self.first = nn.Parameter(torch.empty(inputs + hidden, 2 * hidden))
        weights = torch.empty(len(nodes), hidden, 2 * hidden)
        self.weights = (
            nn.Parameter(weights) if stacked else nn.ParameterList(w.clone() for w in weights)
        )
        for weight in self.parameters():
            nn.init.uniform_(weight, -0.04, 0.04)

    def copy_from(self, first: Tensor, weights: Tensor) -> None:
        """Copies W_0 and W_1 ... W_N (N, H, 2H) into the cell."""
        with torch.no_grad():
            self.first.copy_(first)
            for mine, theirs in zip(self.weights, weights, strict=True):
                mine.copy_(theirs)

    def forward(
        self,
        inputs: Tensor,
        state: Tensor,
        input_mask: Tensor | None = None,
        state_mask: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        outputs = []
        for entering in inputs:
            state = self.step(entering, state, input_mask, state_mask)
            outputs.append(state)
        return torch.stack(outputs), state

    def step(
        self, entering: Tensor, state: Tensor, input_mask: Tensor | None, state_mask: Tensor | None
    ) -> Tensor:
        """The next state."""
        joined = torch.cat([masked(entering, input_mask), masked(state, state_mask)], dim=1)
        made = [gated(joined @ self.first, state, "tanh")]
        for (source, activation), weight in zip(self.nodes, self.weights, strict=True):
            read = made[source]
            made.append(gated(masked(read, state_mask) @ weight, read, activation))
        return torch.stack(made[1:]).mean(dim=0)


def masked(values: Tensor, mask: Tensor | None) -> Tensor:
    return values if mask is None else values * mask


def gated(product: Tensor, before: Tensor, activation: str) -> Tensor:
    gate, value = product.chunk(2, dim=1)
    return before + torch.sigmoid(gate) * (ACTIVATIONS[activation](value) - before)
