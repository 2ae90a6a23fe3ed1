"""A study: architectures, their evaluations and who proposes them, kept by Optuna.

    ask ──> architecture ──> evaluator ──> result ──> tell        (`optimize` walks this corridor)

The same `create_study` call again resumes: the method is shown the history and goes on as if it had
never stopped. optuna-dashboard and every other reader of Optuna studies can open the file.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from functools import cached_property

import optuna
from optuna.exceptions import DuplicatedStudyError
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, TrialState

from naokit import method as methods
from naokit.base import (
    Architecture,
    Direction,
    EvaluationFailed,
    Evaluator,
    InputError,
    Json,
    Result,
    Space,
    SpaceExhausted,
    Trial,
    derive_seed,
)
from naokit.evaluating import FirstErrors, accepted, evaluated
from naokit.evaluators.function import Function, Score
from naokit.goals import Goals
from naokit.record import (
    FORMAT,
    SETTINGS,
    await_settings,
    check_settings,
    name_objectives,
    record_environment,
    record_evaluator,
)
from naokit.sampler import (
    ARCHITECTURE,
    FIRST,
    INTERRUPTED,
    OUTCOME,
    REPEAT,
    SAMPLERS,
    TOLD,
    ArchitectureSampler,
    counts,
    ended,
    interrupted,
    optuna_sampler,
    pending,
    read_architecture,
    record_of,
    release_abandoned,
    taken,
    to_trial,
)
from naokit.spaces.bounded import limited, outside
from naokit.standings import Ranking
from naokit.storage import open_for_reading, open_storage, shown, storage_errors
from naokit.suggesting import suggested

DEFAULT_EVALUATIONS = 100
"""The budget where nobody names one: `ask` before any `optimize`."""


@dataclass(frozen=True)
class Asked:
    """An architecture to evaluate: hand `number` back to `tell`."""

    number: int
    architecture: Architecture
    origin: str


def create_study(
    space: Space,
    *,
    storage: str | None = None,
    name: str = "naokit",
    method: str | BaseSampler = "nao",
    seed: int = 0,
    evaluations: int | None = None,
    direction: Direction = "maximize",
    objectives: Sequence[str] = (),
    limits: Sequence[str] = (),
) -> Study:
    """A new study, or the one of this name in the storage, continued.

    Args:
        space: what is searched.
        storage: a database URL as Optuna takes it (`sqlite:///cells.db`); None: memory.
        name: of the study in the storage.
        method: a name (see `check_method`), or a sampler of Optuna's.
        seed: of proposals and evaluations.
        evaluations: the budget that the method plans for; None: that of the first `optimize`.
        direction: whether more of the value is better.
        objectives: where there are several: a name for the value, then names of metrics, with
            `:minimize` or `:maximize` (`["accuracy", "latency:minimize"]`); see `Study.front`.
        limits: bounds on figures of a result or of an architecture (`["parameters<=3e6"]`).

    Raises:
        InputError: the study there has another space or setting, or cannot be opened.
    """
    goals = Goals.of(direction, objectives, limits)
    wanted = {
        "format": FORMAT,
        "space": dict(space.settings()),
        "method": method if isinstance(method, str) else type(method).__name__,
        "seed": seed,
        "direction": direction,
        "goals": goals.to_json() if objectives or limits else None,
    }
    if isinstance(method, str):
        check_method(method)  # a wrong name fails before anything is written
    with storage_errors(storage and shown(storage)):
        database = open_storage(storage)
        try:
            directions = [objective.direction for objective in goals.objectives]
            study = optuna.create_study(storage=database, study_name=name, directions=directions)
            study.set_user_attr(SETTINGS, wanted | {"evaluations": evaluations, "evaluator": None})
            name_objectives(study, [objective.name for objective in goals.objectives])
        except DuplicatedStudyError:
            study = optuna.load_study(storage=database, study_name=name)
            await_settings(study)
            check_settings(study, wanted)
        return Study(space, study, method)


def check_method(name: str) -> None:
    """Raises InputError unless a method of ours, or a sampler of Optuna's, has this name."""
    if name not in SAMPLERS:
        methods.factory(name, others=SAMPLERS)


def open_study(space: Space, storage: str, name: str) -> Study:
    """A study that is there already, for reading: nothing is made, compared or released.

    Raises:
        InputError: there is none of this name.
    """
    with storage_errors(shown(storage)):
        try:
            study = optuna.load_study(storage=open_for_reading(storage), study_name=name)
        except KeyError:
            raise InputError(f"{shown(storage)} holds no study named {name}") from None
        return Study(space, study, study.user_attrs[SETTINGS]["method"], reading=True)


class Study(Ranking):
    """Made by `create_study`.

    Attributes:
        space: what is searched.
        optuna: the Optuna study beneath.
    """

    def __init__(
        self,
        space: Space,
        study: optuna.Study,
        method: str | BaseSampler,
        *,
        reading: bool = False,
    ) -> None:
        self.space = space
        self.optuna = study
        self._method = method
        self._asked: dict[int, optuna.Trial] = {}
        self._evaluator: Evaluator | None = None
        self._first: list[Architecture] = []
        self._first_errors = FirstErrors()
        if not reading:
            with self._errors():
                release_abandoned(study)
                record_environment(study)

    @property
    def name(self) -> str:
        """Its name in the storage."""
        return self.optuna.study_name

    @property
    def settings(self) -> dict[str, Json]:
        """What the study was made with."""
        settings: dict[str, Json] = self.optuna.user_attrs[SETTINGS]
        return settings

    @property
    def seed(self) -> int:
        """Of proposals and evaluations."""
        return int(self.settings["seed"])

    @cached_property
    def goals(self) -> Goals:
        """Objectives and limits."""
        texts = self.settings.get("goals") or {"objectives": (), "limits": ()}
        return Goals.of(self.settings["direction"], texts["objectives"], texts["limits"])

    def ask(self) -> Asked:
        """The next architecture to evaluate.

        Raises:
            SpaceExhausted: there is none left.
        """
        with self._errors():
            while True:
                seen = {trial.number for trial in self.optuna.get_trials(deepcopy=False)}
                sampler = self._sampler()
                if (given := self._given()) is not None:
                    asked = self._new_trial(given, FIRST)
                    trial = self._asked[asked.number]
                elif isinstance(sampler, ArchitectureSampler):
                    sampler.prepare(self.optuna)
                    trial = self.optuna.ask()
                else:
                    trial = self._suggested()
                if not taken(self.optuna, trial, self.space, seen):
                    break
                trial.set_user_attr(OUTCOME, {"reason": INTERRUPTED})
                self.optuna.tell(trial, state=TrialState.FAIL)
        self._asked[trial.number] = trial
        origin = trial.user_attrs[ARCHITECTURE]["origin"]
        return Asked(trial.number, read_architecture(trial, self.space), origin)

    def tell(self, number: int, result: Result | float | None, reason: str = "") -> Trial:
        """Records the result of an architecture that this process asked for.

        Args:
            number: of the trial asked for.
            result: the result or its value; None: the evaluation failed.
            reason: why it failed.

        Raises:
            InputError: the trial waits for no result here, or the result is no number or lacks a
                figure that an objective or a limit needs. Nothing is recorded.
        """
        if number not in self._asked:
            raise InputError(
                f"trial {number} waits for no result: it was told already, or this process has "
                "not asked for it; study.add(architecture, result) records what was made elsewhere"
            )
        values: list[float] = []
        if result is not None:
            try:
                result, values = accepted(result, self.goals, lambda: self.trials)
            except EvaluationFailed as error:
                result, reason = None, error.reason
        outcome: dict[str, Json] = {"reason": reason or "failed"}
        if result is not None:
            outcome = {"metrics": dict(result.metrics), "seconds": result.seconds}
        with self._errors():
            trial = self._asked[number]
            trial.set_user_attr(OUTCOME, outcome)
            state = TrialState.FAIL if result is None else TrialState.COMPLETE
            told = self.optuna.tell(trial, None if result is None else values, state)
            del self._asked[number]
            return to_trial(told, self.space)

    def enqueue(self, architectures: Sequence[Architecture]) -> None:
        """Evaluates these before the method proposes any.

        Left out are those evaluated already and, by `optimize`, those beyond a limit that costs no
        evaluation.
        """
        known = {trial.architecture.key for trial in self.trials} if architectures else set()
        for architecture in architectures:
            if architecture.key not in known:
                known.add(architecture.key)
                self._first.append(self.space.architecture(architecture.choices))

    def add(self, architecture: Architecture, result: Result | float) -> Trial:
        """Records an evaluation made elsewhere: methods learn from it, `evaluations` leaves it out.

        A value of the same data and recipe, or one that ranks alike: it stands beside the study's
        own, also in `standings`.

        Raises:
            InputError: as `tell` does.
        """
        with suppress(EvaluationFailed):  # a failed trial; bad input is told before there is one
            accepted(result, self.goals, lambda: self.trials)
        asked = self._new_trial(architecture, TOLD)
        return self.tell(asked.number, result)

    def optimize(
        self,
        evaluator: Evaluator | Score,
        evaluations: int,
        *,
        seconds: float | None = None,
        on_trial: Callable[[Trial], None] | None = None,
    ) -> None:
        """Evaluates until the study holds `evaluations` of them (earlier runs count).

        Ends early, without an error, when the space or the clock is exhausted.

        Args:
            evaluator: an evaluator, or a function `architecture -> float`.
            evaluations: how many the study shall hold, failed ones included.
            seconds: start no evaluation after so many.
            on_trial: called after each.

        Raises:
            InputError: the study was begun with an evaluator that works otherwise, the evaluator
                gives no figure that an objective or a limit needs, or each of the first five
                evaluations raised the same kind of error. Any other error is a failed trial.
        """
        evaluator = self._prepared(evaluator, evaluations)
        if any(trial.value is not None for trial in self.trials):
            self._first_errors.succeeded()
        began = time.monotonic()
        while self.evaluations < evaluations:
            if seconds is not None and time.monotonic() - began > seconds:
                return
            try:
                asked = self.ask()
            except SpaceExhausted:
                return
            trial = self._evaluate(evaluator, asked, repeat=0)
            if on_trial is not None:
                on_trial(trial)
            self._first_errors.check()

    def repeat(
        self,
        evaluator: Evaluator | Score,
        *,
        best: int,
        times: int,
        on_trial: Callable[[Trial], None] | None = None,
    ) -> None:
        """Evaluates the best few again, `times` in all each, so that luck counts for less.

        Methods do not see repeats; `standings` compares the means. A failed repeat is not made
        again: with the same seed it would fail again.
        """
        evaluator = self._prepared(evaluator, None)
        made = Counter(trial.architecture.key for trial in self.trials)
        for standing in self.by_first_value()[:best]:
            for repeat in range(made[standing.architecture.key], times):
                with self._errors():
                    asked = self._new_trial(standing.architecture, REPEAT)
                trial = self._evaluate(evaluator, asked, repeat=repeat)
                if on_trial is not None:
                    on_trial(trial)

    @property
    def evaluations(self) -> int:
        """How many evaluations ended, failed ones included; repeats and told ones not."""
        return len(self._own())

    @property
    def failed(self) -> int:
        """How many of the `evaluations` gave no value."""
        return sum(trial.state == TrialState.FAIL for trial in self._own())

    @property
    def trials(self) -> list[Trial]:
        """Every evaluation that ended, repeats included, interrupted ones not."""
        return [to_trial(frozen, self.space) for frozen in self._finished() if ended(frozen)]

    def _sampler(self) -> BaseSampler:
        """The sampler; that of our own methods is made once, when the budget is known."""
        if not isinstance(self._method, str):
            self.optuna.sampler = self._method
        elif self._method in SAMPLERS:
            # Made anew for each trial: what it proposes follows from seed and history alone.
            trials = self.optuna.get_trials(deepcopy=False)
            counted = sum(not interrupted(trial) for trial in trials)
            seed = derive_seed(self.seed, self._method, counted)
            self.optuna.sampler = optuna_sampler(self._method, seed)
        elif not isinstance(self.optuna.sampler, ArchitectureSampler):
            budget = self.settings["evaluations"] or DEFAULT_EVALUATIONS
            method = methods.factory(self._method)(self._limited_space(), self.seed, budget)
            sampler = ArchitectureSampler(self.space, method, self.seed, self.goals)
            self.optuna.sampler = sampler
        return self.optuna.sampler

    def _limited_space(self) -> Space:
        """The space within the limits that cost no evaluation."""
        if self._evaluator is None:
            return self.space
        return limited(self.space, self._evaluator, self.goals.limits)

    def _given(self) -> Architecture | None:
        """The next of those that are evaluated first; None: there is none left."""
        while self._first:
            given = self._first.pop(0)
            evaluator, limits = self._evaluator, self.goals.limits
            if evaluator is None or not outside(self.space, evaluator, limits, [given]):
                return given
        return None

    def _finished(self) -> list[FrozenTrial]:
        states = (TrialState.COMPLETE, TrialState.FAIL)
        with self._errors():
            return self.optuna.get_trials(deepcopy=False, states=states)

    def _own(self) -> list[FrozenTrial]:
        """The evaluations that a budget counts: no repeats, none that were told."""
        return [
            trial
            for trial in self._finished()
            if counts(trial) and trial.user_attrs[ARCHITECTURE]["origin"] != TOLD
        ]

    def _suggested(self) -> optuna.Trial:
        """A trial whose architecture one of Optuna's samplers composes."""
        known = {trial.architecture.key: trial.values for trial in self.trials}
        known |= {architecture.key: () for architecture in pending(self.optuna, self.space)}
        seed = derive_seed(self.seed, "suggested", len(known))
        return suggested(self.optuna, self.space, self._limited_space(), known, self._sampler, seed)

    def _new_trial(self, architecture: Architecture, origin: str) -> Asked:
        """A trial of a given architecture."""
        sampler, self.optuna.sampler = self.optuna.sampler, optuna.samplers.RandomSampler()
        try:
            trial = self.optuna.ask()
        finally:
            self.optuna.sampler = sampler
        trial.set_user_attr(ARCHITECTURE, record_of(architecture, origin))
        self._asked[trial.number] = trial
        return Asked(trial.number, architecture, origin)

    def _evaluate(self, evaluator: Evaluator, asked: Asked, repeat: int) -> Trial:
        """Asks the evaluator and tells what came of it."""
        seed = derive_seed(self.seed, "evaluation", asked.architecture.key, repeat)
        try:
            trial = self.tell(asked.number, evaluated(evaluator, asked.architecture, seed))
        except EvaluationFailed as error:
            self._first_errors.failed(error)
            return self.tell(asked.number, None, error.reason)
        except BaseException:
            self.tell(asked.number, None, INTERRUPTED)
            raise
        self._first_errors.succeeded()
        return trial

    def _prepared(self, evaluator: Evaluator | Score, evaluations: int | None) -> Evaluator:
        """The evaluator; its settings and the budget are recorded, or compared."""
        if not isinstance(evaluator, Evaluator):
            evaluator = Function(evaluator, self.settings["direction"])
        self._evaluator = evaluator
        settings = dict(evaluator.settings())
        with self._errors():
            record_evaluator(self.optuna, evaluator, settings, evaluations)
        return evaluator

    def _errors(self) -> AbstractContextManager[None]:
        return storage_errors(self.name)
