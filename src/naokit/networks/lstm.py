"""An LSTM with the interface of a recurrent cell, for comparison.

One layer, then a projection to the size of the embedding, which is also the output matrix (Melis et
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
"""The number of nodes of the recurrent cell that the LSTM is compared with."""


class LstmCell(nn.Module):
    """The LSTM over a sequence. Its state is one tensor: h and c side by side.

    Args:
        inputs: The number of inputs, X.
        outputs: The number of outputs, H.
        width: The width of the LSTM, W.

    Attributes:
        lstm: The LSTM of PyTorch.
        projection: A linear map from W to H numbers, without a bias.
        state_size: The number of numbers in a state, 2 W.
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
            inputs: The sequence.
            state: The state before the first step.
            input_mask: The mask of the inputs, the same at every step. If None, nothing is masked.
            state_mask: The mask of h as it is read, the same at every step. If None, nothing is
                masked. The first sequence's mask serves the whole batch, so that the weights can be
                masked once and PyTorch's own loop over the steps can be used.
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
        """The weights of the inputs and of h, and both biases, in the order of PyTorch."""
        from_inputs, from_state, *biases = self.lstm.all_weights[0]
        kept = from_state if mask is None else from_state * mask[0].chunk(2)[0]
        return [from_inputs, kept, *biases]


def lstm_width(hidden: int) -> int:
    """The largest W at which an `LstmCell` has no more parameters than the recurrent cell.

    With H inputs and outputs it has 4 W (H + W) weights and 8 W biases, and W H of the projection;
    the cell of 11 nodes has 26 H^2.

    Args:
        hidden: The size of embedding and output, H.
    """
    linear, square = 5 * hidden + 8, (4 + 2 * NODES) * hidden**2
    return (math.isqrt(linear**2 + 16 * square) - linear) // 8
