"""The fast memory layout, and the convolution that it is unsafe for."""

import os
import subprocess
import sys

import pytest
import torch
from torch import nn

from naokit.images.memory_format import laid_out, lay_out, memory_format

CPU = torch.device("cpu")

TRAINS = """
import numpy as np, torch
from torch import nn
from naokit.images.data import ImageData, Split
from naokit.training.loop import train
from naokit.images.task import ImageTask
from naokit.training.device import make_fabric
from naokit.images.recipes import ImageRecipe

torch.set_num_threads(1)
rng = np.random.default_rng(0)
labels = np.arange(640) % 2
images = rng.integers(0, 256, (640, 8, 8, 1), dtype=np.uint8).transpose(0, 3, 1, 2)
split = Split(images, labels)
network = nn.Sequential(
    nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 8, 1, stride=2), nn.Flatten(), nn.Linear(128, 2)
).to(memory_format=torch.channels_last)
recipe = ImageRecipe("r", epochs=3, batch=64, crop_padding=0, flip=False)
data = ImageData("x", split, split, split, ("a", "b"))
train(network, ImageTask(data, recipe, make_fabric()), seed=0)
"""

OWN = """
import torch
from naokit.networks import OPERATIONS, FactorizedReduce

def backward(operation, channels):
    images = torch.randn(64, channels, 8, 8).to(memory_format=torch.channels_last)
    operation.to(memory_format=torch.channels_last)(images.requires_grad_()).sum().backward()

torch.set_num_threads(1)
for _ in range(10):
    for channels in (2, 4, 6):
        backward(FactorizedReduce(channels, 8), channels)
        for build in OPERATIONS.values():
            backward(build(channels, 2), channels)
"""


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (nn.Conv2d(4, 8, 1, stride=2), torch.contiguous_format),
        (nn.Conv2d(4, 8, 1, stride=(1, 2)), torch.contiguous_format),
        (nn.Conv2d(32, 32, 1, stride=2, groups=8), torch.contiguous_format),
        (nn.Conv2d(16, 4, 1, stride=2), torch.channels_last),
        (nn.Conv2d(4, 8, 1), torch.channels_last),
        (nn.Conv2d(4, 4, 3, stride=2, groups=4), torch.channels_last),
    ],
)
def test_only_a_strided_point_convolution_of_few_channels_is_unsafe(
    layer: nn.Module, expected: torch.memory_format
) -> None:
    assert memory_format(nn.Sequential(nn.ReLU(), layer), CPU) == expected
    assert memory_format(layer, torch.device("cuda")) == torch.channels_last


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_strides_follow_the_layout_even_where_they_do_not_matter(
    layout: torch.memory_format,
) -> None:
    wanted = torch.empty(5, 1, 8, 8, memory_format=layout).stride()
    one_way = torch.rand(5, 1, 8, 8)
    other = torch.rand(5, 8, 8, 1).permute(0, 3, 1, 2)
    assert one_way.stride() != other.stride()
    for images in (one_way, other):
        assert laid_out(images, layout).stride() == wanted
        assert torch.equal(laid_out(images, layout), images)
    network = nn.Sequential(nn.Conv2d(4, 6, 1).to(memory_format=torch.channels_last))
    lay_out(network, layout)
    assert network[0].weight.stride() == torch.empty(6, 4, 1, 1, memory_format=layout).stride()


@pytest.mark.parametrize("code", [TRAINS, OWN], ids=["a user's, guarded", "our own, in any layout"])
def test_no_convolution_corrupts_the_heap(code: str) -> None:
    """In a process of its own, with glibc's checks."""
    checks = {"LD_PRELOAD": "libc_malloc_debug.so.0", "MALLOC_CHECK_": "3"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **checks},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
