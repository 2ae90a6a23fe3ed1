"""What a right and a wrong prior bring, on two tables of known results.

    python -m benchmarks.prior FOLDER-OF-TABLES [TABLE:METHOD ...]
    python -m benchmarks.prior FOLDER-OF-TABLES TABLE:METHOD:BETA ...

The first compares with and without priors (`results/prior.json`), the second other values of beta,
by other seeds (`results/prior_tried.json`).

The weights of an option are its share among certain rows, averaged with an equal share, in units of
the latter:

    right    the best 1 % of the table
    dealt    those of `right`, dealt to the options of each choice at random, anew for each seed
    wrong    the worst 10 %

Each search ends at its budget or at the best row. Of each the evaluations are kept that were better
than all before, as it ends, and the same command continues.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import optuna

from benchmarks.record import RESULTS, keep
from naokit import create_study
from naokit.base import Weights
from naokit.bench import TableTask
from naokit.bench.task import best_value, table_of
from naokit.evaluators import Tabular
from naokit.method import prior as method_prior
from naokit.report.intervals import half_interval

SEEDS, EVALUATIONS, MARKS = 10, 100, (10, 25, 50, 100)
OTHER_SEEDS = 100
"""The first seed of the searches that beta was chosen by."""
PRIORS = ("none", "right", "dealt", "wrong")
SEARCHES = ("c10:nao", "c10:random", "protein:nao", "protein:random")
SHARES = {"right": 0.01, "wrong": 0.1}
CHOICES = (
    "activation_fn_1,activation_fn_2,batch_size,dropout_1,dropout_2,init_lr,lr_schedule,"
    "n_units_1,n_units_2"
)


def tasks(folder: Path) -> dict[str, TableTask]:
    """The tables by name."""
    cells = (str(folder / "nas-bench-201-cifar10.csv.gz"),)
    protein = (str(folder / "hpo-protein.csv.gz"),)
    return {
        "c10": TableTask("nas-bench-201", cells, "arch", "c10_val_200", None, "unique_str"),
        "protein": TableTask("choices", protein, CHOICES, "val_loss1", direction="minimize"),
    }


def main() -> None:
    """Searches what is missing, and writes the record after each search."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    known = tasks(Path(sys.argv[1]).resolve())
    names = sys.argv[2:] or SEARCHES
    tried = names[0].count(":") > 1
    record = "prior_tried" if tried else "prior"
    path = RESULTS / f"{record}.json"
    found = json.loads(path.read_text())["searches"] if path.exists() else {}
    for name in names:
        task, method, *beta = name.split(":")
        method_prior.BETA = float(beta[0]) if beta else method_prior.BETA
        table = table_of(known[task])
        for number, believed in product(range(SEEDS), PRIORS):
            kept = found.setdefault(name, {}).setdefault(believed, [])
            if len(kept) == number:
                seed = number + tried * OTHER_SEEDS
                prior = prior_of(table, believed, seed)
                kept.append(dict(improvements(table, method, seed, prior)))
                print(name, believed, seed, *list(kept[-1].items())[-1], flush=True)
                best = {one: best_value(table_of(known[one.partition(":")[0]])) for one in found}
                keep(record, {"summary": summary(found, best), "searches": found})
    print(json.dumps(json.loads(path.read_text())["summary"], indent=1))


def improvements(
    table: Tabular, method: str, seed: int, prior: Weights | None
) -> Iterator[tuple[str, float]]:
    """The number and the value of each evaluation that is better than all before it."""
    study = create_study(
        table.space, method=method, seed=seed, direction=table.direction, prior=prior
    )
    best = best_value(table)
    for number in range(1, EVALUATIONS + 1):
        asked = study.ask()
        study.tell(asked.number, table.evaluate(asked.architecture, 0).value)
        if study.best.number == asked.number:
            yield str(number), study.best_value
        if study.best_value == best:
            return


def prior_of(table: Tabular, name: str, seed: int) -> Weights | None:
    """The weights of a prior by its name."""
    if name == "none":
        return None
    generator = np.random.default_rng(seed)
    grammar = table.space.grammar
    weights: dict[str, dict[str, float]] = {}
    of = SHARES["right" if name == "dealt" else name]
    rows = extreme(table, of, best=name != "wrong")
    for place, (position, options) in enumerate(
        zip(grammar.names, grammar.named_options, strict=True)
    ):
        shares = np.bincount(rows[:, place], minlength=len(options)) / len(rows)
        each = (shares * len(options) + 1) / 2
        if name == "dealt":
            each = generator.permutation(each)
        weights[position] = dict(zip(options, each.tolist(), strict=True))
    return weights


def extreme(table: Tabular, share: float, *, best: bool) -> np.ndarray:
    """The choices of the best or worst rows of a table, (n, L)."""
    rows = list(table.space.classes.items())
    figures = np.array([table.values[key] for _, key in rows])
    order = np.argsort(-figures if (table.direction == "maximize") == best else figures)
    return np.array([rows[place][0] for place in order[: int(share * len(rows))]])


def summary(
    searches: dict[str, dict[str, list[dict[str, float]]]], best: dict[str, float]
) -> dict[str, Any]:
    """For each search and prior the best so far and the queries to the best, over the seeds."""
    return {
        name: {
            prior: _summed(kept, by_prior["none"], best[name], minimise=name.startswith("protein"))
            for prior, kept in by_prior.items()
        }
        for name, by_prior in searches.items()
    }


def _summed(
    kept: list[dict[str, float]], without: list[dict[str, float]], best: float, *, minimise: bool
) -> dict[str, Any]:
    """The figures of one prior, and its lead on the searches without one, seed by seed."""
    figure: dict[str, Any] = {"seeds": len(kept)}
    queries = [int(max(run, key=int)) if best in run.values() else None for run in kept]
    figure["found"] = sum(q is not None for q in queries)
    figure["mean_queries"] = statistics.fmean(EVALUATIONS if q is None else q for q in queries)
    for mark in MARKS:
        each, beside = ([_at(run, mark) for run in runs] for runs in (kept, without))
        lead = [(b - a) if minimise else (a - b) for a, b in zip(each, beside, strict=False)]
        figure[f"at_{mark}"] = statistics.fmean(each)
        figure[f"lead_{mark}"] = statistics.fmean(lead)
        figure[f"lead_{mark}_interval_95"] = half_interval(lead) if len(lead) > 1 else None
    return figure


def _at(run: dict[str, float], mark: int) -> float:
    """The best of the first evaluations."""
    return [value for number, value in run.items() if int(number) <= mark][-1]


if __name__ == "__main__":
    main()
