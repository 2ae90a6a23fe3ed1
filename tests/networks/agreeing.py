"""Two networks with the same weights that compute the same in different ways."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


def check_agree(networks: Sequence[nn.Module], outputs: Sequence[Tensor], tolerance: float) -> None:
    """The outputs of two networks are equal, and their gradients up to a tolerance."""
    torch.testing.assert_close(*outputs)
    for output in outputs:
        output.square().sum().backward()
    for mine, theirs in zip(*(network.parameters() for network in networks), strict=True):
        if mine.grad is not None:
            torch.testing.assert_close(mine.grad, theirs.grad, atol=tolerance, rtol=tolerance)
