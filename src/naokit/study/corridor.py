"""From asking to telling: evaluations run where workers have slots, one at a time or many."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass

from naokit.base import EvaluationFailed, InputError, unexpected
from naokit.doors import WORKER_DIED, Evaluator, Reporter, Result, Workers
from naokit.space import Architecture


@dataclass(frozen=True)
class Asked:
    """An architecture to evaluate: hand `number` back to `tell`.

    Attributes:
        number: The number of its trial.
        architecture: What to evaluate.
        origin: Where the proposal came from.
        seed: The seed of the evaluation.
    """

    number: int
    architecture: Architecture
    origin: str
    seed: int


@dataclass(frozen=True)
class Corridor:
    """Asks, evaluates, tells, until nothing more is asked for.

    Attributes:
        evaluator: What scores the architectures.
        workers: Where it does so.
        tell: Takes what was asked for and its result to come.
        give_back: Takes the number of a trial that is not evaluated; one that was told stays.
        reporter: Gives who is told of the epochs of an evaluation; None where nobody is.
        on_begin: Is told of what begins to be evaluated.
    """

    evaluator: Evaluator
    workers: Workers
    tell: Callable[[Asked, Future[Result]], None]
    give_back: Callable[[int], None]
    reporter: Callable[[Asked], Reporter | None]
    on_begin: Callable[[Asked], None]

    def walk(self, ask: Callable[[int], Iterator[Asked]], ends: float | None = None) -> None:
        """Evaluates all that `ask` gives.

        Args:
            ask: Gives what is evaluated next, told how many evaluations run. Where it gives none
                it is asked again once one has ended.
            ends: The time of the monotonic clock after which no evaluation is begun.
        """
        waiting: deque[Asked] = deque()
        running: dict[Future[Result], Asked] = {}
        died: Counter[int] = Counter()
        try:
            while self._begin(ask, waiting, running, ends) or running:
                ended = wait(running, return_when=FIRST_COMPLETED).done
                for future in sorted(ended, key=lambda one: running[one].number):
                    asked = running[future]
                    died[asked.number] += (gone := _worker_died(future))
                    if gone and died[asked.number] <= self.workers.retries:
                        waiting.appendleft(asked)
                    else:
                        self.tell(asked, future)
                    del running[future]
        finally:
            for asked in (*waiting, *running.values()):
                self.give_back(asked.number)

    def _begin(
        self,
        ask: Callable[[int], Iterator[Asked]],
        waiting: deque[Asked],
        running: dict[Future[Result], Asked],
        ends: float | None,
    ) -> bool:
        """Fills the slots; whether it has begun anything."""
        before = len(running)
        while len(running) < self.workers.slots and (ends is None or time.monotonic() <= ends):
            if not waiting:
                waiting.extend(ask(len(running)))
            if not waiting:
                break
            asked = waiting[0]
            self.on_begin(asked)
            told = self.reporter(asked)
            future = self.workers.submit(self.evaluator, asked.architecture, asked.seed, told)
            running[future] = waiting.popleft()
        return len(running) > before


def check_place(evaluator: Evaluator, workers: Workers | None) -> None:
    """Raises InputError where these workers cannot evaluate what has its state in this process.

    So does what is no place at all.
    """
    if workers is not None and not isinstance(workers, Workers):
        raise unexpected("workers", workers, "naokit.workers.Local(2), another place, or None")
    if evaluator.in_one_place and workers is not None and not workers.in_this_process:
        raise InputError(
            "the evaluator keeps its state in one process: leave `workers` out, or give an "
            "evaluator that can be made again in another process"
        )


def _worker_died(evaluation: Future[Result]) -> bool:
    """Whether an evaluation failed because its worker is gone."""
    error = evaluation.exception()
    return isinstance(error, EvaluationFailed) and error.reason == WORKER_DIED
