"""A study: architectures, their evaluations and who proposes them, kept by Optuna.

    ask ──> architecture ──> evaluator ──> result ──> tell        (`optimize` walks this corridor)

The same `create_study` call again resumes: the method is shown the history and goes on as if it had
never stopped. optuna-dashboard and every other reader of Optuna studies can open the file.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import optuna
from optuna.exceptions import DuplicatedStudyError, StorageInternalError
from optuna.samplers import BaseSampler
from optuna.trial import TrialState
from sqlalchemy.exc import SQLAlchemyError

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
from naokit.method.baselines import RandomStream
from naokit.record import FORMAT, SETTINGS, check_settings, environment, refuse_differences
from naokit.sampler import (
    ARCHITECTURE,
    INTERRUPTED,
    KNOWN,
    OUTCOME,
    REPEAT,
    SAMPLERS,
    ArchitectureSampler,
    abandoned,
    counts,
    ended,
    optuna_sampler,
    pending,
    read_architecture,
    record_of,
    to_trial,
)
from naokit.standings import Standing, standings

DEFAULT_EVALUATIONS = 100
"""The budget where nobody names one: `ask` before any `optimize`."""

SUGGESTIONS = 50
"""How often one of Optuna's samplers may ask for what is known before it gets a random one."""

Score = Callable[[Architecture], float]


class _Function(Evaluator):
    """Any function as an evaluator."""

    def __init__(self, function: Score, direction: Direction) -> None:
        self.function = function
        self.direction = direction

    def evaluate(self, architecture: Architecture, seed: int) -> Result:
        del seed
        began = time.monotonic()
        return Result(float(self.function(architecture)), {}, time.monotonic() - began)

    def settings(self) -> Mapping[str, Json]:
        return {}  # what a function does cannot be compared


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

    Raises:
        InputError: the study there has another space or setting, or cannot be opened.
    """
    wanted = {
        "format": FORMAT,
        "space": dict(space.settings()),
        "method": method if isinstance(method, str) else type(method).__name__,
        "seed": seed,
        "direction": direction,
    }
    if isinstance(method, str):
        check_method(method)  # a wrong name fails before anything is written
    with _storage_errors(storage):
        database = _open(storage)
        try:
            study = optuna.create_study(storage=database, study_name=name, direction=direction)
            study.set_user_attr(SETTINGS, wanted | {"evaluations": evaluations, "evaluator": None})
        except DuplicatedStudyError:
            study = optuna.load_study(storage=database, study_name=name)
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
    with _storage_errors(storage):
        path = Path(storage.removeprefix("sqlite:///"))
        if storage.startswith("sqlite:///") and not path.exists():
            raise InputError(f"there is no study at {path}")
        try:
            study = optuna.load_study(storage=_open(storage), study_name=name)
        except KeyError:
            raise InputError(f"{storage} holds no study named {name}") from None
        return Study(space, study, study.user_attrs[SETTINGS]["method"], reading=True)


class Study:
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
        if not reading:
            self._release_abandoned()
            self._record_environment()

    @property
    def settings(self) -> dict[str, Json]:
        """What the study was made with."""
        settings: dict[str, Json] = self.optuna.user_attrs[SETTINGS]
        return settings

    @property
    def seed(self) -> int:
        """Of proposals and evaluations."""
        return int(self.settings["seed"])

    def ask(self) -> Asked:
        """The next architecture to evaluate.

        Raises:
            SpaceExhausted: there is none left.
        """
        with self._errors():
            sampler = self._sampler()
            if isinstance(sampler, ArchitectureSampler):
                sampler.prepare(self.optuna)
                trial = self.optuna.ask()
            else:
                trial = self._suggested()
        self._asked[trial.number] = trial
        origin = trial.user_attrs[ARCHITECTURE]["origin"]
        return Asked(trial.number, read_architecture(trial, self.space), origin)

    def tell(self, number: int, result: Result | float | None, reason: str = "") -> Trial:
        """Records the result of an asked architecture.

        Args:
            number: of the trial asked for.
            result: the result or its value; None: the evaluation failed.
            reason: why it failed.
        """
        if result is not None and not isinstance(result, Result):
            result = Result(float(result))
        if result is not None and not math.isfinite(result.value):
            reason, result = f"value is {result.value}", None
        outcome: dict[str, Json] = {"reason": reason or "failed"}
        if result is not None:
            outcome = {"metrics": dict(result.metrics), "seconds": result.seconds}
        with self._errors():
            trial = self._asked.pop(number)
            trial.set_user_attr(OUTCOME, outcome)
            value = None if result is None else result.value
            state = TrialState.FAIL if result is None else TrialState.COMPLETE
            return to_trial(self.optuna.tell(trial, value, state), self.space)

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
            InputError: the study was begun with an evaluator that works otherwise.
        """
        evaluator = self._prepared(evaluator, evaluations)
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

    def repeat(
        self,
        evaluator: Evaluator | Score,
        *,
        best: int,
        times: int,
        on_trial: Callable[[Trial], None] | None = None,
    ) -> None:
        """Evaluates the best few again, `times` in all each, so that luck counts for less.

        Methods do not see repeats; `standings` compares the means.
        """
        evaluator = self._prepared(evaluator, None)
        for standing in self._once()[:best]:
            for repeat in range(len(standing.values), times):
                with self._errors():
                    asked = self._new_trial(standing.architecture, REPEAT)
                trial = self._evaluate(evaluator, asked, repeat=repeat)
                if on_trial is not None:
                    on_trial(trial)

    @property
    def evaluations(self) -> int:
        """How many evaluations ended, failed ones included, repeats not."""
        states = (TrialState.COMPLETE, TrialState.FAIL)
        return sum(counts(trial) for trial in self.optuna.get_trials(deepcopy=False, states=states))

    @property
    def trials(self) -> list[Trial]:
        """Every evaluation that ended, repeats included, interrupted ones not."""
        states = (TrialState.COMPLETE, TrialState.FAIL)
        return [
            to_trial(frozen, self.space)
            for frozen in self.optuna.get_trials(deepcopy=False, states=states)
            if ended(frozen)
        ]

    def standings(self) -> list[Standing]:
        """The architectures, best first: those evaluated most often before the others."""
        return standings(self.trials, self._sign)

    @property
    def best(self) -> Standing:
        """The first of `standings`.

        Raises:
            InputError: nothing has been evaluated yet.
        """
        standings = self.standings()
        if not standings:
            raise InputError(
                f"the study {self.optuna.study_name} has no finished evaluation yet: search first"
            )
        return standings[0]

    @property
    def best_architecture(self) -> Architecture:
        """The best architecture; see `standings` for what that means."""
        return self.best.architecture

    @property
    def best_value(self) -> float:
        """Its value, the mean where it was evaluated several times."""
        return self.best.mean

    @property
    def best_trials(self) -> list[Trial]:
        """The evaluations of the best architecture."""
        key = self.best_architecture.key
        return [t for t in self.trials if t.architecture.key == key and t.value is not None]

    @property
    def _sign(self) -> float:
        return 1.0 if self.settings["direction"] == "maximize" else -1.0

    def _once(self) -> list[Standing]:
        """Standings by the first evaluation alone, so that repeats do not choose themselves."""
        return sorted(self.standings(), key=lambda s: (-self._sign * s.values[0], s.number))

    def _sampler(self) -> BaseSampler:
        """The sampler; that of our own methods is made once, when the budget is known."""
        if not isinstance(self._method, str):
            self.optuna.sampler = self._method
        elif self._method in SAMPLERS:
            # Made anew for each trial: what it proposes follows from seed and history alone.
            seed = derive_seed(self.seed, self._method, len(self.optuna.get_trials(deepcopy=False)))
            self.optuna.sampler = optuna_sampler(self._method, seed)
        elif not isinstance(self.optuna.sampler, ArchitectureSampler):
            budget = self.settings["evaluations"] or DEFAULT_EVALUATIONS
            method = methods.factory(self._method)(self.space, self.seed, budget)
            self.optuna.sampler = ArchitectureSampler(self.space, method, self.seed)
        return self.optuna.sampler

    def _suggested(self) -> optuna.Trial:
        """A trial whose architecture one of Optuna's samplers composes, parameter by parameter.

        These samplers ask for known architectures again and again: they are told the known value,
        which counts as no evaluation. One that will not stop gets a random architecture.
        """
        known = {trial.architecture.key: trial.value for trial in self.trials}
        known |= {architecture.key: None for architecture in pending(self.optuna, self.space)}
        for _ in range(SUGGESTIONS):
            trial = self._composed(known)
            if trial is not None:
                return trial
        stream = RandomStream(self.space, derive_seed(self.seed, "suggested", len(known)))
        architecture = stream.next(known)
        names = self.space.grammar.names
        self.optuna.enqueue_trial(dict(zip(names, architecture.choices, strict=True)))
        trial = self._composed({})
        assert trial is not None
        return trial

    def _composed(self, known: Mapping[str, float | None]) -> optuna.Trial | None:
        """A trial as the sampler composes it; None, and told what is known, where that is known."""
        self._sampler()
        trial = self.optuna.ask()
        architecture = self.space.suggest(trial)
        new = architecture.key not in known and self.space.allows(architecture.choices)
        origin = type(self.optuna.sampler).__name__ if new else KNOWN
        trial.set_user_attr(ARCHITECTURE, record_of(architecture, origin))
        if new:
            return trial
        value = known.get(architecture.key)
        self.optuna.tell(trial, value, TrialState.FAIL if value is None else TrialState.COMPLETE)
        return None

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
            result = evaluator.evaluate(asked.architecture, seed)
        except (EvaluationFailed, MemoryError, ArithmeticError) as error:
            reason = getattr(error, "reason", type(error).__name__)
            return self.tell(asked.number, None, reason)
        except BaseException:
            self.tell(asked.number, None, INTERRUPTED)
            raise
        return self.tell(asked.number, result)

    def _prepared(self, evaluator: Evaluator | Score, evaluations: int | None) -> Evaluator:
        """The evaluator; its settings and the budget are recorded, or compared."""
        settings = self.settings
        if not isinstance(evaluator, Evaluator):
            evaluator = _Function(evaluator, settings["direction"])
        found = dict(evaluator.settings())
        if evaluator.direction != settings["direction"]:
            raise InputError(
                f"the study is to {settings['direction']}, but {evaluator.metric} is to "
                f"{evaluator.direction}: create the study with direction={evaluator.direction!r}"
            )
        if settings["evaluator"] is None or settings["evaluations"] is None:
            settings["evaluator"] = settings["evaluator"] or found
            settings["evaluations"] = settings["evaluations"] or evaluations
            with self._errors():
                self.optuna.set_user_attr(SETTINGS, settings)
        refuse_differences(
            self.optuna.study_name, {"evaluator": settings["evaluator"]}, {"evaluator": found}
        )
        return evaluator

    def _release_abandoned(self) -> None:
        """Marks trials whose process was killed; their evaluation will be done again."""
        with self._errors():
            for trial in abandoned(self.optuna):
                self.optuna._storage.set_trial_user_attr(
                    trial._trial_id, OUTCOME, {"reason": INTERRUPTED}
                )
                self.optuna.tell(trial.number, state=TrialState.FAIL)

    def _record_environment(self) -> None:
        """Adds this machine and these versions where they are new to the study."""
        with self._errors():
            known = self.optuna.user_attrs.get("environments", [])
            if environment() not in known:
                self.optuna.set_user_attr("environments", [*known, environment()])

    def _errors(self) -> AbstractContextManager[None]:
        return _storage_errors(self.optuna.study_name)


def _open(storage: str | None) -> optuna.storages.BaseStorage:
    """The storage; the folder of a SQLite file is made."""
    if storage is not None and storage.startswith("sqlite:///"):
        Path(storage.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    return optuna.storages.get_storage(storage)


@contextmanager
def _storage_errors(name: str | None) -> Iterator[None]:
    """Turns what a database raises into one line."""
    try:
        yield
    except (StorageInternalError, SQLAlchemyError, OSError, ImportError) as error:
        cause = error.__cause__ or error
        reason = str(cause).strip().splitlines()[0]
        raise InputError(
            f"the study {name} cannot be read or written ({reason}); check the address, the "
            "permissions and the free space, then run the same again: what is stored is kept"
        ) from error
