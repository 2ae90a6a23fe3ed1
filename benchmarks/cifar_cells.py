"""`nao` against random search for cells on CIFAR-10: the two studies of a run, as one record.

    naokit search --space conv-small --data CIFAR10 --preset small --evaluations 16 --baseline \\
        --no-final --out RUN
    python -m benchmarks.cifar_cells RUN

`benchmarks.final_training` trains the best of each to the end.
"""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.record import write
from benchmarks.searched import summary
from naokit.runs.folder import BASELINE, STUDY
from naokit.runs.run import Run
from naokit.study import open_study


def main() -> None:
    """Reads the run and writes the record."""
    run = Path(sys.argv[1])
    searched = Run.at(run)
    found = {}
    for method, name in (("nao", STUDY), ("random", BASELINE)):
        study = open_study(searched.space, f"sqlite:///{run / 'study.db'}", name)
        found[method] = summary(study, study.evaluations)
    plan = searched.plan
    write("cifar_cells", {"space": plan.space, "plan": plan.to_json(), "methods": found})


if __name__ == "__main__":
    main()
