"""The cost of the suggestions of `nao`: processor time and memory, on one thread.

    python -m benchmarks.suggestion_cost FOLDER-OF-TABLES

The pool is that of nas-bench-graph, 26,206 architectures scored at every suggestion, with results
in random order. Two spaces are endless, with a made-up score that adds up their choices: conv-small
(40 choices) and the nine hyperparameters of the FCNet tables (62,208 settings); `resumed` is the
first suggestion of another process to the same history. Each search is a process of its own, so
that the largest memory is its own too. The first suggestion of a space (its features) and every
training of the latent model are counted in, the import of torch is not.
"""

from __future__ import annotations

import multiprocessing
import resource
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.record import write
from benchmarks.tables import benchmarks
from naokit.doors import Observation
from naokit.method.latent import _reconstruction
from naokit.method.nao import Nao
from naokit.space import Architecture, Space
from naokit.spaces import Choice, Choices, ConvCells

RESULTS_LATE, WINDOW = 1000, 100
PENDING = 64

UNITS, DROPOUT, ACTIVATIONS = (16, 32, 64, 128, 256, 512), (0.0, 0.3, 0.6), ("tanh", "relu")
NINE = Choices(
    "nine choices",
    (
        Choice("activation_1", ACTIVATIONS),
        Choice("activation_2", ACTIVATIONS),
        Choice("batch", (8, 16, 32, 64)),
        Choice("dropout_1", DROPOUT),
        Choice("dropout_2", DROPOUT),
        Choice("rate", (0.0005, 0.001, 0.005, 0.01, 0.05, 0.1)),
        Choice("schedule", ("cosine", "const")),
        Choice("units_1", UNITS),
        Choice("units_2", UNITS),
    ),
)


def main() -> None:
    """Measures all cases, one after the other."""
    folder = Path(sys.argv[1]).resolve()
    context = multiprocessing.get_context("spawn")
    found = {}
    for name, target, arguments in (
        ("pool, 3 to 200 results", pool, (folder, 3, 200)),
        ("pool, to 1,000 results", pool, (folder, RESULTS_LATE - WINDOW, RESULTS_LATE)),
        ("conv-small, to 300 results", endless, (ConvCells.small(), 300)),
        ("nine choices, to 300 results", endless, (NINE, 300)),
        ("conv-small, 1,000 random results", long, (ConvCells.small(), 1_000)),
        ("conv-small, 10,000 random results", long, (ConvCells.small(), 10_000)),
    ):
        with context.Pool(1) as workers:
            found[name] = workers.apply(target, arguments)
        print(name, found[name], flush=True)
    write("suggestion_cost", found)


def pool(folder: Path, first: int, last: int) -> dict[str, float]:
    """Suggestions over the whole space, from `first` known results to `last`."""
    table = benchmarks(folder)["arxiv"].table.load()
    method = Nao(table.space, 0, last)
    assert method.everything is not None
    order = np.random.default_rng(0).permutation(len(method.everything.architectures))
    known = [method.everything.architectures[place] for place in order[:last]]
    history = [Observation(a, table.values[a.key]) for n, a in enumerate(known)]
    return cost(method.propose(history[:amount]) for amount in range(first, last))


def endless(space: Space, last: int) -> dict[str, float]:
    """A search in an endless space, and the first suggestion when it is resumed."""
    generator = np.random.default_rng(0)
    worth = [generator.standard_normal(count) for count in space.grammar.counts]

    def score(architecture: Architecture) -> float:
        return float(sum(w[c] for w, c in zip(worth, architecture.choices, strict=True)))

    history: list[Observation] = []
    method = Nao(space, 0, last)

    def search() -> Iterator[object]:
        for number in range(last):
            architecture = method.propose(history).architecture
            history.append(Observation(architecture, score(architecture)))
            yield number

    found = cost(search())
    _reconstruction.cache_clear()
    again = Nao(space, 0, last)
    return found | {
        "resumed_seconds": cost(again.propose(history) for _ in range(1))["mean_seconds"]
    }


def long(space: Space, results: int) -> dict[str, float]:
    """Suggestions after a long history, without and beside `PENDING` evaluations that run."""
    generator, found = np.random.default_rng(0), dict[str, Architecture]()
    while len(found) < results + PENDING:
        architecture = space.sample(generator)
        found.setdefault(architecture.key, architecture)
    drawn = list(found.values())
    history = [Observation(one, float(sum(one.choices))) for one in drawn[:results]]
    method = Nao(space, 0, results)
    seconds = []
    for pending in (0, 0, 0, PENDING, 0, PENDING):  # the first ones fit and train
        began = time.process_time()
        method.propose(history, drawn[results : results + pending])
        seconds.append(time.process_time() - began)
    return {
        "first_seconds": sum(seconds[:2]),
        "alone_seconds": min(seconds[2], seconds[4]),
        f"beside_{PENDING}_seconds": min(seconds[3], seconds[5]),
    }


def cost(suggestions: Iterator[object]) -> dict[str, float]:
    """The processor seconds of a suggestion, and the peak memory of the process."""
    seconds, began = [], time.process_time()
    for _ in suggestions:
        ended = time.process_time()
        seconds.append(ended - began)
        began = ended
    return {
        "suggestions": float(len(seconds)),
        "mean_seconds": statistics.fmean(seconds),
        "median_seconds": statistics.median(seconds),
        "largest_seconds": max(seconds),
        "largest_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


if __name__ == "__main__":
    main()
