"""What all workers promise."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import ClassVar

from naokit.base import EvaluationFailed
from naokit.doors import Evaluator, Reporter, Result, Workers
from naokit.space import Architecture
from naokit.study import create_study

PATIENCE = 120
"""Seconds that are waited for a result; a cluster may take its time to begin."""


class WorkersEvaluator(Evaluator):
    """What the suite for workers has evaluated: it says where and with what seed, or fails."""

    epochs = 3

    def __init__(self, wish: str = "") -> None:
        self.wish = wish

    def evaluate(self, architecture: Architecture, seed: int) -> Result:
        """The seed, and the process."""
        if self.wish == "fail":
            raise EvaluationFailed("diverged", "as it was told to")
        if self.wish == "raise":
            raise KeyError("as it was told to")
        if self.wish == "sleep":
            time.sleep(600)
        return Result(float(seed), {"process": float(os.getpid())})

    def evaluate_in_epochs(self, architecture: Architecture, seed: int, told: Reporter) -> Result:
        """The epoch after which it was told to stop."""
        assert told.folder == WorkersReporter.folder
        number = next(n for n in range(1, self.epochs + 1) if told.report(n, seed + n / 10))
        return Result(float(number))


class WorkersReporter(Reporter):
    """Keeps what it is told and where; stops after the second epoch or fails."""

    folder = Path("/checkpoints")

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails
        self.told: list[tuple[int, float, int]] = []

    def report(self, epoch: int, value: float) -> bool:
        """Whether this is the second epoch."""
        self.told.append((epoch, value, os.getpid()))
        if self.fails:
            raise EvaluationFailed("diverged", "as it was told to")
        return epoch == 2


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
                assert [future.result(PATIENCE).value for future in futures] == [
                    float(s) for s in seeds
                ]
                processes = {future.result().metrics["process"] for future in futures}
                assert (processes == {float(os.getpid())}) == workers.in_this_process

    def test_what_an_evaluator_raises_comes_out_of_the_future(self) -> None:
        """A failed evaluation with its reason, any other error as it was; the workers go on."""
        with self.workers() as workers:
            failed = workers.submit(WorkersEvaluator("fail"), self.architecture, 0).exception(
                PATIENCE
            )
            assert isinstance(failed, EvaluationFailed)
            assert failed.reason == "diverged"
            raised = workers.submit(WorkersEvaluator("raise"), self.architecture, 0).exception(
                PATIENCE
            )
            assert isinstance(raised, KeyError)
            assert (
                workers.submit(WorkersEvaluator(), self.architecture, 3).result(PATIENCE).value == 3
            )

    def test_who_is_told_of_epochs_is_told_here_and_says_when_to_stop(self) -> None:
        """Each epoch in its order; an error that is raised here ends the evaluation there."""
        with self.workers() as workers:
            reporter, failing = WorkersReporter(), WorkersReporter(fails=True)
            found = workers.submit(WorkersEvaluator(), self.architecture, 7, reporter)
            assert found.result(PATIENCE) == Result(2.0)
            assert reporter.told == [(1, 7.1, os.getpid()), (2, 7.2, os.getpid())]
            failed = workers.submit(WorkersEvaluator(), self.architecture, 7, failing)
            assert isinstance(failed.exception(PATIENCE), EvaluationFailed)
            assert failing.told == [(1, 7.1, os.getpid())]

    def test_closing_ends_what_runs_and_nothing_is_taken_afterwards(self) -> None:
        """A caller is never left waiting; closing twice is closing once."""
        workers = self.workers()
        if workers.in_this_process:  # then nothing runs while it is closed
            return
        with workers:
            begun = workers.submit(WorkersEvaluator(), self.architecture, 1).result(PATIENCE)
            assert begun.value == 1
            many = [
                workers.submit(WorkersEvaluator("sleep"), self.architecture, 0)
                for _ in range(workers.slots + 1)
            ]
        for future in many:
            assert future.cancelled() or isinstance(future.exception(PATIENCE), EvaluationFailed)
        workers.close()
        try:
            workers.submit(WorkersEvaluator(), self.architecture, 1)
        except RuntimeError:
            return
        raise AssertionError("closed workers have taken an evaluation")

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
