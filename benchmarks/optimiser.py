"""How many evaluations each method needs on tables of known results.

    python -m benchmarks.optimiser FOLDER-OF-TABLES [TASK ...]

Runs are kept in `runs/optimiser` and continue after an interruption. Writes, for each task, the
summary as `results/optimiser/TASK.json` and, of all that are there, `docs/optimiser.md`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.record import RESULTS, provenance
from naokit.bench import Task, bench
from naokit.bench.summary import markdown

ROOT = Path(__file__).parents[1]
OUT = ROOT / "runs" / "optimiser"
METHODS = {"nao": 50, "random": 50, "evolution": 50, "local-search": 50, "tpe": 20, "nsga2": 20}
"""Seeds of each method; the dear ones have fewer."""
CELLS = ("nas-bench-201-cifar10.csv.gz",)
SCENE = ("transnas-bench-101-micro-scene.csv.gz",)
GRAPH = ("nas-bench-graph-arxiv-photo.csv.gz",)


def tasks(folder: Path) -> dict[str, tuple[Task, int, int]]:
    """Task, evaluations and batch by name."""

    def at(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(folder / name) for name in names)

    c10 = Task("nas-bench-201", at(CELLS), "arch", "c10_val_200", "c10_test_200", "unique_str")
    noisy = Task(
        "nas-bench-201", at(CELLS), "arch", "c10_val_200_run", "c10_test_200", "unique_str"
    )
    scene = Task("transnas-micro", at(SCENE), "tnb_name", "class_scene_val", None, "unique_str")
    arxiv = Task("nas-bench-graph", at(GRAPH), "link,ops", "arxiv_val", "arxiv_test")
    photo = Task("nas-bench-graph", at(GRAPH), "link,ops", "photo_val", "photo_test")
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
    """The tasks that were named, or all."""
    known = tasks(Path(sys.argv[1]).resolve())
    for name in sys.argv[2:] or known:
        task, evaluations, batch = known[name]
        methods = ["nao"] if batch > 1 else list(METHODS)
        summaries = [
            bench(
                task,
                [method],
                seeds=METHODS[method],
                evaluations=evaluations,
                batch=batch,
                out=OUT / name,
                on_run=lambda run: print(run.method, run.seed, len(run.values), flush=True),
            )
            for method in methods
        ]
        record(name, summaries)
    page()


def record(name: str, summaries: list[dict[str, Any]]) -> None:
    """One summary of all methods, and the paired differences from ours."""
    whole = summaries[0]
    for other in summaries[1:]:
        whole["methods"] |= other["methods"]
    for table in whole["task"]["tables"]:
        whole["task"]["tables"] = [Path(table).name]
    folder = RESULTS / "optimiser"
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({**provenance(), **whole}, indent=1) + "\n"
    (folder / f"{name}.json").write_text(text)


def page() -> None:
    """All tables in one page of the documentation."""
    parts = ["# What the optimiser needs\n\nMade by `python -m benchmarks.optimiser`.\n"]
    for path in sorted((RESULTS / "optimiser").glob("*.json")):
        summary = json.loads(path.read_text())
        parts.append(f"## {path.stem}\n\n{markdown(summary)}")
    (ROOT / "docs" / "optimiser.md").write_text("\n".join(parts))


if __name__ == "__main__":
    main()
