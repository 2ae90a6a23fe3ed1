"""What proposals of each origin were worth in real searches by `nao`, read off their records.

    python -m benchmarks.origins

A value is given in standard deviations of random cells' above their mean: after a whole training in
`cells.json` and `cells_steady.json`, after the first epoch where evaluations stop early. Nothing is
trained. `results/origins.json` was made when latent steps could lead anywhere (the lengths say
which rows these are); later rows are of steps that stay near the best.
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

import numpy as np

from benchmarks.record import RESULTS, write
from naokit.method.nao import INITIAL

WHOLE = ("cells", "cells_steady")
STOPPED = ("digits", "few-digits", "ptb", "cifar10")
LONG = 2.0
"""The length from which on a latent step counts as long."""

Search = tuple[list[str], list[float]]
"""The origin and the value of each evaluation; more is better."""


def main() -> None:
    """Writes the means and their standard errors."""
    found = {}
    for name in WHOLE:
        searches = json.loads((RESULTS / f"{name}.json").read_text())["searches"]
        by = {m: [(s["origins"], s["values"]) for s in searches[m]] for m in ("nao", "random")}
        found[name] = _worth(by["nao"], by["random"])
    for name in STOPPED:
        record = json.loads((RESULTS / f"{name}_stopping.json").read_text())
        found[f"{name}, first epoch"] = _worth(*_first_epochs(record, -1 if name == "ptb" else 1))
    for name, rows in found.items():
        print(name, rows)
    write("origins", {"unit": "standard deviations of random cells", "worth": found})


def _first_epochs(record: dict[str, Any], sign: int) -> tuple[list[Search], list[Search]]:
    """The searches by `nao` and at random of one record of searches that stop early."""
    by: dict[str, list[Search]] = {"nao": [], "random": []}
    for row in [*record["rows"], *record.get("tried", [])]:
        begun = [trial for trial in row["evaluations"] if trial[3]]
        if not begun:  # whole trainings without a curve
            continue
        search = [trial[0] for trial in begun], [sign * trial[3][0] for trial in begun]
        by[row["way"].partition(",")[0]].append(search)
    return by["nao"], by["random"]


def _worth(by_nao: list[Search], at_random: list[Search]) -> dict[str, list[float]]:
    """Of each origin how many proposals there are, their mean worth and its standard error."""
    random = np.concatenate([values for _, values in at_random])
    groups: dict[str, list[float]] = defaultdict(list)
    for origins, values in by_nao:
        for place, (origin, value) in enumerate(zip(origins, values, strict=True)):
            if group := _group(origin, place):
                groups[group].append((value - random.mean()) / random.std())
    return {
        group: [len(some), round(float(np.mean(some)), 2), round(_error(some), 2)]
        for group, some in sorted(groups.items())
    }


def _group(origin: str, place: int) -> str:
    """Which proposals a proposal is counted with; none for what the model did not propose."""
    if origin == "random":
        return "random at first" if place < INITIAL else "random later"
    if origin in ("mutation", "crossing"):
        return "mutation or crossing"
    if origin.startswith("latent step"):
        return "latent step, long" if float(origin.split()[-1]) >= LONG else "latent step, short"
    return ""


def _error(values: list[float]) -> float:
    return float(np.std(values)) / float(len(values) ** 0.5)


if __name__ == "__main__":
    main()
