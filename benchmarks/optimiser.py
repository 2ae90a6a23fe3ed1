"""How many evaluations each method needs on tables of known results.

    python -m benchmarks.optimiser FOLDER-OF-TABLES [TASK or TASK:METHOD ...]

Runs are kept in `runs/optimiser` and continue after an interruption. Writes, for each task, the
summary as `results/optimiser/TASK.json`, where the rows of methods that were not asked for stay;
and of all that are there `docs/optimiser.md` and the table in the README.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.peers import PEERS
from benchmarks.record import RESULTS, provenance
from naokit import method as methods
from naokit.base import Method, Space
from naokit.bench import TableTask, bench
from naokit.bench.summary import half_interval, markdown
from naokit.method.nao import Nao

ROOT = Path(__file__).parents[1]
OUT = ROOT / "runs" / "optimiser"
METHODS = {
    "nao": 200,
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
}
"""The number of seeds of each method; slow methods have fewer."""
OTHERS = {
    ("arxiv", "nao"): 400,
    ("arxiv-batch-10", "nao"): 100,
    ("scene", "nao"): 400,
    ("scene-batch-10", "nao"): 400,
    ("c10-batch-10", "nao"): 400,
    ("arxiv", "nao-candidates"): 250,
    ("photo", "random"): 200,
    ("photo", "evolution"): 200,
    ("photo", "local-search"): 200,
    ("photo", "gp"): 20,
}
"""Other numbers of seeds: fewer if a run takes long, more if two methods are close."""
ON_C10 = ("nao-2018", "seminas", "gp")
"""The tables on which the slowest methods are measured, in addition to those in `OTHERS`."""
BRIEFLY = (
    "nao",
    "random",
    "evolution",
    "local-search",
    "tpe",
    "bananas-like",
    "weaknas-like",
    "gp-one-hot",
)
"""The columns of the README's table."""
TITLES = {
    "c10": "NAS-Bench-201, CIFAR-10",
    "scene": "TransNAS-Bench-101 micro, scenes",
    "arxiv": "NAS-Bench-Graph, arxiv",
    "c10-one-run": "CIFAR-10, one noisy run as signal",
    "c10-batch-10": "CIFAR-10, ten at a time",
    "scene-batch-10": "scenes, ten at a time",
    "arxiv-batch-10": "arxiv, ten at a time",
    "photo": "NAS-Bench-Graph, photo: best of 50 / of 100",
}
"""The tables in their order, and their names."""
NOT_ON_PHOTO = ("nao-candidates",)
CELLS = ("nas-bench-201-cifar10.csv.gz",)
SCENE = ("transnas-bench-101-micro-scene.csv.gz",)
GRAPH = ("nas-bench-graph-arxiv-photo.csv.gz",)


def tasks(folder: Path) -> dict[str, tuple[TableTask, int, int]]:
    """The table, evaluations and batch of each task, by name."""

    def at(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(folder / name) for name in names)

    c10 = TableTask("nas-bench-201", at(CELLS), "arch", "c10_val_200", "c10_test_200", "unique_str")
    noisy = TableTask(
        "nas-bench-201", at(CELLS), "arch", "c10_val_200_run", "c10_test_200", "unique_str"
    )
    scene = TableTask(
        "transnas-micro", at(SCENE), "tnb_name", "class_scene_val", None, "unique_str"
    )
    arxiv = TableTask("nas-bench-graph", at(GRAPH), "link,ops", "arxiv_val", "arxiv_test")
    photo = TableTask("nas-bench-graph", at(GRAPH), "link,ops", "photo_val", "photo_test")
    return {
        "c10": (c10, 300, 1),
        "scene": (scene, 300, 1),
        "arxiv": (arxiv, 300, 1),
        "photo": (photo, 100, 1),
        "c10-one-run": (noisy, 300, 1),
        "c10-batch-10": (c10, 300, 10),
        "scene-batch-10": (scene, 300, 10),
        "arxiv-batch-10": (arxiv, 300, 10),
    }


def main() -> None:
    """Measures the named tasks, or all of them."""
    others = {"nao-candidates": nao_candidates, **PEERS}
    methods.METHODS = {**methods.METHODS, **others}  # known in this process alone
    known = tasks(Path(sys.argv[1]).resolve())
    for asked in sys.argv[2:] or known:
        if asked == "page":
            break
        name, _, only = asked.partition(":")
        task, evaluations, batch = known[name]
        summaries = [
            bench(
                task,
                [method],
                seeds=OTHERS.get((name, method), METHODS[method]),
                evaluations=evaluations,
                batch=batch,
                out=OUT / name,
                on_search=lambda run: print(run.method, run.seed, len(run.values), flush=True),
            )
            for method in ([only] if only else methods_of(name, batch))
        ]
        record(name, summaries)
    page()


def nao_candidates(space: Space, seed: int, evaluations: int) -> Method:
    """`nao` that searches for candidates even if the whole space could be scored."""
    return Nao(space, seed, evaluations, whole=False)


def methods_of(name: str, batch: int) -> list[str]:
    """The methods that are measured on a task."""
    if batch > 1 or name == "c10-one-run":
        return ["nao"]
    left_out = (() if name == "c10" else ON_C10) + (NOT_ON_PHOTO if name == "photo" else ())
    return [m for m in METHODS if m not in left_out or (name, m) in OTHERS]


def record(name: str, summaries: list[dict[str, Any]]) -> None:
    """One summary of all methods, with the lead of ours, seed by seed."""
    path = RESULTS / "optimiser" / f"{name}.json"
    whole = json.loads(path.read_text()) if path.exists() else summaries[0]
    for summary in summaries:
        whole["methods"] |= summary["methods"]
    whole["task"]["tables"] = [Path(table).name for table in whole["task"]["tables"]]
    ours = whole["methods"]["nao"]["validation_at"]
    for method, summary in whole["methods"].items():
        summary["nao_minus_this"] = {
            mark: difference(ours[mark], theirs)
            for mark, theirs in summary["validation_at"].items()
            if method != "nao" and mark in ("50", "100")
        }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**whole, **provenance()}, indent=1) + "\n")


def difference(ours: list[float], theirs: list[float]) -> dict[str, Any]:
    """The mean difference over the seeds that both have, and half its 95 % interval."""
    pairs = [a - b for a, b in zip(ours, theirs, strict=False)]
    return {"mean": statistics.fmean(pairs), "interval_95": half_interval(pairs)}


def ahead(summary: dict[str, Any]) -> str:
    """The lead of `nao` over the others, one line for each."""
    lines = ["| nao minus | @50 | @100 |", "|---|---|---|"]
    for name, found in summary["methods"].items():
        cells = [
            f"{d['mean']:+.4f} ± {d['interval_95']:.4f}" for d in found["nao_minus_this"].values()
        ]
        if cells:
            lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n" if len(lines) > 2 else ""


def page() -> None:
    """Writes the whole table as a page of the documentation, and the short one into the README."""
    paths = {name: RESULTS / "optimiser" / f"{name}.json" for name in TITLES}
    found = {name: json.loads(p.read_text()) for name, p in paths.items() if p.exists()}
    parts = [
        HEAD,
        short(found),
        *(f"## {TITLES[name]}\n\n{markdown(s)}\n{ahead(s)}" for name, s in found.items()),
    ]
    (ROOT / "docs" / "optimiser.md").write_text("\n".join(parts))
    readme = (ROOT / "README.md").read_text()
    before, _, rest = readme.partition(START)
    after = rest.partition(END)[2]
    (ROOT / "README.md").write_text(f"{before}{START}\n{short(found, BRIEFLY)}{END}{after}")


START, END = "<!-- optimiser: made by benchmarks.optimiser -->", "<!-- /optimiser -->"
HEAD = """# The optimiser's results

`python -m benchmarks.optimiser TABLES` makes this page from `benchmarks/results/optimiser/`.

- A *query* is one evaluation of an architecture that was not evaluated before. The random
  architectures at the start are counted.
- A run that has not found the best architecture counts as if it had found it at its last
  evaluation. So a mean is a lower bound if runs failed; it is then written as "over".
- @50 is the best value after 50 evaluations, as a mean over the seeds.
- Differences are taken between runs of equal seeds; ± is half a 95 % interval.
- Times are processor time on one thread of a busy machine.

`nao-candidates` is `nao` that searches for candidates even where the whole space could be scored.
`bananas-like`, `weaknas-like` and `gp-one-hot` are not part of naokit. They are in
`benchmarks/peers.py`, written after the papers and the official code of these methods. The file
says where they differ from them.
"""


def short(found: dict[str, Any], names: Sequence[str] = tuple(METHODS)) -> str:
    """The mean queries to the best, one line for each table; for photo the best so far."""
    lines = [f"| table | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    for name, summary in found.items():
        cell = _values if name == "photo" else _queries
        cells = [
            cell(summary["methods"][method]) if method in summary["methods"] else ""
            for method in names
        ]
        lines.append(f"| {TITLES[name]} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _queries(found: dict[str, Any]) -> str:
    if found["failures"]:
        return f"over {found['mean_queries_to_best']:.0f}"
    return f"{found['mean_queries_to_best']:.1f} ± {found['standard_error']:.1f}"


def _values(found: dict[str, Any]) -> str:
    """The best values so far, because no method finds the best of this table."""
    after_50, after_100 = (found["validation"]["mean"][mark - 1] for mark in (50, 100))
    return f"{after_50:.4f} / {after_100:.4f}"


if __name__ == "__main__":
    main()
