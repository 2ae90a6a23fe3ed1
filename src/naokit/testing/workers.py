"""What all workers promise."""

from __future__ import annotations

import os
from typing import ClassVar

from naokit.base import EvaluationFailed
from naokit.doors import Evaluator, Result, Workers
from naokit.space import Architecture
from naokit.study import create_study


class WorkersEvaluator(Evaluator):
    """What the suite for workers has evaluated: it says where and with what seed, or fails."""

    def __init__(self, wish: str = "") -> None:
        self.wish = wish

    def evaluate(self, architecture: Architecture, seed: int) -> Result:
        """The seed, and the process."""
        if self.wish == "fail":
            raise EvaluationFailed("diverged", "as it was told to")
        if self.wish == "raise":
            raise KeyError("as it was told to")
        return Result(float(seed), {"process": float(os.getpid())})


class WorkersContract:
    """What all workers promise. `workers` makes some; they are closed after each test."""

    architecture: ClassVar[Architecture]

    def workers(self) -> Workers:
        """Workers that have done nothing yet."""
        raise NotImplementedError

    def test_results_are_those_of_the_evaluator(self) -> None:
        """As many at once as there are slots, twice."""
        with self.workers() as workers:
            for begin in (0, 10):
                seeds = range(begin, begin + workers.slots)
                futures = [
                    workers.submit(WorkersEvaluator(), self.architecture, seed) for seed in seeds
                ]
                assert [future.result(60).value for future in futures] == [float(s) for s in seeds]
                processes = {future.result().metrics["process"] for future in futures}
                assert (processes == {float(os.getpid())}) == workers.in_this_process

    def test_what_an_evaluator_raises_comes_out_of_the_future(self) -> None:
        """A failed evaluation with its reason, any other error as it was; the workers go on."""
        with self.workers() as workers:
            failed = workers.submit(WorkersEvaluator("fail"), self.architecture, 0).exception(60)
            assert isinstance(failed, EvaluationFailed)
            assert failed.reason == "diverged"
            raised = workers.submit(WorkersEvaluator("raise"), self.architecture, 0).exception(60)
            assert isinstance(raised, KeyError)
            assert workers.submit(WorkersEvaluator(), self.architecture, 3).result(60).value == 3

    def test_a_study_finds_with_them_what_it_finds_here(self) -> None:
        """The same evaluations with the same seeds, each once."""
        space = self.architecture.space
        with self.workers() as workers:
            found = create_study(space, method="random", seed=1)
            found.optimize(WorkersEvaluator(), 5, workers=workers)
        here = create_study(space, method="random", seed=1)
        here.optimize(WorkersEvaluator(), 5)
        assert {(str(t.architecture), t.value) for t in found.trials} == {
            (str(t.architecture), t.value) for t in here.trials
        }
