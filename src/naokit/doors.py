"""The interfaces between the rooms, and what goes through them. Nothing here needs torch.

Evaluator    architecture -> Result, or EvaluationFailed; a Reporter is told of its epochs
Workers      where evaluations run: here, in other processes, on a cluster
Trial        one finished evaluation, as the study remembers it
Method       proposes architectures: a function of a seed and of the evaluations so far
Observation  one evaluation, as methods see it
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np

from naokit.base import Curve, Direction, InputError, Json, Weights
from naokit.space import Architecture


@dataclass(frozen=True)
class Result:
    """The result of an evaluation.

    Attributes:
        value: The score that the study compares.
        metrics: Further metrics worth keeping, by name, with units in the names. Methods that model
            noise use `NOISE`, the standard deviation of the value.
        seconds: How long the evaluation took, in seconds.
    """

    value: float
    metrics: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0


class Reporter(ABC):
    """Who is told of each epoch of an evaluation, and says when it has seen enough.

    Attributes:
        folder: Where the evaluation keeps what it needs to be continued. If None, nowhere.
    """

    folder: Path | None = None

    @abstractmethod
    def report(self, epoch: int, value: float) -> bool:
        """Takes the value after an epoch; whether the evaluation is to stop here.

        An evaluation that stopped, or was interrupted, may be asked for again with the same seed.
        Where it goes on from what it kept it reports the epochs before once more, from the first
        on: those that are known are passed over.

        Raises:
            EvaluationFailed: The value is not finite.
        """


class Evaluator(ABC):
    """Scores architectures. Any function `architecture -> float` serves as one too.

    Promises are tested by `naokit.testing.EvaluatorContract`. An evaluator that keeps a state, such
    as weights that architectures share, sets `round_size` and `in_one_place`, and alters it in
    `prepare`.

    Attributes:
        metric: What `Result.value` is, in words.
        direction: Whether the value is maximised or minimised.
        round_size: How many architectures are proposed before the first of them is evaluated; with
            `kept`, how many a round has in all.
        kept: How many of the best of a round stay in the next one and are evaluated again there,
            because values change from round to round. Methods then see the latest values.
        in_one_place: Whether the evaluator has a state in one process, so that no other process can
            evaluate.
        epochs: How many epochs an evaluation has. With more than one a study with a pruner calls
            `evaluate_in_epochs`, so that evaluations can stop early.
    """

    metric: str = "value"
    direction: Direction = "maximize"
    epochs: int = 1
    round_size: int = 1
    kept: int = 0
    in_one_place: bool = False

    def begin(self, folder: Path | None) -> None:
        """Called before the first evaluation of a search, and again when the search is continued.

        Args:
            folder: A folder for state that outlives the process; None if the search has none.
        """
        del folder

    def prepare(
        self, pool: Sequence[Architecture], number: int, seconds: float | None = None
    ) -> None:
        """Called before each round is evaluated, if a round is more than one architecture.

        What it does must follow from its first two arguments and its earlier calls. A search that
        was interrupted within a round calls it for that round again.

        Args:
            pool: The architectures of this round: those that stay from the last one, then the new
                ones. Their order does not depend on interruptions.
            number: The number of the round, from 0.
            seconds: How long it may take. If None, there is no limit.

        Raises:
            OutOfTime: The seconds were not enough; what was done so far is kept.
        """
        del pool, number, seconds

    @abstractmethod
    def evaluate(self, architecture: Architecture, seed: int) -> Result:
        """The result of one evaluation; equal seeds repeat it as far as the device allows.

        Raises:
            EvaluationFailed: No value came out (diverged, out of memory, out of time, not in the
                table). The study records a failed trial and goes on.
            InputError: Nothing can be evaluated with these settings; the search stops.
        """

    def evaluate_in_epochs(self, architecture: Architecture, seed: int, told: Reporter) -> Result:
        """The result of an evaluation that reports each epoch, and ends where it is told to stop.

        Without a stop it is that of `evaluate`. With one its value counts for nothing: the study
        keeps what was reported.
        """
        del told
        return self.evaluate(architecture, seed)

    static_metric_names: Sequence[str] = ()
    """The names of `static_metrics`; limits on these cost no evaluation."""
    static_metrics_are_cheap: bool = False
    """Whether `static_metrics` costs next to nothing, so that a whole space can be checked."""

    def static_metrics(self, architecture: Architecture) -> Mapping[str, float]:
        """The metrics of an architecture that are known without an evaluation, by name."""
        del architecture
        return {}

    descriptor_names: Sequence[str] = ()
    """The names of `descriptors`; without any, methods propose without them."""

    @property
    def descriptor_share(self) -> float:
        """What the descriptors of one architecture cost as a share of one evaluation.

        It is counted, not timed, because proposals depend on it.
        """
        return 0.0

    def descriptors(self, architecture: Architecture) -> Mapping[str, float]:
        """Numbers, by name, that cost little and may say something of the architecture's value.

        They follow from the architecture alone. Methods learn what they say, so that neither sign
        nor scale matters. One that is absent or not finite, or all if this raises, is not known.
        """
        del architecture
        return {}

    def with_data(self) -> Evaluator:
        """The same, to be sent to another machine together with the data that it has read.

        Sent as it is, an evaluator may leave out data that can be read again from their source.
        """
        return self

    def settings(self) -> Mapping[str, Json]:
        """Whatever affects results; a study compares it when it is resumed.

        An entry `source` says where the data come from, for
        `naokit.evaluators.from_settings`; a study does not compare it, since data may move.
        """
        return {"evaluator": type(self).__name__}


@dataclass(frozen=True)
class Trial:
    """One finished evaluation.

    Attributes:
        number: The number of the trial in the study.
        architecture: The architecture that was evaluated.
        value: The score; None if the evaluation failed or was stopped early.
        reason: The reason why the evaluation failed; "" if it succeeded.
        origin: Where the proposal came from (random, latent step, mutation, told).
        metrics: Further metrics of the result, by name.
        seconds: How long the evaluation took, in seconds.
        model: The quality of the method's model when it proposed the architecture, by name.
        values: The values of all objectives, the score first; empty if the evaluation failed.
        round: The round in which the architecture was proposed; see `Evaluator.round_size`.
        curve: The value after each epoch, as far as epochs were reported.
        stopped: The epoch after which the evaluation was stopped early; 0 if it was not.
        proposing: How long the proposal took, in seconds; 0 where it was not recorded.
    """

    number: int
    architecture: Architecture
    value: float | None
    reason: str = ""
    origin: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    model: Mapping[str, float] = field(default_factory=dict)
    values: tuple[float, ...] = ()
    round: int = 0
    curve: Curve = field(default_factory=dict)
    stopped: int = 0
    proposing: float = 0.0

    @property
    def failed(self) -> bool:
        """Whether the evaluation gave nothing, neither a score nor the beginning of one."""
        return self.value is None and not self.stopped


WORKER_DIED = "worker died"
"""The reason of an evaluation that failed because whatever it ran in is gone: a process, a node."""


class Workers(ABC):
    """Where evaluations run. Promises are tested by `naokit.testing.WorkersContract`.

    Attributes:
        slots: How many evaluations run at once.
        retries: How often an evaluation begins again whose worker died; after that it has failed.
        in_this_process: Whether evaluations run in the process that submits them.
    """

    slots: int = 1
    retries: int = 0
    in_this_process: bool = False

    @abstractmethod
    def submit(
        self,
        evaluator: Evaluator,
        architecture: Architecture,
        seed: int,
        told: Reporter | None = None,
    ) -> Future[Result]:
        """The future result of `evaluator.evaluate(architecture, seed)`, or the error it raises.

        With someone to be told it is that of `evaluator.evaluate_in_epochs`, who is told here, in
        the process that submits. The error is EvaluationFailed with the reason `WORKER_DIED` if the
        worker is gone, and InputError if the evaluator cannot be used there.
        """

    def close(self) -> None:  # noqa: B027  # many have nothing to stop
        """Stops the workers and what still runs, and cancels what waits.

        `submit` raises RuntimeError afterwards.
        """

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


@dataclass(frozen=True)
class Observation:
    """One evaluation as methods see it: higher is better, whatever the study's directions are.

    Attributes:
        architecture: The architecture that was evaluated.
        value: The score. It is None if the evaluation failed or violates a limit.
        origin: Where the proposal came from.
        unlimited: In a study with limits, the score whether or not the limits are satisfied.
        slack: How far the result is within the limits, as a share of the bound. It is negative if a
            limit is violated.
        values: The values of all objectives, whatever the limits; empty if the evaluation failed.
        noise: The standard deviation of the score, where its evaluation estimates one.
        stopped: The epoch after which the evaluation was stopped early, which the score is that of;
            0 if it was not.
    """

    architecture: Architecture
    value: float | None
    origin: str = ""
    unlimited: float | None = None
    slack: float = math.inf
    values: tuple[float, ...] = ()
    noise: float | None = None
    stopped: int = 0

    @property
    def known(self) -> float | None:
        """The score, whether or not it is within the limits."""
        return self.value if self.unlimited is None else self.unlimited


@dataclass(frozen=True)
class Proposal:
    """An architecture to evaluate next.

    Attributes:
        architecture: The architecture to evaluate.
        origin: Where the architecture came from, in a few words.
        model: The quality of the method's model, by name; empty if it has no model.
        described: The descriptors that were measured for it and that no trial holds yet. The study
            adds them.
    """

    architecture: Architecture
    origin: str
    model: Mapping[str, float] = field(default_factory=dict)
    described: Sequence[Json] = ()


class Descriptors(ABC):
    """The descriptors of architectures (`Evaluator.descriptors`), each measured once."""

    @property
    @abstractmethod
    def share(self) -> float:
        """What those of one architecture cost as a share of one evaluation."""

    @abstractmethod
    def __call__(self, architectures: Sequence[Architecture]) -> np.ndarray:
        """The descriptors (N, d) of these architectures, NaN where one is not known."""

    @abstractmethod
    def known(self) -> Sequence[Architecture]:
        """The architectures whose descriptors are measured, each key once."""


class Method(ABC):
    """Proposes architectures. Promises are tested by `naokit.testing.MethodContract`.

    A method is made for one space, seed and budget. What it proposes depends on these, on the
    observations it is given and on the descriptors that are known, never on earlier calls, so that
    a resumed search is the same as an uninterrupted one.
    """

    def in_rounds(self, first: int, later: int) -> None:
        """Told before the first proposal if evaluations come in rounds.

        The history grows, and earlier values may change, only between rounds.

        Args:
            first: How many architectures the first round asks for.
            later: How many each later round asks for.
        """
        del first, later

    def believe(self, prior: Weights) -> None:
        """Told before the first proposal what the user believes is good, if a prior is given.

        Raises:
            InputError: The method takes no prior, or the space has no such choices.
        """
        del prior
        raise InputError(
            f"the method {type(self).__name__} takes no prior: leave `prior` out, or use "
            "`method=nao` or `method=random`"
        )

    def describe_with(self, descriptors: Descriptors) -> None:
        """Told before the first proposal how to measure descriptors, if the evaluator has any.

        Whatever a method measures is kept in the study. By default it measures nothing.
        """
        del descriptors

    @abstractmethod
    def propose(
        self, history: Sequence[Observation], pending: Sequence[Architecture] = ()
    ) -> Proposal:
        """The next architecture, whose key is neither in `history` nor in `pending`.

        Raises:
            SpaceExhausted: No such architecture is left.
        """
