"""What studies found: one JSON object, and ten lines that claim no more than the noise allows."""

from __future__ import annotations

import dataclasses
import math
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from naokit.base import Direction, Evaluator, Json
from naokit.study import Study
from naokit.study.goals import Objective, mean
from naokit.study.standings import NoBest, Standing
from naokit.wording import counted, epochs_done, value_text

if TYPE_CHECKING:
    from naokit.export import Check


@dataclass(frozen=True)
class Comparison:
    """The best of a study: its value, the mean of `values`.

    Where there are repeats these are they: the value that chose it for them, `chosen_by`, is lucky
    more often than not and is left out.
    """

    architecture: str
    value: float
    values: tuple[float, ...]
    chosen_by: float | None = None

    @classmethod
    def of(cls, standing: Standing) -> Comparison:
        """The comparison of a standing."""
        first, *repeats = standing.values
        values = tuple(repeats) or (first,)
        chosen_by = first if repeats else None
        return cls(str(standing.architecture), mean(values), values, chosen_by)


def noise(studies: Sequence[Study]) -> float | None:
    """Standard deviation between evaluations of one architecture; None without repeats."""
    deviations = [
        (_deviation(standing.values), len(standing.values) - 1)
        for study in studies
        for standing in study.standings()
        if len(standing.values) > 1
    ]
    freedom = sum(weight for _, weight in deviations)
    return math.hypot(*(d * math.sqrt(w / freedom) for d, w in deviations)) if freedom else None


def _deviation(values: Sequence[float]) -> float:
    """The standard deviation, of values at both ends of the numbers as large as a number can be."""
    try:
        return statistics.stdev(values)
    except OverflowError:
        return sys.float_info.max


def verdict(
    found: Comparison,
    baseline: Comparison,
    spread: float | None,
    direction: Direction = "maximize",
) -> str:
    """What two means, each of a few evaluations, allow to say."""
    difference = found.value - baseline.value
    better = (difference > 0) == (direction == "maximize")
    said = f"{abs(difference):.3g} {'better' if better else 'worse'} than random search"
    if not difference:
        said = "as good as random search"
    if spread is None:
        return f"{said}; without repeats nothing more can be said"
    if not spread:
        return f"{said}; repeats were equal: evaluations are exact, or too coarse to tell"
    error = spread * math.sqrt(1 / len(found.values) + 1 / len(baseline.values))
    told_apart = abs(difference) > 2 * error
    meaning = "more than chance explains" if told_apart else "too little to tell them apart"
    return f"{said}, give or take {2 * error:.3g}: {meaning}"


def summary(study: Study, evaluator: Evaluator, baseline: Study | None = None) -> dict[str, Json]:
    """What a study holds, and what random search found with as many evaluations."""
    best = Comparison.of(study.best)
    studies = [study] if baseline is None else [study, baseline]
    spread = noise(studies)
    found: dict[str, Json] = {
        "metric": evaluator.metric,
        "direction": evaluator.direction,
        "best": dataclasses.asdict(best),
        "evaluations": study.evaluations,
        "repeats": len(study.trials) - study.evaluations,
        "failed": study.failed,
        "noise": spread,
    }
    if len(study.goals.objectives) > 1:
        found["objectives"] = [str(objective) for objective in study.goals.objectives]
        found["front"] = front(study)
    if baseline is not None:
        found |= _beside(best, baseline, spread, evaluator.direction)
    return found


def _beside(
    best: Comparison, baseline: Study, spread: float | None, direction: Direction
) -> dict[str, Json]:
    """What random search found, and how the best compares; `random` is None where it has none."""
    try:
        beside = Comparison.of(baseline.best)
    except NoBest as why:
        return {"random": None, "verdict": str(why)}
    return {
        "random": dataclasses.asdict(beside) | {"evaluations": baseline.evaluations},
        "verdict": verdict(best, beside, spread, direction),
    }


def front(study: Study) -> list[dict[str, Json]]:
    """The Pareto front, best in the first objective first."""
    objectives = study.goals.objectives
    rows = [
        {
            "architecture": str(trial.architecture),
            "trial": trial.number,
            "values": {o.name: v for o, v in zip(objectives, trial.values, strict=True)},
        }
        for trial in study.front()
    ]
    first = objectives[0]
    return sorted(rows, key=lambda row: -first.sign * row["values"][first.name])


def front_title(objectives: Sequence[str]) -> str:
    """What the Pareto front is of, from the objectives' texts, and which way each is better."""
    return f"Pareto front in {', '.join(Objective.of(text).wish for text in objectives)}"


def checks_json(checks: Sequence[Check]) -> list[Json]:
    """The exported files and how they compare with the network."""
    return [dataclasses.asdict(check) | {"file": str(check.file)} for check in checks]


def closing_lines(report: dict[str, Json]) -> list[str]:
    """What a person reads at the end: about ten lines, no claim beyond the figures."""
    best, folder = report["best"], report["folder"]
    evaluations = counted(report["evaluations"], "evaluation")
    less = ", less is better" if report["direction"] == "minimize" else ""
    lines = [
        f"{report['method']} on {report['space']}: {evaluations} "
        f"({report['failed']} failed), {report['metric']}{less}.",
        f"Best: {value_text(best['value'], report['metric'])} ({_values(best, report['metric'])})",
        f"      {best['architecture']}",
    ]
    if "front" in report:
        count = counted(len(report["front"]), "architecture")
        lines.append(f"{front_title(report['objectives'])}: {count}.")
    if "random" in report and report["random"] is None:
        lines.append(f"Random search: {report['verdict']}.")
    elif "random" in report:
        lines += [
            "Random search, as many evaluations: "
            f"{value_text(report['random']['value'], report['metric'])} "
            f"({_values(report['random'], report['metric'])})",
            f"Difference: {report['verdict']}.",
        ]
    if "final" in report:
        final = report["final"]
        done = epochs_done(final["epochs_done"], final["recipe"]["epochs"])
        lines.append(
            f"Trained {done} ({final['parameters']:,} parameters): "
            f"{', '.join(reached(final).values()) or 'not measured, no time was left for that'}."
        )
    for check in report.get("exports", []):
        lines.append(f"Checked {check['file']}: largest difference {check['difference']:.1e}")
    if report["unfinished"]:
        steps = ", ".join(report["unfinished"])
        lines.append(f"Out of time; not finished: {steps}. The same command again continues.")
    own = report["storage"].endswith("study.db")
    lines.append(f"Files: {folder}" + (" (study.db opens in optuna-dashboard)" if own else ""))
    lines.append(f"Next: naokit show {folder}")
    return lines


UNITS = {"accuracy": " %", "perplexity": ""}


def reached(results: Mapping[str, Json]) -> dict[str, str]:
    """What a trained network reached, in words, by part: validation and test, where known."""
    return {
        part: f"{part}{'' if unit else f' {score}'} {results[f'{part}_{score}']:.2f}{unit}"
        for part in ("validation", "test")
        for score, unit in UNITS.items()
        if results.get(f"{part}_{score}") is not None
    }


def _values(best: dict[str, Json], metric: str) -> str:
    """What the value of a comparison is of."""
    if best["chosen_by"] is None:
        return "one evaluation"
    values = [value_text(value, metric) for value in best["values"]]
    repeats = f"mean of repeats {', '.join(values)}" if len(values) > 1 else "evaluated again"
    return f"{repeats}; {value_text(best['chosen_by'], metric)}, which chose it, is left out"
