"""The results of a search on real CIFAR-10, gathered from a run's folder into one record.

naokit search --space conv-small --data CIFAR10 --preset small --evaluations 16 --no-final --out RUN
naokit train RUN --channels 8 --recipe small-final --hours 0.25
naokit export RUN --json > EXPORTS.json
python -m benchmarks.cifar_search RUN EXPORTS.json
"""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path

from benchmarks.record import write
from naokit.export.bundle import read
from naokit.images.bundle import ImageBundle
from naokit.networks import count_parameters
from naokit.runs.run import Run


def main() -> None:
    """Reads the run and writes the record."""
    run = Path(sys.argv[1])
    study = Run.at(run).study
    bundle = read(ImageBundle, run / "network")
    checks = json.loads(Path(sys.argv[2]).read_text())["exports"]
    values = [trial.value for trial in study.trials if trial.origin != "repeat"]
    seconds = [trial.seconds for trial in study.trials]
    results = bundle.results.to_json()
    final = {key: value for key, value in results.items() if key not in {"recipe", "data"}}
    write(
        "cifar_search",
        {
            "evaluations": study.evaluations,
            "values": values,
            "origins": [trial.origin for trial in study.trials],
            "median_seconds_an_evaluation": statistics.median(seconds),
            "standings": [
                {"architecture": str(s.architecture), "values": s.values}
                for s in study.standings()[:5]
            ],
            "final": {
                "architecture": str(bundle.architecture),
                "recipe": bundle.results.recipe["name"],
                "channels": bundle.settings.channels,
                "cells": bundle.settings.cells,
                "parameters": count_parameters(bundle.network),
                **final,
            },
            "exports": [{**check, "file": Path(check["file"]).name} for check in checks],
        },
    )


if __name__ == "__main__":
    main()
