"""Writes the golden files: `python -m tests.golden.record [PART ...]`."""

import json
import sys
import tempfile
from pathlib import Path

import optuna
from tests.golden import proposals, suggestions, trainings


def main(wanted: list[str]) -> None:
    """Records what is wanted, or everything."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if not wanted or "proposals" in wanted:
        found = {
            space: {
                method: " ".join(proposals.proposals(space, method)) for method in proposals.METHODS
            }
            for space in proposals.SPACES
        }
        proposals.RECORDED.write_text(json.dumps(found, indent=1) + "\n")
    if not wanted or "suggestions" in wanted:
        found = {name: " ".join(suggestions.suggestions(name)) for name in suggestions.STUDIES}
        found = {"machine": suggestions.machine(), **found}
        suggestions.RECORDED.write_text(json.dumps(found, indent=1) + "\n")
    if not wanted or "trainings" in wanted:
        with tempfile.TemporaryDirectory() as folder:
            found = trainings.record(Path(folder))
        trainings.RECORDED.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
