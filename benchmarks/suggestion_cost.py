"""What `nao` spends on its suggestions: processor time, and memory, of one thread.

    python -m benchmarks.suggestion_cost FOLDER-OF-TABLES

The pool is that of nas-bench-graph, 26,206 architectures scored at every suggestion, with results
in random order; conv-small is endless, with a made-up score that adds up its choices. Each search
is a process of its own, so that the largest memory is its own too. The first suggestion of a space
(its features, and where it is endless the first training of the latent model) is counted in.
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

from benchmarks.optimiser import tasks
from benchmarks.record import write
from naokit.base import Architecture, Trial
from naokit.method.nao import Nao
from naokit.spaces import ConvCells

RESULTS_LATE, WINDOW = 1000, 100


def main() -> None:
    """All three, one after the other."""
    folder = Path(sys.argv[1]).resolve()
    context = multiprocessing.get_context("spawn")
    found = {}
    for name, target, arguments in (
        ("pool, 3 to 200 results", pool, (folder, 3, 200)),
        ("pool, to 1,000 results", pool, (folder, RESULTS_LATE - WINDOW, RESULTS_LATE)),
        ("conv-small, 3 to 200 results", endless, (200,)),
    ):
        with context.Pool(1) as workers:
            found[name] = workers.apply(target, arguments)
        print(name, found[name], flush=True)
    write("suggestion_cost", found)


def pool(folder: Path, first: int, last: int) -> dict[str, float]:
    """Suggestions over the whole space, from `first` known results to `last`."""
    table = tasks(folder)["arxiv"][0].load()
    method = Nao(table.space, 0, last)
    assert method.everything is not None
    order = np.random.default_rng(0).permutation(len(method.everything.architectures))
    known = [method.everything.architectures[place] for place in order[:last]]
    history = [Trial(n, a, table.values[a.key]) for n, a in enumerate(known)]
    return cost(method.propose(history[:amount]) for amount in range(first, last))


def endless(last: int) -> dict[str, float]:
    """A search in conv-small."""
    space = ConvCells.small()
    generator = np.random.default_rng(0)
    worth = [generator.standard_normal(count) for count in space.grammar.counts]

    def score(architecture: Architecture) -> float:
        return float(sum(w[c] for w, c in zip(worth, architecture.choices, strict=True)))

    def search() -> Iterator[object]:
        method = Nao(space, 0, last)
        history: list[Trial] = []
        for number in range(last):
            architecture = method.propose(history).architecture
            history.append(Trial(number, architecture, score(architecture)))
            yield number

    return cost(search())


def cost(suggestions: Iterator[object]) -> dict[str, float]:
    """Processor seconds a suggestion, and the process's largest memory."""
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
