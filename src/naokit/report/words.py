"""What a run found, in ten lines that claim no more than the noise allows."""

from __future__ import annotations

from collections.abc import Sequence

from naokit.report.contents import Comparison, Exported, Findings, Report
from naokit.study.goals import Objective
from naokit.study.trust import Trust
from naokit.wording import counted, epochs_done, value_text


def closing_lines(report: Report) -> list[str]:
    """What a person reads at the end: about ten lines, no claim beyond the figures."""
    found = report.findings
    lines = [
        *_best_lines(report.method, report.space, found),
        *_own_lines(found),
        *_random_lines(found),
        *([] if report.exported is None else _exported_lines(report.exported)),
    ]
    if report.unfinished:
        steps = ", ".join(report.unfinished)
        lines.append(f"Not finished: {steps}. The same command again continues.")
    own = report.storage.endswith("study.db")
    opens = " (study.db opens in optuna-dashboard)" if own else ""
    lines.append(f"Files: {report.folder}{opens}")
    lines.append(f"Next: naokit show {report.folder}, or open {report.folder}/report.html")
    return lines


def _best_lines(method: str, space: str, found: Findings) -> list[str]:
    less = ", less is better" if found.direction == "minimize" else ""
    lines = [
        f"{method} on {space}: {counted(found.evaluations, 'evaluation')} "
        f"({outcomes(found.failed, found.stopped, found.epochs)}), {found.metric}{less}.",
        f"Best: {_best(found)}",
        f"      {found.best.architecture}",
    ]
    if found.sure is not None:
        lines.append(
            f"      truly the best of what was evaluated to its end with a probability of "
            f"{found.sure:.2f}, as far as repeats tell"
        )
    if found.objectives:
        count = counted(len(found.front), "architecture")
        lines.append(f"{front_title(found.objectives)}: {count}.")
    return lines


def outcomes(failed: int, stopped: int, epochs: int) -> str:
    """How evaluations ended: `0 failed`, or `0 failed, 31 stopped early; 118 epochs in all`."""
    if not epochs:
        return f"{failed} failed"
    return f"{failed} failed, {stopped} stopped early; {counted(epochs, 'epoch')} in all"


def _best(found: Findings) -> str:
    """The value of the best; of its own training, where the best few were trained anew."""
    if found.own is None:
        return _value(found.best, found.metric)
    value, metric, score = found.best.value, found.own.metric, found.own.shared[0]
    how, where = "trained by itself", "with shared weights"
    if found.own.alone:
        how, where = "trained longer", "in the search"
    scored = "" if score is None else f"; {value_text(score, metric)} {where}"
    return f"{value_text(value, metric)} ({metric}, {how}{scored})"


def _own_lines(found: Findings) -> list[str]:
    """What told the best few apart, and whether the search can rank."""
    if found.own is None:
        return []
    trained = counted(len(found.own.architectures), "architecture")
    how = "longer" if found.own.alone else "by themselves"
    lines = trust_lines(found.own.trust, alone=found.own.alone)
    return [f"Trained {how} and told apart: {trained}.", *lines]


def trust_lines(trust: Trust, *, alone: bool = False) -> list[str]:
    """How far the scores of a search can be trusted; a warning where they hardly rank.

    Args:
        trust: What is known of it.
        alone: Whether the search trained each network by itself.
    """
    if alone:
        return _recipe_lines(trust)
    between = ", ".join("too few" if one is None else f"{one:.2f}" for one in trust.rounds)
    said = [f"from round to round {between}"] if trust.rounds else []
    if trust.trained is not None:
        said.append(f"with {trust.architectures} trainings of their own {trust.trained:.2f}")
    lines = [f"Rank correlation of scores by shared weights: {'; '.join(said)}."] if said else []
    if not trust.ranks:
        lines.append(
            "Warning: the shared network hardly ranks these; train it longer, or more of the best "
            "by themselves."
        )
    return lines


def _recipe_lines(trust: Trust) -> list[str]:
    """How the values of a search rank those that were trained longer."""
    if trust.trained is None:
        return []
    lines = [
        f"Rank correlation of the search's values with {trust.architectures} longer trainings: "
        f"{trust.trained:.2f}."
    ]
    if not trust.ranks:
        lines.append(
            "Warning: the search's recipe hardly ranks these as longer trainings do; train longer "
            "in the search, or more finalists."
        )
    return lines


def _random_lines(found: Findings) -> list[str]:
    if found.verdict is None:
        return []
    if found.random is None:
        return [f"Random search: {found.verdict}."]
    as_many = "epochs" if found.epochs else "evaluations"
    return [
        f"Random search, as many {as_many}: {_value(found.random, found.metric)}",
        f"Difference: {found.verdict}.",
    ]


def _exported_lines(exported: Exported) -> list[str]:
    results = exported.results
    done = epochs_done(results.epochs_done, results.recipe["epochs"])
    reached = ", ".join(results.reached.values()) or "not measured, no time was left for that"
    return [
        f"Trained {done} ({exported.parameters:,} parameters): {reached}.",
        *(
            f"Checked {check.file}: largest difference {check.difference:.1e}"
            for check in exported.checks
        ),
    ]


def _value(best: Comparison, metric: str) -> str:
    """A value, and what it is of."""
    return f"{value_text(best.value, metric)} ({_values(best, metric)})"


def _values(best: Comparison, metric: str) -> str:
    """What the value of a comparison is of."""
    if best.chosen_by is None:
        return "one evaluation"
    values = [value_text(value, metric) for value in best.values]
    repeats = f"mean of repeats {', '.join(values)}" if len(values) > 1 else "evaluated again"
    return f"{repeats}; {value_text(best.chosen_by, metric)}, which chose it, is left out"


def front_title(objectives: Sequence[str]) -> str:
    """What the Pareto front is of, from the objectives' texts, and which way each is better."""
    return f"Pareto front in {', '.join(Objective.of(text).wish for text in objectives)}"
