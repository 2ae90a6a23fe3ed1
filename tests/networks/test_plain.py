"""Our network against one written plainly, apart from it: the same outputs and gradients."""

import sys
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from naokit.images.memory_format import lay_out
from naokit.networks import ImageNetwork
from naokit.settings import ImageSettings

from .plans import LOOSE_INPUT, NAONET_A, NAONET_B, NAONET_WS, read

sys.path.append(str(Path(__file__).parents[2]))
from benchmarks.plain_network import PlainNetwork

PLANS = {"a": NAONET_A, "b": NAONET_B, "ws": NAONET_WS, "loose": LOOSE_INPUT}


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("text", PLANS.values(), ids=PLANS)
def test_outputs_and_gradients_are_those_of_the_plain_network(
    text: str, layout: torch.memory_format
) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = ImageNetwork(*read(text), ImageSettings(3, 4, 1, (3, 16, 16))).double()
        images = torch.randn(6, 3, 16, 16, dtype=torch.float64)
    plain = PlainNetwork(network).double()
    plain.copy_from(network)
    lay_out(network, layout)
    labels = torch.arange(6) % 3
    for built in (network, plain):
        F.cross_entropy(built(images.contiguous(memory_format=layout)), labels).backward()
    for mine, theirs in zip(network.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, theirs.grad, atol=1e-9, rtol=1e-9)
    with torch.no_grad():
        torch.testing.assert_close(network.eval()(images), plain.eval()(images))
