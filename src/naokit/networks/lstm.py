"""An LSTM that is called as a recurrent cell is, for comparison.

One layer, then a projection to the size of the embedding, which is the output matrix too (Melis et
al. 2018, arXiv 1707.05589). Its width is chosen so that it has as many parameters as the cell that
it is compared with.

Shapes: L steps, B batch, X inputs, H outputs, W width.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

NODES = 11
"""Of the recurrent cell that it is compared with."""


class LstmCell(nn.Module):
    """The LSTM over a sequence. Its state is one tensor: h and c side by side.

    Args:
        inputs: X.
        outputs: H.
        width: W.

    Attributes:
        lstm: PyTorch's own.
        projection: W to H, without a bias.
        state_size: numbers in a state, 2 W.
    """

    def __init__(self, inputs: int, outputs: int, width: int) -> None:
        super().__init__()
        self.state_size = 2 * width
        self.lstm = nn.LSTM(inputs, width)
        self.projection = nn.Linear(width, outputs, bias=False)

    def forward(
        self,
        inputs: Float[Tensor, "L B X"],
        state: Float[Tensor, "B S"],
        input_mask: Float[Tensor, "B X"] | None = None,
        state_mask: Float[Tensor, "B S"] | None = None,
    ) -> tuple[Float[Tensor, "L B H"], Float[Tensor, "B S"]]:
        """The output of every step and the last state.

        Args:
            inputs: the sequence.
            state: before its first step.
            input_mask: of the inputs, the same at every step; None: ones.
            state_mask: of what is read of h, the same at every step. The first sequence's mask
                serves the whole batch: so it can be laid on the weights, once, and PyTorch's loop
                over the steps stays. None: ones.
        """
        masked = inputs if input_mask is None else inputs * input_mask
        h, c = state.chunk(2, dim=1)
        raw, h, c = self._run(masked, h, c, self._weights(state_mask))
        return self.projection(raw), torch.cat([h, c], dim=1)

    @staticmethod
    def _run(
        inputs: Tensor, h: Tensor, c: Tensor, weights: list[Tensor]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Every h (L, B, W), and the last h and c (B, W)."""
        if len(inputs) == 1:  # the loop packs its weights at each call: 70 ms against 9 (W = 1699)
            h, c = torch.lstm_cell(inputs[0], (h, c), *weights)
            return h[None], h, c
        before = (h[None].contiguous(), c[None].contiguous())
        # With biases, one layer, no dropout, ready for a backward pass, one direction.
        raw, last_h, last_c = torch.lstm(
            inputs, before, weights, True, 1, 0.0, torch.is_grad_enabled(), False, False
        )
        return raw, last_h[0], last_c[0]

    def _weights(self, mask: Tensor | None) -> list[Tensor]:
        """Of inputs and h, and both biases, as PyTorch orders them."""
        from_inputs, from_state, *biases = self.lstm.all_weights[0]
        kept = from_state if mask is None else from_state * mask[0].chunk(2)[0]
        return [from_inputs, kept, *biases]


def lstm_width(hidden: int) -> int:
    """The largest W at which an `LstmCell` has no more parameters than the recurrent cell.

    With H inputs and outputs it has 4 W (H + W) weights and 8 W biases, and W H of the projection;
    the cell of 11 nodes has 26 H^2.

    Args:
        hidden: H.
    """
    linear, square = 5 * hidden + 8, (4 + 2 * NODES) * hidden**2
    return (math.isqrt(linear**2 + 16 * square) - linear) // 8
