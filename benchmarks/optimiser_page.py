"""The optimiser's results as a page of the documentation, and in short in the README."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.comparison import MARKS
from benchmarks.record import RESULTS
from benchmarks.tables import Benchmark
from naokit.bench import markdown

ROOT = Path(__file__).parents[1]
BRIEFLY = (
    "nao",
    "random",
    "evolution",
    "local-search",
    "tpe",
    "bananas-like",
    "weaknas-like",
    "gp-one-hot",
    "gp",
    "neps-bo",
)
"""The columns of the README's table."""
SHORT_MARKS = (50, 100, 300)
"""After how many evaluations the short table shows the best value, where few runs find the best."""
START, END = "<!-- optimiser: made by benchmarks.optimiser -->", "<!-- /optimiser -->"
HEAD = """# The optimiser's results

`python -m benchmarks.optimiser TABLES` makes this page from `benchmarks/results/optimiser/`.

- A *query* is one evaluation of an architecture that was not evaluated before. The random
  architectures at the start are counted.
- A run that has not found the best architecture counts as if it had found it at its last
  evaluation. So a mean is a lower bound if runs failed; it is then written as "over".
- @50 is the best value after 50 evaluations, as a mean over the seeds. "-" is beyond the budget of
  a method whose suggestions take seconds.
- The *lead* of `nao` is its best value minus that of the other method, turned round where less is
  better. It is taken between runs of equal seeds; ± is half a 95 % interval. `nao` is *behind*
  where the whole interval lies below zero.
- A run *stands still* if its best after 100 evaluations is that after 50. Runs that had found the
  very best after 50 are left out.
- Times are processor time on one thread of a busy machine.

`nao-candidates` is `nao` that searches for candidates even where the whole space could be scored.
`bananas-like`, `weaknas-like` and `gp-one-hot` are not part of naokit. They are in
`benchmarks/peers.py`, written after the papers and the official code of these methods. The file
says where they differ from them. `gp` is Optuna's Gaussian process. `neps-bo` is the Bayesian
optimisation of NePS (`neural-pipeline-search` 0.17.0), run by `benchmarks/neps_search.py`.
"""


def write_page(known: Mapping[str, Benchmark]) -> None:
    """Writes the page and the short table of all results that are there."""
    paths = {name: RESULTS / "optimiser" / f"{name}.json" for name in known}
    found = {name: json.loads(p.read_text()) for name, p in paths.items() if p.exists()}
    names = list(dict.fromkeys(m for summary in found.values() for m in summary["methods"]))
    parts = [
        HEAD,
        short(known, found, names),
        *(section(known[name], summary) for name, summary in found.items()),
    ]
    (ROOT / "docs" / "optimiser.md").write_text("\n".join(parts))
    readme = (ROOT / "README.md").read_text()
    before, _, rest = readme.partition(START)
    after = rest.partition(END)[2]
    brief = short(known, found, BRIEFLY)
    (ROOT / "README.md").write_text(f"{before}{START}\n{brief}{END}{after}")


def section(benchmark: Benchmark, summary: dict[str, Any]) -> str:
    """Everything that is known of one table."""
    padded = {name: _padded(one, summary) for name, one in summary["methods"].items()}
    parts = [
        f"## {benchmark.title}",
        benchmark.note,
        markdown({**summary, "methods": padded}),
        tests(summary) if benchmark.note else "",
        leads(summary),
        verdict(summary),
    ]
    return "\n\n".join(part.rstrip() for part in parts if part) + "\n"


def _padded(found: dict[str, Any], summary: dict[str, Any]) -> dict[str, Any]:
    """A method's row with nothing after its last evaluation, where it had fewer than others."""
    means = found["validation"]["mean"]
    missing = [None] * (summary["evaluations"] - len(means))
    return {**found, "validation": {"mean": [*means, *missing]}}


def tests(summary: dict[str, Any]) -> str:
    """The test value of the best so far, where the signal is noisy."""
    marks = [int(mark) for mark in MARKS if int(mark) <= summary["evaluations"]]
    lines = [f"| test value of the best so far | {' | '.join(f'@{mark}' for mark in marks)} |"]
    lines.append("|---" * (len(marks) + 1) + "|")
    for name, found in summary["methods"].items():
        if "test" not in found:
            return ""
        means, intervals = found["test"]["mean"], found["test"]["interval_95"]
        cells = [
            _sure(f"{means[mark - 1]:.5g}", intervals[mark - 1]) if mark <= len(means) else "-"
            for mark in marks
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def leads(summary: dict[str, Any]) -> str:
    """How often each method found the best and stood still, and the lead of `nao` over it."""
    marks = [mark for mark in MARKS if int(mark) <= summary["evaluations"]]
    heads = [
        "method",
        "found the best",
        "stands still",
        *(f"lead of nao @{mark}" for mark in marks),
    ]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for name, found in summary["methods"].items():
        still, lead = found["stands_still"], found.get("lead_of_nao", {})
        cells = [
            name,
            f"{found['seeds'] - found['failures']} of {found['seeds']}",
            f"{still['stood']} of {still['of']}" if still["of"] else "-",
            *(_lead(lead.get(mark)) for mark in marks),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _lead(one: dict[str, Any] | None) -> str:
    return "-" if one is None else _sure(f"{one['mean']:+.2g}", one["interval_95"])


def _sure(mean: str, interval: float | None) -> str:
    """A mean with half its interval; one seed has none."""
    return mean if interval is None else f"{mean} ± {interval:.2g}"


def verdict(summary: dict[str, Any]) -> str:
    """Whom `nao` is behind, in a sentence."""
    if "nao" not in summary["methods"] or len(summary["methods"]) == 1:
        return ""
    behind = [
        f"{' and '.join(names)} after {mark}"
        for mark, names in summary["nao_is_behind"].items()
        if names
    ]
    return f"`nao` is behind {'; '.join(behind) or 'none'}."


def short(
    known: Mapping[str, Benchmark], found: dict[str, dict[str, Any]], names: Sequence[str]
) -> str:
    """One line for each table: the mean queries to the best, or the best so far on hard ones."""
    lines = [f"| table | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    for name, summary in found.items():
        marks = [mark for mark in SHORT_MARKS if mark <= summary["evaluations"]]
        title = known[name].title
        if known[name].hard:
            title += ": best of " + " / ".join(str(mark) for mark in marks)
        cells = [
            _cell(summary["methods"].get(method), marks if known[name].hard else [])
            for method in names
        ]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(found: dict[str, Any] | None, marks: Sequence[int]) -> str:
    if found is None:
        return ""
    if marks:
        means = found["validation"]["mean"]
        return " / ".join(f"{means[m - 1]:.4g}" if m <= len(means) else "-" for m in marks)
    if found["failures"]:
        return f"over {found['mean_queries_to_best']:.0f}"
    error = found["standard_error"]
    return f"{found['mean_queries_to_best']:.1f}" + ("" if error is None else f" ± {error:.1f}")
