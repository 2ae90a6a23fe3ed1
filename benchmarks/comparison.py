"""What the results on one table say of `nao`: its lead over each other method, and its standstills.

A lead is `nao`'s best value so far minus that of the other in the run of the same seed, turned
round where less is better: below zero `nao` is behind.
"""

from __future__ import annotations

import statistics
from typing import Any

from naokit.report.intervals import half_interval

OURS = "nao"
MARKS = ("50", "100", "200", "300")
"""The numbers of evaluations after which methods are compared."""


def compare(whole: dict[str, Any]) -> None:
    """Adds to the summary of a table what follows from its rows.

    To each method `stands_still`, and `lead_of_nao` where `nao` was measured; to the table
    `nao_is_behind`: after how many evaluations it is behind which method, as far as the 95 %
    intervals of the leads say.
    """
    methods = whole["methods"]
    less_is_better = whole["task"].get("direction") == "minimize"
    ours = methods.get(OURS, {}).get("validation_at", {})
    behind: dict[str, list[str]] = {mark: [] for mark in MARKS if mark in ours}
    for method, found in methods.items():
        found["stands_still"] = standstills(found)
        found.pop("lead_of_nao", None)
        if method == OURS or not ours:
            continue
        found["lead_of_nao"] = {
            mark: lead(ours[mark], theirs, less_is_better)
            for mark, theirs in found["validation_at"].items()
            if mark in behind
        }
        for mark, one in found["lead_of_nao"].items():
            if is_behind(one):
                behind[mark].append(method)
    whole["nao_is_behind"] = behind


def lead(
    ours: list[float | None], theirs: list[float | None], less_is_better: bool
) -> dict[str, Any]:
    """The mean lead over the seeds that both have, and half its 95 % interval."""
    sign = -1 if less_is_better else 1
    both = zip(ours, theirs, strict=False)
    pairs = [sign * (a - b) for a, b in both if a is not None and b is not None]
    return {"mean": statistics.fmean(pairs), "interval_95": half_interval(pairs), "of": len(pairs)}


def is_behind(one: dict[str, Any]) -> bool:
    """Whether the whole interval of a lead lies below zero."""
    return one["interval_95"] is not None and one["mean"] + one["interval_95"] < 0


def standstills(found: dict[str, Any]) -> dict[str, int]:
    """How many runs have the same best after 100 evaluations as after 50.

    Of those that had not found the very best after 50, and went on to 100.
    """
    at = found["validation_at"]
    if "100" not in at:
        return {"stood": 0, "of": 0}
    pairs = [
        (before, after)
        for before, after, query in zip(at["50"], at["100"], found["queries_to_best"], strict=True)
        if query is None or query > 50
    ]
    return {"stood": sum(before == after for before, after in pairs), "of": len(pairs)}
