"""What a run or an architecture is shown as; `to_json` is what `naokit show --json` prints."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from naokit.base import Json
from naokit.doors import Trial
from naokit.report.contents import Point, front, is_shared, shared_scores
from naokit.study.goals import BEYOND, Goals
from naokit.study.trust import Trust, trust_in
from naokit.wording import counted

if TYPE_CHECKING:
    from naokit.space import Architecture, Space
    from naokit.study import Study


@dataclass(frozen=True)
class Described:
    """An architecture and its space.

    Attributes:
        space: The name of the space.
        settings: What makes the space again.
        architecture: The genotype. If None, there is none yet.
        key: The name that all spellings of it share. If None, there is no architecture.
    """

    space: str
    settings: Mapping[str, Json]
    architecture: str | None
    key: str | None

    @classmethod
    def of(cls, space: Space, architecture: Architecture | None) -> Described:
        """An architecture of a space, or that there is none."""
        text, key = (None, None) if architecture is None else (str(architecture), architecture.key)
        return cls(space.name, dict(space.settings()), text, key)


@dataclass(frozen=True)
class Leader:
    """An architecture with its place in the standings.

    Attributes:
        architecture: Its genotype.
        mean: The mean of its values.
        values: The value of each of its evaluations.
        trial: The number of the first of these.
        origin: Where it came from.
    """

    architecture: str
    mean: float
    values: tuple[float, ...]
    trial: int
    origin: str


@dataclass(frozen=True)
class Overview:
    """What a study holds.

    Attributes:
        study: The settings that it was made with.
        environments: The versions and machines that worked on it.
        evaluations: How many ended, failed ones included.
        failed: How many gave no value.
        failures: The reasons for that.
        stopped: How many were stopped early.
        epochs: How many epochs were reported of all evaluations together.
        seconds: How long all evaluations took together.
        front: The Pareto front; empty where there is one objective.
        origins: How many evaluations came from where.
        model: What the method last said of its model, by name; empty where it has none.
        standings: The best, the first ones first.
    """

    study: Mapping[str, Json]
    environments: Sequence[Mapping[str, Json]]
    evaluations: int
    failed: int
    failures: tuple[str, ...]
    stopped: int
    epochs: int
    seconds: float
    front: tuple[Point, ...]
    origins: Mapping[str, int]
    model: Mapping[str, float]
    standings: tuple[Leader, ...]

    @classmethod
    def of(cls, study: Study, top: int) -> Overview:
        """What a study holds, with so many of its best."""
        trials = study.trials
        origins = {trial.number: trial.origin for trial in trials}
        return cls(
            study.settings,
            study.environments,
            study.evaluations,
            study.failed,
            tuple(sorted({trial.reason for trial in trials if trial.failed})),
            study.stopped,
            study.epochs,
            sum(trial.seconds for trial in trials),
            front(study) if len(study.goals.objectives) > 1 else (),
            dict(Counter(kind_of_origin(trial) for trial in trials)),
            latest_model(trials),
            tuple(
                Leader(str(one.architecture), one.mean, one.values, one.number, origins[one.number])
                for one in study.standings()[:top]
            ),
        )


@dataclass(frozen=True)
class TrainedAnew:
    """One of the best few of a search, trained by itself, or longer.

    Attributes:
        architecture: Its genotype.
        mean: The mean of its values.
        values: The value of each of its trainings.
        shared: Its value in the search. If None, the latest evaluation there failed.
    """

    architecture: str
    mean: float
    values: tuple[float, ...]
    shared: float | None


@dataclass(frozen=True)
class Ranked:
    """How well a search ranks, where its values were checked.

    Attributes:
        trust: The rank correlations.
        alone: Whether the search trained each network by itself, so that the trainings of the best
            few are longer ones.
        own: The best few that were trained anew, best first.
    """

    trust: Trust
    alone: bool
    own: tuple[TrainedAnew, ...]

    @classmethod
    def of(cls, study: Study, own: Study | None) -> Ranked | None:
        """How well a study ranks; None where weights are not shared and nothing was trained anew.

        Args:
            study: The study.
            own: The study of the best few, where they were trained by themselves, or longer.
        """
        trained = [] if own is None else own.standings()
        trust = trust_in(study.trials, trained)
        if trust is None:
            return None
        pairs = zip(trained, shared_scores(study, trained), strict=True)
        return cls(
            trust,
            not is_shared(study),
            tuple(
                TrainedAnew(str(one.architecture), one.mean, one.values, score)
                for one, score in pairs
            ),
        )


@dataclass(frozen=True)
class Outcome:
    """An evaluation of a study that has no best, and why it is no candidate for that."""

    trial: int
    outcome: str
    origin: str
    architecture: str


@dataclass(frozen=True)
class Shown:
    """What `naokit show` shows.

    Attributes:
        described: The architecture and its space.
        overview: What the study holds that found it. If None, no study did.
        ranked: How well the search ranks. If None, nothing is known of that.
        no_best: Why there is no best. If None, there is one.
        trials: The evaluations of a study without a best, those nearest to the limits first.
    """

    described: Described
    overview: Overview | None = None
    ranked: Ranked | None = None
    no_best: str | None = None
    trials: tuple[Outcome, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """One object, without what there is not."""
        parts = [part for part in (self.described, self.overview, self.ranked) if part is not None]
        found = {name: value for part in parts for name, value in dataclasses.asdict(part).items()}
        if self.no_best is not None:
            trials = [dataclasses.asdict(trial) for trial in self.trials]
            found |= {"no_best": self.no_best, "trials": trials}
        return found


def shown(
    architecture: Architecture, study: Study | None = None, top: int = 10, own: Study | None = None
) -> Shown:
    """What there is to say of an architecture.

    Args:
        architecture: The architecture.
        study: The study that found it, if one did.
        top: How many standings there are at most.
        own: The study of the best few, where they were trained by themselves, or longer.
    """
    described = Described.of(architecture.space, architecture)
    if study is None:
        return Shown(described)
    return Shown(described, Overview.of(study, top), Ranked.of(study, own))


def shown_without_best(study: Study, why: str, top: int) -> Shown:
    """What there is to say of a study that has no best, and why it has none."""
    trials = sorted(study.trials, key=lambda t: (t.value is None, -study.goals.slack(t), t.number))
    outcomes = tuple(
        Outcome(trial.number, _outcome(trial, study.goals), trial.origin, str(trial.architecture))
        for trial in trials[:top]
    )
    return Shown(Described.of(study.space, None), Overview.of(study, top), None, why, outcomes)


def _outcome(trial: Trial, goals: Goals) -> str:
    """Why an evaluation is no candidate for the best."""
    if trial.stopped:
        return f"stopped after {counted(trial.stopped, 'epoch')}"
    return trial.reason if trial.value is None else f"{BEYOND}: {goals.limited(trial)}"


def goals_of(found: Overview) -> Goals:
    """The objectives and limits of a study."""
    texts = found.study.get("goals") or {"objectives": (), "limits": ()}
    return Goals.of(found.study["direction"], texts["objectives"], texts["limits"])


def kind_of_origin(trial: Trial) -> str:
    """Where a proposal came from, without the length of a step."""
    return trial.origin.rstrip("0123456789. ")


def latest_model(trials: Sequence[Trial]) -> dict[str, float]:
    """What the method last knew of its model; empty where it has none.

    While a search explores nothing is described: what descriptors were worth is of before.
    """
    latest = [dict(trial.model) for trial in reversed(trials) if trial.model]
    described = next((model for model in latest if "described" in model), {})
    kept = {name: value for name, value in described.items() if name.startswith("described")}
    return kept | latest[0] if latest else {}
