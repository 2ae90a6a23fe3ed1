"""The benchmark's recurrent cells: the same outputs and gradients as the shared cell's."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.networks.agreeing import check_agree

from naokit.settings import LanguageSettings
from naokit.spaces import RecurrentCells

sys.path.append(str(Path(__file__).parents[2]))
from benchmarks import sharing_speed_text


@pytest.mark.parametrize("build", ["loop", "gathers"])
def test_each_build_computes_what_the_shared_cell_does(build: str) -> None:
    space = RecurrentCells(nodes=3)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        shared = space.build_shared(LanguageSettings(vocabulary=11, hidden=6))
    other = sharing_speed_text.builds(shared)[build]
    tokens = torch.randint(11, (5, 2), generator=torch.Generator().manual_seed(0))
    for seed in range(3):
        plan = space.plan(space.sample(np.random.default_rng(seed)))
        logits = [model(tokens, None, plan).logits for model in (shared, other)]
        check_agree((shared, other), logits, 1e-5)
