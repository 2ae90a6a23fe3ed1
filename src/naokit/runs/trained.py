"""What is known of the final training of a run: its log, and what was reported of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from naokit.base import Json
from naokit.report.run_report import Epoch, Final, Written
from naokit.runs.folder import TRAINING
from naokit.training.log import Log
from naokit.wording import epochs_done


def final_of(folder: Path, before: Mapping[str, Json]) -> Final | None:
    """The final training; None where it has not begun."""
    rows = Log(folder / TRAINING).rows()
    found = before.get("final") or {}
    if not rows and not found:
        return None
    first = rows[0] if rows else {}
    named = [n.removeprefix("validation_") for n in first if n.startswith("validation_")]
    named += [n.removeprefix("test_") for n in found if n.startswith("test_")]
    metric = named[0] if named else "value"
    epochs = (
        Epoch(
            int(row["epoch"]),
            *(float(row[n]) for n in ("loss", f"validation_{metric}", "learning_rate", "seconds")),
        )
        for row in rows
    )
    scores = {part: found.get(f"{part}_{metric}") for part in ("validation", "test")}
    return Final(
        f"{metric}, percent" if metric == "accuracy" else metric,
        tuple(epochs),
        {part: score for part, score in scores.items() if score is not None},
        found.get("parameters"),
        (found.get("recipe") or {}).get("name"),
        tuple(
            Written(Path(one["file"]).name, one["difference"], one["note"])
            for one in before.get("exports", ())
        ),
        _cut(found),
    )


def _cut(found: Mapping[str, Json]) -> str | None:
    """How far a training came that time ended; None for one that went to its end."""
    if found.get("complete", True):
        return None
    return epochs_done(found["epochs_done"], found["recipe"]["epochs"])
