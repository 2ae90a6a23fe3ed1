"""Tables of graphs from two published benchmarks, for `--space graphs`.

    python -m benchmarks.graph_tables FOLDER

Reads NAS-Bench-NLP (Klyuchnikov et al. 2020) and the DARTS cells of NDS (Radosavovic et al. 2019)
as ../shared/data/README.md describes them, and writes each into FOLDER with a column `graph`. The
other columns stay as they are, so that a row without a value is a failed evaluation.
"""

from __future__ import annotations

import csv
import gzip
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from naokit.graphs import IDENTITY, NULL, SUM

SHARED = Path(__file__).parents[2] / "shared" / "data" / "tabular"

Graph = dict[str, dict[str, object]]
"""The vertices of a graph as `--space graphs` reads them."""

RECURRENT = {"elementwise_sum": SUM, "elementwise_prod": "product"}
"""The operations of NAS-Bench-NLP that have another name here; `activation_` is left out."""


def recurrent(row: Mapping[str, str]) -> Graph:
    """The graph of a NAS-Bench-NLP recipe.

    What tells apart vertices that are read in certain roles is a vertex of its own: the first and
    second input of blend(a, b, c) = a * b + (1 - a) * c, and all new states but the first.
    """
    recipe = json.loads(row["recipe"])
    read = {source for vertex in recipe.values() for source in vertex["input"]}
    graph: Graph = {name: {"op": "input"} for name in sorted(read - recipe.keys())}
    for name, vertex in recipe.items():
        sources = list(vertex["input"])
        if vertex["op"] == "blend":
            gate, opened, closed = sources
            graph[f"{name}.gate"] = {"op": "gate", "input": [gate]}
            graph[f"{name}.open"] = {"op": "open", "input": [opened]}
            sources = [f"{name}.gate", f"{name}.open", closed]
        op = RECURRENT.get(vertex["op"], vertex["op"].removeprefix("activation_"))
        graph[name] = {"op": op, "input": sources}
    first, *others = sorted(name for name in recipe if name.startswith("h_new_"))
    for state in others:
        graph[f"{state}.state"] = {"op": state, "input": [state]}
    graph["output"] = {"op": "output", "input": [first, *(f"{state}.state" for state in others)]}
    return graph


def darts(row: Mapping[str, str]) -> list[Graph]:
    """The graphs of the normal and the reduction cell of a row of NDS."""
    return [cell(row[name], row[f"{name}_concat"], name == "reduce") for name in CELLS]


CELLS = ("normal", "reduce")


def cell(text: str, concatenated: str, smaller: bool) -> Graph:
    """The graph of `op@input+op@input/...`; a node is the sum of its two operations."""
    graph: Graph = {"0": {"op": "input"}, "1": {"op": "input"}}
    for node, pair in enumerate(text.split("/"), 2):
        branches = []
        for branch, (op, _, source) in enumerate(word.partition("@") for word in pair.split("+")):
            name = f"{node}.{branch}"
            strided = smaller and source in "01"  # such a skip connection has weights
            free = {"none": NULL} | ({} if strided else {"skip_connect": IDENTITY})
            graph[name] = {"op": free.get(op, op), "input": [source]}
            branches.append(name)
        graph[str(node)] = {"op": SUM, "input": branches}
    graph["output"] = {"op": "output", "input": concatenated.split(",")}
    return graph


TABLES: Mapping[str, Callable[[Mapping[str, str]], object]] = {
    "nas-bench-nlp-ptb": recurrent,
    "nds-darts-imagenet-5-epochs": darts,
}


def convert(name: str, folder: Path) -> Path:
    """Writes a table with a column `graph`; its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-graphs.csv.gz"
    with gzip.open(SHARED / f"{name}.csv.gz", "rt", newline="") as file:
        rows = list(csv.DictReader(file))
    with gzip.open(path, "wt", newline="") as file:
        writer = csv.DictWriter(file, ["graph", *rows[0]])
        writer.writeheader()
        for row in rows:
            writer.writerow({"graph": json.dumps(TABLES[name](row), separators=(",", ":")), **row})
    return path


if __name__ == "__main__":
    for table in TABLES:
        print(convert(table, Path(sys.argv[1])))
