"""How many evaluations each method needs on tables of known results.

    python -m benchmarks.optimiser FOLDER-OF-TABLES [TASK or TASK:METHOD or :METHOD ...]

`:nao` measures `nao` on every table. Runs are kept in `runs/optimiser` and continue after an
interruption. Writes, for each task, the summary as `results/optimiser/TASK.json`, where the rows of
methods that were not asked for stay; and of all that are there, as `benchmarks.optimiser_page`,
`docs/optimiser.md` and the table in the README. The word `page` alone writes only these.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.comparison import compare
from benchmarks.optimiser_page import write_page
from benchmarks.peers import PEERS
from benchmarks.record import RESULTS, provenance
from benchmarks.tables import OUT, Benchmark, benchmarks, converted
from naokit import method as methods
from naokit.base import InputError
from naokit.bench import bench
from naokit.doors import Method
from naokit.method.nao import Nao
from naokit.space import Space

METHODS = {
    "nao": 100,
    "nao-candidates": 50,
    "random": 50,
    "evolution": 50,
    "local-search": 50,
    "tpe": 20,
    "nsga2": 10,
    "bananas-like": 20,
    "weaknas-like": 20,
    "gp-one-hot": 50,
    "nao-2018": 5,
    "seminas": 3,
    "gp": 3,
    "neps-bo": 3,
}
"""The number of seeds of each method; slow methods have fewer."""
OTHERS = {
    ("arxiv", "nao"): 60,
    ("scene", "nao"): 400,
    ("c10-one-run", "nao"): 60,
    ("c10-batch-10", "nao"): 60,
    ("scene-batch-10", "nao"): 60,
    ("arxiv-batch-10", "nao"): 20,
    ("arxiv", "nao-candidates"): 250,
    ("photo", "nao"): 60,
    ("photo", "random"): 200,
    ("photo", "evolution"): 200,
    ("photo", "local-search"): 200,
    ("photo", "gp"): 20,
    ("photo-300", "nao"): 50,
    ("photo-300", "gp-one-hot"): 50,
    ("nas-bench-101-noisy", "tpe"): 5,
    ("nas-bench-nlp-ptb", "tpe"): 2,
}
"""Other numbers of seeds: fewer if a run takes long, more if two methods are close."""
COSTLY = (
    "photo-300",
    "nas-bench-101",
    "nas-bench-101-noisy",
    "nas-bench-nlp-ptb",
    "nds-darts-imagenet-5-epochs",
    "hpo-protein",
    "hpo-naval",
)
ON_COSTLY = {"nao": 20, "tpe": 10, "gp-one-hot": 20}
"""The numbers of seeds on the tables where runs take long, or most of their budget."""
FEWER = {"gp": 100, "neps-bo": 50}
"""The evaluations of methods whose suggestion takes seconds, except on `WHOLE`."""
WHOLE = ("c10", "photo")
"""The tables on which Optuna's Gaussian process has as many evaluations as the others."""
ON_C10 = ("nsga2", "nao-2018", "seminas", "gp", "neps-bo")
"""The methods that are measured on c10, and elsewhere on what `ALSO` or `OTHERS` names."""
ALSO = {
    "nsga2": ("scene", "arxiv", "photo"),
    "gp": ("hpo-protein", "hpo-naval"),
    "neps-bo": ("hpo-protein", "hpo-naval"),
    "nao-candidates": ("c10", "scene", "arxiv"),
}
"""The tables on which some methods are measured."""


def main() -> None:
    """Measures the named tasks, or all of them."""
    others = {"nao-candidates": nao_candidates, "neps-bo": elsewhere, **PEERS}
    methods.METHODS = {**methods.METHODS, **others}  # known in this process alone
    known = benchmarks(Path(sys.argv[1]).resolve())
    for asked in sys.argv[2:] or known:
        if asked == "page":
            break
        task, _, method = asked.partition(":")
        for name in [task] if task else known:
            measure(name, known[name], [method] if method else methods_of(name, known[name]))
    write_page(known)


def measure(name: str, benchmark: Benchmark, names: Sequence[str]) -> None:
    """Runs methods on a table and records each of them at once, so that no run is lost."""
    ready = converted(name, benchmark)
    for method in names:
        summary = bench(
            ready.table,
            [method],
            seeds=seeds_of(name, method),
            evaluations=evaluations_of(name, method, benchmark),
            workers=benchmark.workers,
            out=OUT / name,
            on_search=lambda run: print(run.method, run.seed, len(run.values), flush=True),
        )
        record(name, benchmark, summary)


def nao_candidates(space: Space, seed: int, evaluations: int) -> Method:
    """`nao` that searches for candidates even if the whole space could be scored."""
    return Nao(space, seed, evaluations, whole=False)


def elsewhere(space: Space, seed: int, evaluations: int) -> Method:
    """Refuses: NePS has an environment of its own, in which its runs are made."""
    raise InputError("run benchmarks.neps_search first, and with as many seeds")


def methods_of(name: str, benchmark: Benchmark) -> list[str]:
    """The methods that are measured on a task."""
    if benchmark.workers > 1 or name == "c10-one-run":
        return ["nao"]
    return [
        method
        for method in METHODS
        if name in ALSO.get(method, ())
        or (name, method) in OTHERS
        or (method not in ALSO and method not in ON_C10)
        or (name == "c10" and method in ON_C10)
    ]


def seeds_of(name: str, method: str) -> int:
    """How many searches a method makes on a table."""
    usual = METHODS | (ON_COSTLY if name in COSTLY else {})
    return OTHERS.get((name, method), usual[method])


def evaluations_of(name: str, method: str, benchmark: Benchmark) -> int:
    """The budget of each search."""
    if method == "gp" and name in WHOLE:
        return benchmark.evaluations
    return min(benchmark.evaluations, FEWER.get(method, benchmark.evaluations))


def record(name: str, benchmark: Benchmark, summary: dict[str, Any]) -> None:
    """Adds a method to the summary of its table, with the lead of ours over each, seed by seed."""
    path = RESULTS / "optimiser" / f"{name}.json"
    whole = json.loads(path.read_text()) if path.exists() else {**summary, "methods": {}}
    for method, found in summary["methods"].items():
        whole["methods"][method] = {"evaluations": summary["evaluations"], **rounded(found)}
    whole |= {"evaluations": benchmark.evaluations, **provenance()}
    whole["task"]["tables"] = [Path(table).name for table in benchmark.table.tables]
    whole.pop("seeds", None)  # each method has its own number
    compare(whole)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text_of(whole))


def rounded(value: Any) -> Any:
    """Every number with nine digits, which is more than a difference needs."""
    if isinstance(value, dict):
        return {name: rounded(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    return float(f"{value:.9g}") if isinstance(value, float) else value


def text_of(whole: dict[str, Any]) -> str:
    """JSON with a line for each figure, so that a curve is one line."""
    methods = ",\n".join(
        f'  "{name}": {{\n'
        + ",\n".join(f'   "{key}": {json.dumps(value)}' for key, value in found.items())
        + "\n  }"
        for name, found in whole["methods"].items()
    )
    others = "".join(
        f' "{key}": {json.dumps(value)},\n' for key, value in whole.items() if key != "methods"
    )
    return f'{{\n{others} "methods": {{\n{methods}\n }}\n}}\n'


if __name__ == "__main__":
    main()
