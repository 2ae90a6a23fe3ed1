"""`nao` against random search for recurrent cells on PTB: forty short trainings each.

    OMP_NUM_THREADS=1 python -m benchmarks.language_search PTB FOLDER

The preset `small`: one pass over 100,000 tokens at hidden 100. The best three of each method are
trained a second time before one is called best. Interrupted searches continue.
"""

from __future__ import annotations

import sys
from pathlib import Path

import optuna
import torch

from benchmarks.record import write
from benchmarks.searched import summary
from naokit import spaces
from naokit.doors import Trial
from naokit.evaluators import TrainText
from naokit.runs.studies import search_study
from naokit.study import Study
from naokit.text.presets import PRESETS as TEXT_PRESETS

PRESET = TEXT_PRESETS["small"]
METHODS = ("nao", "random")


def main() -> None:
    """Runs one search after the other."""
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
        study = search_study(
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
        found[method] = summary(study, PRESET.evaluations)
    figures = {"threads": 1, "preset": PRESET.name, "evaluator": dict(evaluator.settings())}
    write("language_search", {"space": dict(space.settings()), **figures, "methods": found})


if __name__ == "__main__":
    main()
