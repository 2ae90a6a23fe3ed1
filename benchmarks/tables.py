"""The tables of known results that the optimiser's benchmark searches, and their names.

Some are converted first, into a folder that is not committed: a text of another shape, graphs of
another shape, tables without the mean of their runs. Some have a test metric alone, which is then
the signal too.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import statistics
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.graph_tables import darts, recurrent
from naokit.bench import TableTask
from naokit.files import write_whole

RUNS = Path(__file__).parents[1] / "runs"
OUT, CONVERTED = RUNS / "optimiser", RUNS / "tables"
HYPERPARAMETERS = (
    "activation_fn_1,activation_fn_2,batch_size,dropout_1,dropout_2,init_lr,lr_schedule,"
    "n_units_1,n_units_2"
)
"""The nine choices of the tables of hyperparameters."""


@dataclass(frozen=True)
class Benchmark:
    """One table of the benchmark.

    Attributes:
        title: The name of the table for people.
        table: The table and its columns.
        evaluations: The budget of each search.
        workers: How many evaluations run side by side; all take as long.
        hard: Whether so few runs find the best that the best values say more.
        note: A sentence on the signal that the results need beside them.
    """

    title: str
    table: TableTask
    evaluations: int = 300
    workers: int = 1
    hard: bool = False
    note: str = ""


def benchmarks(folder: Path) -> dict[str, Benchmark]:
    """Every table by name, in the order of the page.

    Args:
        folder: The folder of the published tables.
    """

    def at(name: str) -> tuple[str, ...]:
        return (str(folder / f"{name}.csv.gz"),)

    cells = at("nas-bench-201-cifar10")
    c10 = TableTask("nas-bench-201", cells, "arch", "c10_val_200", "c10_test_200", "unique_str")
    scenes = at("transnas-bench-101-micro-scene")
    scene = TableTask("transnas-micro", scenes, "tnb_name", "class_scene_val", None, "unique_str")
    graph = at("nas-bench-graph-arxiv-photo")
    arxiv = TableTask("nas-bench-graph", graph, "link,ops", "arxiv_val", "arxiv_test")
    photo = TableTask("nas-bench-graph", graph, "link,ops", "photo_val", "photo_test")
    text = "adjacency_upper,ops"
    nb101 = TableTask("nas-bench-101", at("nas-bench-101"), text, "test_acc_mean3")
    return {
        "c10": Benchmark("NAS-Bench-201, CIFAR-10", c10),
        "scene": Benchmark("TransNAS-Bench-101 micro, scenes", scene),
        "arxiv": Benchmark("NAS-Bench-Graph, arxiv", arxiv),
        "c10-one-run": Benchmark(
            "CIFAR-10, one noisy run as signal", replace(c10, metric="c10_val_200_run")
        ),
        "c10-batch-10": Benchmark("CIFAR-10, ten at a time", c10, workers=10),
        "scene-batch-10": Benchmark("scenes, ten at a time", scene, workers=10),
        "arxiv-batch-10": Benchmark("arxiv, ten at a time", arxiv, workers=10),
        "photo": Benchmark("NAS-Bench-Graph, photo", photo, 100, hard=True),
        "photo-300": Benchmark("NAS-Bench-Graph, photo", photo, hard=True),
        "nas-bench-101": Benchmark(
            "NAS-Bench-101",
            nb101,
            hard=True,
            note="The signal is the mean test accuracy of three runs: this table has no other.",
        ),
        "nas-bench-101-noisy": Benchmark(
            "NAS-Bench-101, one noisy run as signal",
            TableTask("nas-bench-101", at("nas-bench-101-noisy"), text, "val_acc1", "test_acc"),
            hard=True,
            note="The signal is the validation accuracy of one run of 3,258 cells; the test value "
            "is the mean of three runs.",
        ),
        "nas-bench-nlp-ptb": Benchmark(
            "NAS-Bench-NLP, PTB",
            TableTask(
                "graphs",
                at("nas-bench-nlp-ptb"),
                "graph",
                "best_val_ppl",
                "test_ppl_at_best_val",
                direction="minimize",
            ),
            hard=True,
            note="A pool of 12,000 recurrent networks, a fifth of which failed. The signal is the "
            "validation perplexity of one run, and less is better. Methods that see choices see "
            "one here, which graph: TPE knows nothing else, and one-hot tokens are how often each "
            "operation is there.",
        ),
        "nds-darts-imagenet-5-epochs": Benchmark(
            "NDS, DARTS cells on ImageNet, 5 epochs",
            TableTask(
                "graphs",
                at("nds-darts-imagenet-5-epochs"),
                "graph",
                "final_test_top1_err",
                direction="minimize",
            ),
            note="A pool of 499 pairs of cells. The signal is the test error of one run, which the "
            "table has alone, and less is better. What methods see is as on NAS-Bench-NLP.",
        ),
        **{
            f"hpo-{data}": Benchmark(
                f"hyperparameters, {data}",
                TableTask(
                    "choices",
                    at(f"hpo-{data}"),
                    HYPERPARAMETERS,
                    "val_loss1",
                    "val_loss",
                    direction="minimize",
                ),
                hard=True,
                note="The signal is the validation loss of one seed, and less is better; the test "
                "value is the mean validation loss of four seeds, that one among them.",
            )
            for data in ("protein", "naval")
        },
    }


def converted(name: str, benchmark: Benchmark) -> Benchmark:
    """The benchmark on a table that naokit can read, which is made where it is not there yet."""
    if name not in CONVERSIONS:
        return benchmark
    (source,) = benchmark.table.tables
    path = CONVERTED / f"{name}.csv"
    if not path.exists():
        with gzip.open(source, "rt") as lines:
            rows = [CONVERSIONS[name](row) for row in csv.DictReader(lines)]
        text = io.StringIO()
        writer = csv.DictWriter(text, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_whole(path, text.getvalue())
    return replace(benchmark, table=replace(benchmark.table, tables=(str(path),)))


def matrix_row(row: dict[str, str]) -> dict[str, str]:
    """A cell's upper triangle instead of its seven rows of seven, and accuracies for errors.

    Some cells have several rows, which spell them differently and have the same runs: the first
    row counts.
    """
    matrix = row["adjacency_7x7_rows"].split("/")
    return {
        "adjacency_upper": "".join(line[place + 1 :] for place, line in enumerate(matrix)),
        "ops": row["node_ops"],
        "val_acc1": f"{1 - float(row['val_err1']):.6f}",
        "test_acc": f"{1 - float(row['mean_test_err']):.6f}",
    }


def mean_of_runs(row: dict[str, str]) -> dict[str, str]:
    """A configuration, the loss of its first run, and the mean of the four runs."""
    runs = [float(row[f"val_loss{number}"]) for number in (1, 2, 3, 4)]
    names = HYPERPARAMETERS.split(",")
    kept = {name: row[name] for name in (*names, "val_loss1")}
    return kept | {"val_loss": f"{statistics.fmean(runs):.8g}"}


def recurrent_row(row: dict[str, str]) -> dict[str, str]:
    """A recurrent network's graph and perplexities; a failed one has none."""
    kept = {name: row[name] for name in ("best_val_ppl", "test_ppl_at_best_val")}
    return {"graph": json.dumps(recurrent(row)), **kept}


def darts_row(row: dict[str, str]) -> dict[str, str]:
    """The graphs of a normal and a reduction cell, and their error."""
    return {"graph": json.dumps(darts(row)), "final_test_top1_err": row["final_test_top1_err"]}


CONVERSIONS: dict[str, Callable[[dict[str, str]], dict[str, str]]] = {
    "nas-bench-101-noisy": matrix_row,
    "hpo-protein": mean_of_runs,
    "hpo-naval": mean_of_runs,
    "nas-bench-nlp-ptb": recurrent_row,
    "nds-darts-imagenet-5-epochs": darts_row,
}
"""How each row of a table is converted, by the name of its benchmark."""
