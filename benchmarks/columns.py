"""Perplexity read in one column and in several: whether it is the same, and what it costs.

    OMP_NUM_THREADS=1 python -m benchmarks.columns PTB NETWORK...

Trained language models (`naokit train`), all ways of reading in turn on the validation part. For
comparison several columns as they were read before: each after a warm-up of 200 tokens, unchecked.
`remembers` is how many tokens of each column were read again; null: the text was read in one column
after all.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.record import write
from naokit.export.bundle import read
from naokit.networks import LanguageModel, count_parameters
from naokit.text import perplexity as module
from naokit.text.bundle import LanguageBundle
from naokit.text.data import load_text
from naokit.text.perplexity import perplexity

COLUMNS, WARM_UP = (8, 20, 32), 200
CPU = torch.device("cpu")


def main() -> None:
    """Measures each network of the command line."""
    torch.set_num_threads(1)
    found: dict[str, Any] = {"threads": 1, "text": Path(sys.argv[1]).name, "networks": {}}
    for folder in map(Path, sys.argv[2:]):
        bundle = read(LanguageBundle, folder)
        ids = load_text(sys.argv[1], vocabulary=bundle.vocabulary).validation
        recipe, epochs = bundle.results.recipe["name"], bundle.results.epochs
        training = {"recipe": recipe, "epochs": epochs}
        found["networks"][folder.parent.name] = training | row(bundle.network, ids)
        print(folder, found["networks"][folder.parent.name], flush=True)
    write("columns", found)


def row(network: LanguageModel, ids: np.ndarray) -> dict[str, Any]:
    """The perplexity of one network, the relative error of the other ways, and CPU seconds."""
    alone, seconds = timed(partial(perplexity, network, ids, device=CPU, batch=1))
    figures: dict[str, Any] = {
        "parameters": count_parameters(network),
        "hidden": network.settings.hidden,
        "vocabulary": network.settings.vocabulary,
        "tokens": len(ids),
        "perplexity": alone,
        "cpu_seconds": seconds,
        "columns": {},
    }
    for columns in COLUMNS:
        calls: list[None] = []
        counted = network.register_forward_hook(lambda *_, calls=calls: calls.append(None))
        several, seconds = timed(partial(perplexity, network, ids, device=CPU, batch=columns))
        counted.remove()
        before, seconds_before = timed(partial(warmed, network, ids, columns))
        again = len(calls) - math.ceil(math.ceil((len(ids) - 1) / columns) / module.STEPS)
        figures["columns"][str(columns)] = {
            "off": several / alone - 1,
            "cpu_seconds": seconds,
            "remembers": again * module.STEPS if again <= module.MEMORY else None,
            "warm_up_off": before / alone - 1,
            "warm_up_cpu_seconds": seconds_before,
        }
    return figures


def timed(run: Callable[[], float]) -> tuple[float, float]:
    """The result of a call, and its CPU seconds."""
    began = time.process_time()
    return run(), time.process_time() - began


@torch.no_grad()
def warmed(network: LanguageModel, ids: np.ndarray, columns: int) -> float:
    """The perplexity by columns that begin with the state after the 200 tokens before them."""
    text = torch.tensor(ids)
    starts = torch.arange(columns) * -(-(len(ids) - 1) // columns)
    places = torch.arange(-WARM_UP, 0)[:, None] + starts
    state = network(text[places.clamp(min=0)], None).state
    state[0] = 0
    losses = [loss for loss, *_ in module._pieces(network, text, columns, state)]
    return math.exp(float(torch.cat(losses).sum()) / (len(ids) - 1))


if __name__ == "__main__":
    main()
