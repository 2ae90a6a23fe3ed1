"""What `naokit show` says of an architecture and of a study, as `--json` prints it."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from naokit.base import Json
    from naokit.doors import Trial
    from naokit.space import Architecture
    from naokit.study import Study


def contents(
    architecture: Architecture, study: Study | None, top: int, own: Study | None = None
) -> dict[str, Json]:
    """What there is to say.

    Args:
        architecture: The architecture.
        study: The study that found it, if one did.
        top: How many standings there are at most.
        own: The study of the best few, where they were trained by themselves, or longer.
    """
    found = {
        "space": architecture.space.name,
        "settings": dict(architecture.space.settings()),
        "architecture": str(architecture),
        "key": architecture.key,
    }
    if study is None:
        return found
    return found | report_of(study, top) | _of_shared(study, own)


def report_of(study: Study, top: int) -> dict[str, Json]:
    """What there is to say of a study."""
    from naokit.report.contents import front

    trials = study.trials
    return {
        "study": study.settings,
        "environments": study.optuna.user_attrs.get("environments", []),
        "evaluations": study.evaluations,
        "failed": study.failed,
        "failures": sorted({trial.reason for trial in trials if trial.failed}),
        "stopped": study.stopped,
        "epochs": study.epochs,
        "seconds": sum(trial.seconds for trial in trials),
        "front": [*map(dataclasses.asdict, front(study))]
        if len(study.goals.objectives) > 1
        else [],
        "origins": dict(Counter(_kind(trial) for trial in trials)),
        "model": latest_model(trials),
        "standings": [
            {
                "architecture": str(standing.architecture),
                "mean": standing.mean,
                "values": standing.values,
                "trial": standing.number,
                "origin": next(t.origin for t in trials if t.number == standing.number),
            }
            for standing in study.standings()[:top]
        ],
    }


def _of_shared(study: Study, own: Study | None) -> dict[str, Json]:
    """What there is to say of the best few where they were trained anew, or weights are shared."""
    from naokit.report.contents import is_shared, shared_scores
    from naokit.study.trust import trust_in

    trained = [] if own is None else own.standings()
    trust = trust_in(study.trials, trained)
    if trust is None:
        return {}
    shared = shared_scores(study, trained)
    return {
        "trust": dataclasses.asdict(trust),
        "alone": not is_shared(study),
        "own": [
            {
                "architecture": str(standing.architecture),
                "mean": standing.mean,
                "values": standing.values,
                "shared": score,
            }
            for standing, score in zip(trained, shared, strict=True)
        ],
    }


def _kind(trial: Trial) -> str:
    """Where a proposal came from, without the length of a step."""
    return trial.origin.rstrip("0123456789. ")


def latest_model(trials: Sequence[Trial]) -> dict[str, Json]:
    """What the method last knew of its model; empty where it has none.

    While a search explores nothing is described: what descriptors were worth is of before.
    """
    latest = [dict(trial.model) for trial in reversed(trials) if trial.model]
    described = next((model for model in latest if "described" in model), {})
    kept = {name: value for name, value in described.items() if name.startswith("described")}
    return kept | latest[0] if latest else {}
