"""`nao` against random search for recurrent cells on PTB: forty short trainings each.

    OMP_NUM_THREADS=1 python -m benchmarks.language_search PTB FOLDER

The preset `small`: one pass over 100,000 tokens at hidden 100. The best three of each method are
trained a second time before one is called best. Interrupted searches continue.
"""

from __future__ import annotations

import itertools
import statistics
import sys
from pathlib import Path
from typing import Any

import optuna
import torch

from benchmarks.record import write
from naokit import runs, spaces
from naokit.base import Trial
from naokit.evaluators import TrainText
from naokit.presets import TEXT_PRESETS
from naokit.study import Study

PRESET = TEXT_PRESETS["small"]
METHODS = ("nao", "random")


def main() -> None:
    """One search after the other."""
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    folder = Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    space = spaces.load("recurrent")
    evaluator = TrainText(sys.argv[1], PRESET.recipe, hidden=PRESET.hidden, device="cpu")

    def told(study: Study, trial: Trial) -> None:
        print(study.settings["method"], trial.number, trial.value, trial.origin, flush=True)

    found = {}
    for place, method in enumerate(METHODS):
        study = runs.search(
            space,
            evaluator,
            storage=f"sqlite:///{folder / 'study.db'}",
            method=method,
            seed=place,  # another one: the same would share its random start
            evaluations=PRESET.evaluations,
            name=method,
            repeat=PRESET.repeat,
            times=PRESET.times,
            on_trial=told,
        )
        found[method] = summary(study)
    figures = {"threads": 1, "preset": PRESET.name, "evaluator": dict(evaluator.settings())}
    write("language_search", {"space": dict(space.settings()), **figures, "methods": found})


def summary(study: Study) -> dict[str, Any]:
    """What a search found, evaluation by evaluation."""
    first = study.trials[: PRESET.evaluations]
    values = [trial.value for trial in first if trial.value is not None]
    half = [t.value for t in first[len(first) // 2 :] if t.value is not None]
    return {
        "best": str(study.best.architecture),
        "best_values": study.best.values,
        "failed": sum(trial.value is None for trial in first),
        "best_so_far": list(itertools.accumulate(values, min)),
        "values": values,
        "mean_of_the_second_half": round(statistics.fmean(half), 2),
        "seconds": round(sum(trial.seconds for trial in study.trials)),
        "origins": [trial.origin for trial in first],
        "repeated": [
            {"architecture": str(s.architecture), "values": s.values}
            for s in study.standings()
            if len(s.values) > 1
        ],
    }


if __name__ == "__main__":
    main()
