"""A study: architectures, their evaluations and who proposes them, kept by Optuna.

    ask ──> architecture ──> evaluator ──> result ──> tell        (`optimize` walks this corridor)

The same `create_study` call again resumes: the method is shown the history and goes on as if it had
never stopped. optuna-dashboard and every other reader of Optuna studies can open the file.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import cached_property
from itertools import islice
from pathlib import Path

from naokit.base import EvaluationFailed, InputError, Json, OutOfTime, whole_number
from naokit.doors import Evaluator, Result, Trial, Workers
from naokit.evaluators.function import Function, Score
from naokit.space import Architecture, Space, check_architecture
from naokit.study.asking import Asking
from naokit.study.claims import Claims
from naokit.study.corridor import Asked, Corridor, check_place
from naokit.study.evaluation import FirstErrors, accepted, evaluated
from naokit.study.goals import Goals
from naokit.study.ledger import Ledger, record_of, to_trial
from naokit.study.origins import TOLD, epochs_of, firsts
from naokit.study.progress import TrialsBar
from naokit.study.proposing import AnyMethod, Proposing
from naokit.study.pruning import Pruner
from naokit.study.settings import (
    ENVIRONMENTS,
    record_environment,
    record_evaluator,
)
from naokit.study.standings import Ranking
from naokit.study.stopping import Stopping, check_epochs
from naokit.study.storage import storage_errors
from naokit.study.stored import Stored
from naokit.workers import Here

PAUSE = 1.0
"""Seconds between two looks at what other processes evaluate."""


class Study(Ranking):
    """A search: its history, its method and its standings. `create_study` makes one.

    Attributes:
        space: The space that is searched.
        optuna: The Optuna study that stores it.
    """

    def __init__(
        self,
        space: Space,
        stored: Stored,
        method: AnyMethod,
        *,
        pruner: Pruner | None = None,
        reading: bool = False,
    ) -> None:
        self.space = space
        self.optuna = stored.study
        self._ledger = Ledger(stored, space)
        self._claims = Claims(self._ledger)
        self._proposing = Proposing(self._ledger, method, self.goals, pruner)
        sign = self.goals.objectives[0].sign
        self._stopping = Stopping(self._ledger, self._claims.held, sign, pruner)
        self._asking = Asking(self, self.seed, self._claims, self._proposing, self._stopping)
        self._first_errors = FirstErrors()
        if not reading:
            with self._errors():
                self._claims.watch.release_abandoned()
                record_environment(self.optuna)
                self._claims.watch.say_silent()

    @property
    def name(self) -> str:
        """The name of the study in the storage."""
        return self.optuna.study_name

    @property
    def settings(self) -> dict[str, Json]:
        """The settings that the study was made with."""
        return self._ledger.stored.settings

    @property
    def environments(self) -> list[dict[str, Json]]:
        """The versions and machines of the processes that worked on the study."""
        return list(self.optuna.user_attrs.get(ENVIRONMENTS, []))

    @cached_property
    def seed(self) -> int:
        """The seed of proposals and evaluations."""
        return int(self.settings["seed"])

    @cached_property
    def goals(self) -> Goals:
        """The objectives and limits."""
        texts = self.settings.get("goals") or {"objectives": (), "limits": ()}
        return Goals.of(self.settings["direction"], texts["objectives"], texts["limits"])

    def ask(self) -> Asked:
        """The next architecture to evaluate; several threads and processes may ask.

        Raises:
            SpaceExhausted: There is none left.
        """
        return self._asking.next()

    def tell(self, number: int, result: Result | float | None, reason: str = "") -> Trial:
        """Records the result of an architecture that this process asked for.

        Args:
            number: The number of the trial that was asked for.
            result: The result or its value; None if the evaluation failed.
            reason: Why it failed.

        Raises:
            InputError: The trial waits for no result here, or the result is no number or lacks a
                metric that an objective or a limit needs. Nothing is recorded.
        """
        self._check_waits(number)
        outcome, values = self._outcome(result, reason)
        with self._errors():
            return to_trial(self._claims.tell(number, outcome, values), self.space)

    def report(self, number: int, epoch: int, value: float) -> None:
        """Keeps the value of an evaluation after an epoch, for loops of your own.

        Args:
            number: The number of the trial that was asked for.
            epoch: How many epochs are done, from 1, more than at the last report.
            value: The value after it.

        Raises:
            InputError: The trial waits for no result here, or the epoch is not the next.
            EvaluationFailed: The value is not finite; tell the trial as failed.
        """
        self._check_waits(number)
        with self._errors():
            self._stopping.report(number, epoch, value)

    def should_stop(self, number: int) -> bool:
        """Whether the study's pruner stops an evaluation after what it reported.

        A loop of your own then calls `tell_stopped`.
        """
        self._check_waits(number)
        with self._errors():
            return self._stopping.should_stop(number)

    def tell_stopped(self, number: int, result: Result | None = None) -> Trial:
        """Records that an evaluation was stopped early: what it reported is its result.

        Args:
            number: The number of the trial that was asked for.
            result: Its metrics and seconds; the value counts for nothing.

        Raises:
            InputError: The trial waits for no result here, or has reported nothing.
        """
        self._check_waits(number)
        last = self._stopping.last(number)
        if not last:
            raise InputError(
                f"trial {number} has reported no epoch: call `report` before `tell_stopped`, or "
                "tell it as failed"
            )
        outcome: dict[str, Json] = {"stopped": last}
        if result is not None:
            outcome |= {"metrics": dict(result.metrics), "seconds": result.seconds}
        with self._errors():
            return to_trial(self._claims.tell(number, outcome, None), self.space)

    def _check_waits(self, number: int) -> None:
        """Raises InputError unless this process asked for the trial and has not told it."""
        if number not in self._claims.held:
            raise InputError(
                f"trial {number} waits for no result: it was told already, or this process has "
                "not asked for it; study.add(architecture, result) records what was made elsewhere"
            )

    def _outcome(
        self, result: Result | float | None, reason: str
    ) -> tuple[dict[str, Json], list[float] | None]:
        """What a trial stores of a result, and the values of the objectives if there are any."""
        if result is not None:
            try:
                result, values = accepted(result, self.goals, lambda: self.trials)
            except EvaluationFailed as error:
                reason = error.reason
            else:
                return {"metrics": dict(result.metrics), "seconds": result.seconds}, values
        return {"reason": reason or "failed"}, None

    def enqueue(self, architectures: Iterable[Architecture]) -> None:
        """Has these architectures evaluated before the method proposes any.

        Architectures that were evaluated by the time of their turn, by any process, are left out.
        So are, in `optimize`, those that violate a limit whose metric costs no evaluation.
        """
        self._proposing.enqueue(architectures)

    def add(self, architecture: Architecture, result: Result | float) -> Trial:
        """Records an evaluation made elsewhere: methods learn from it, `evaluations` leaves it out.

        Its value should come from the same data and recipe, or rank architectures alike, since it
        stands beside the values of the study, also in `standings`.

        Raises:
            InputError: The result is refused, as in `tell`.
        """
        check_architecture(architecture)
        outcome, values = self._outcome(result, "")
        with self._errors():
            told = self._claims.add(record_of(architecture, TOLD), outcome, values)
            return to_trial(told, self.space)

    def release(self) -> int:
        """Gives up the trials that run on other machines without a sign of life, and says how many.

        They are evaluated again. Processes on this machine never need this, since it is seen
        whether they live; nor do processes elsewhere if the storage keeps signs of life: a quarter
        of an hour after the last one their trials are given up anyway.
        """
        with self._errors():
            return self._claims.watch.release_silent()

    def optimize(
        self,
        evaluator: Evaluator | Score,
        evaluations: int,
        *,
        seconds: float | None = None,
        on_trial: Callable[[Trial], None] | None = None,
        on_stage: Callable[[str], None] | None = None,
        show_progress_bar: bool = False,
        workers: Workers | None = None,
        folder: Path | None = None,
        epochs: int | None = None,
        on_begin: Callable[[Asked], None] | None = None,
    ) -> None:
        """Evaluates until the study holds `evaluations`, those of earlier runs included.

        Several processes may do so at once. Each waits at the end for what the others evaluate,
        since that is evaluated again where one of them dies. Ends early, without an error, when the
        space, the clock or the epochs are exhausted.

        Args:
            evaluator: An evaluator, or a function `architecture -> float`.
            evaluations: How many evaluations the study shall hold, failed ones included.
            seconds: The time after which no evaluation is begun.
            on_trial: A function that is called after each evaluation.
            on_stage: A function that is told what happens next: "proposing", "preparing" or
                "evaluating" of a round, "waiting" for what other processes evaluate.
            show_progress_bar: Whether a bar on stderr shows the progress and the best value.
            workers: Where evaluations run; the caller closes them. If None, they run here, one
                after another.
            folder: The folder in which an evaluator may keep a state (see `Evaluator.begin`) and
                stopped evaluations their checkpoints.
            epochs: How many epochs all evaluations may have together; no evaluation is begun after
                that. It counts what is reported to a study with a pruner. If None, there is no
                limit.
            on_begin: A function that is told of each evaluation before it begins.

        Raises:
            InputError: `epochs` is less than one evaluation has, the study was begun with an
                evaluator of other settings, an evaluation lacks a metric that an objective or a
                limit needs, or each of the first five evaluations raised the same kind of error.
                Any other error is a failed trial.
        """
        evaluations = whole_number("evaluations", evaluations, least=0)
        evaluator = self._prepared(evaluator, evaluations, folder)
        check_epochs(self._stopping.pruner, evaluator, epochs)
        if any(trial.value is not None for trial in self.trials):
            self._first_errors.succeeded()

        ends = None if seconds is None else time.monotonic() + seconds

        def ask(running: int) -> Iterator[Asked]:
            if epochs is not None and self.epochs >= epochs:
                return iter(())
            if evaluator.round_size == 1:
                return self._asking.next_or_continued(evaluations)
            if running:
                return iter(())
            return self._asking.round(evaluator, evaluations, ends, on_stage)

        with (
            TrialsBar(self.name, evaluator.metric, evaluations, budget=epochs or 0)
            if show_progress_bar
            else (nullcontext()) as bar
        ):

            def told(trial: Trial) -> None:
                if bar is not None:
                    bar.told(self, trial)
                if on_trial is not None:
                    on_trial(trial)
                self._first_errors.check()

            with suppress(OutOfTime):
                corridor = self._corridor(evaluator, workers, told, on_begin)
                self._walk(corridor, ask, ends, on_stage)
        self._stopping.ended(complete=ends is None or time.monotonic() < ends)

    def repeat(
        self,
        evaluator: Evaluator | Score,
        *,
        best: int,
        times: int,
        on_trial: Callable[[Trial], None] | None = None,
        workers: Workers | None = None,
        folder: Path | None = None,
        on_begin: Callable[[Asked], None] | None = None,
    ) -> None:
        """Evaluates the best few again, `times` each in all, so that luck counts for less.

        Methods do not see repeats; `standings` compares the means. A failed repeat is not made
        again: with the same seed it would fail again. For the other arguments see `optimize`.
        """
        evaluator = self._prepared(evaluator, None, folder)
        leaders = self.by_first_value()[:best]
        corridor = self._corridor(evaluator, workers, on_trial, on_begin)
        self._walk(corridor, lambda running: islice(self._asking.again(leaders, times), 1))

    def decide(
        self,
        evaluator: Evaluator | Score,
        repeats: int,
        *,
        seconds: float | None = None,
        on_trial: Callable[[Trial], None] | None = None,
        workers: Workers | None = None,
        folder: Path | None = None,
        on_begin: Callable[[Asked], None] | None = None,
    ) -> None:
        """Evaluates again until the study holds `repeats`, each where it can change what is best.

        The best is evaluated twice at least. Each further one goes where it is expected to raise
        the value of whatever leads afterwards most (`naokit.study.deciding`). Methods do not see
        repeats. For the other arguments see `optimize`.
        """
        evaluator = self._prepared(evaluator, None, folder)
        ends = None if seconds is None else time.monotonic() + seconds
        corridor = self._corridor(evaluator, workers, on_trial, on_begin)
        self._walk(corridor, lambda running: self._asking.decisive(repeats), ends)

    def _walk(
        self,
        corridor: Corridor,
        ask: Callable[[int], Iterator[Asked]],
        ends: float | None = None,
        on_stage: Callable[[str], None] | None = None,
    ) -> None:
        """Evaluates all that is asked for, and what other processes that ended left of it."""
        while True:
            corridor.walk(ask, ends)
            with self._errors():
                done = not self._claims.watch.at_work()
            if done or (ends is not None and time.monotonic() > ends):
                return
            if on_stage is not None:
                on_stage("waiting")
            time.sleep(PAUSE)

    @property
    def evaluations(self) -> int:
        """How many evaluations ended, failed ones included, without repeats and told ones."""
        return len(self._own())

    @property
    def failed(self) -> int:
        """How many of the `evaluations` gave nothing."""
        return sum(trial.failed for trial in self._own())

    @property
    def stopped(self) -> int:
        """How many of the `evaluations` were stopped early and did not go on."""
        with self._errors():
            return sum(bool(trial.stopped) for trial in self._ledger.read().history)

    @property
    def epochs(self) -> int:
        """How many epochs were reported of all evaluations together."""
        return epochs_of(self.trials)

    @property
    def trials(self) -> list[Trial]:
        """Every evaluation that ended, with repeats, without interrupted ones."""
        with self._errors():
            return list(self._ledger.read().ended)

    def _repr_html_(self) -> str:
        """What notebooks show: the course of the search, and the best few."""
        from naokit.study.notebook import study_html  # needed only to look at a study

        evaluator = self._proposing.evaluator
        metric = "value" if evaluator is None else evaluator.metric
        return str(study_html(self, f"{self.settings['method']} on {self.space.name}", metric))

    def _own(self) -> list[Trial]:
        """The evaluations that the budget counts: each architecture once, without told ones."""
        return firsts(self.trials)

    def _corridor(
        self,
        evaluator: Evaluator,
        workers: Workers | None,
        on_trial: Callable[[Trial], None] | None,
        on_begin: Callable[[Asked], None] | None,
    ) -> Corridor:
        check_place(evaluator, workers)

        def tell(asked: Asked, evaluation: Future[Result]) -> None:
            trial = self._told(asked, evaluation)
            if on_trial is not None:
                on_trial(trial)

        return Corridor(
            evaluator,
            workers or Here(),
            tell,
            self._claims.give_back,
            lambda asked: self._stopping.told(asked, evaluator),
            on_begin or (lambda asked: None),
        )

    def _told(self, asked: Asked, evaluation: Future[Result]) -> Trial:
        stopped = self._stopping.over(asked)
        try:
            result = evaluated(evaluation)
        except EvaluationFailed as error:
            self._first_errors.failed(error)
            return self.tell(asked.number, None, error.reason)
        tell = self.tell_stopped if stopped else self.tell
        trial = tell(asked.number, result)
        self._first_errors.succeeded()
        return trial

    def _prepared(
        self, evaluator: Evaluator | Score, evaluations: int | None, folder: Path | None
    ) -> Evaluator:
        """Begins the evaluator; its settings and the budget are recorded, or compared."""
        if not isinstance(evaluator, Evaluator):
            evaluator = Function(evaluator, self.settings["direction"])
        settings = dict(evaluator.settings())
        with self._errors():
            record_evaluator(self.optuna, evaluator, settings, evaluations)
        if evaluator is not self._proposing.evaluator:
            evaluator.begin(folder)
            self._stopping.keep_in(folder)
        self._proposing.evaluator = evaluator
        return evaluator

    def _errors(self) -> AbstractContextManager[None]:
        return storage_errors(self.name)
