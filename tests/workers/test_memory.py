"""A worker that takes too much memory fails its evaluation, and nothing else."""

import multiprocessing
import time
from pathlib import Path

import numpy as np
import pytest

from naokit.base import EvaluationFailed, InputError
from naokit.doors import Evaluator, Result
from naokit.space import Architecture
from naokit.spaces import ConvCells
from naokit.workers import Local

ONE = ConvCells.small(nodes=1).parse("0 0 1 0 0 3 1 4")
MEGABYTE = 1 << 20


def _hold(megabytes: int) -> None:
    held = np.ones(megabytes * MEGABYTE, dtype=np.uint8)
    time.sleep(600)
    assert held.all()


class Greedy(Evaluator):
    """Holds more and more, by numpy, torch or in a process of its own."""

    def __init__(self, way: str) -> None:
        self.way = way

    def evaluate(self, architecture: Architecture, seed: int) -> Result:
        held: list[object] = []
        if self.way == "child":
            child = multiprocessing.get_context("fork").Process(target=_hold, args=(400,))
            child.start()
            child.join()
        while self.way == "numpy":
            held.append(np.ones(50 * MEGABYTE, dtype=np.uint8))
        while self.way == "torch":
            import torch

            held.append(torch.ones(50 * MEGABYTE, dtype=torch.uint8))
        return Result(float(Path("/proc/self/oom_score_adj").read_text()))


@pytest.mark.parametrize("way", ["numpy", "torch", "child"])
def test_beyond_its_memory_an_evaluation_has_failed(way: str) -> None:
    with Local(1, memory=(300 if way == "child" else 600) * MEGABYTE) as workers:
        error = workers.submit(Greedy(way), ONE, 0).exception(60)
        assert isinstance(error, EvaluationFailed)
        assert error.reason == "out of memory"
        assert "bytes are held, of " in str(error)
        assert workers.submit(Greedy(""), ONE, 0).result(60).value == 1000


@pytest.mark.parametrize("limit", [{"memory": 0}, {"seconds": 0.0}, {"seconds": -1.0}])
def test_limits_are_more_than_nothing(limit: dict[str, int]) -> None:
    with pytest.raises(InputError, match="expected more than 0"):
        Local(1, **limit)
