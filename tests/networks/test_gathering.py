"""The benchmark's shared networks that compute every operation: the same outputs and gradients."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.networks.agreeing import check_agree

from naokit.settings import ImageSettings
from naokit.spaces import ConvCells, NasBench201

sys.path.append(str(Path(__file__).parents[2]))
from benchmarks import sharing_speed


@pytest.mark.parametrize("space", [ConvCells.small(nodes=2), NasBench201()], ids=str)
def test_gathering_computes_what_the_shared_network_does(space: ConvCells | NasBench201) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        shared = space.build_shared(ImageSettings(3, 4, 1, (1, 8, 8)))
        images = torch.randn(6, 1, 8, 8)
    gathers = sharing_speed.gathering(shared)
    for seed in range(3):
        plan = space.plan(space.sample(np.random.default_rng(seed)))
        outputs = [network(images, plan) for network in (shared, gathers)]
        check_agree((shared, gathers), outputs, 1e-4)


def test_the_benchmark_measures_every_way() -> None:
    case = sharing_speed.Case(ConvCells.small(nodes=1), 2, 1)
    row = sharing_speed.measured(case, sharing_speed.noise(600), amount=1, repeats=1)
    assert set(row["step"]["ms"]) == {"ours", "gathers", "contiguous"}
    assert len(row["scored cell"]["times_the_cpu_ms"]) == 5
    assert all(value > 0 for value in row["scored cell"]["parts_cpu_ms"].values())
