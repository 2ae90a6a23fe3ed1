"""A training as a curve: the score of each epoch by CPU time; interrupted runs continue."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from torch import nn

from benchmarks.record import RESULTS
from naokit.subject import Subject
from naokit.training.checkpoint import load_weights, read_tensors
from naokit.training.device import make_fabric
from naokit.training.loop import Epoch, train
from naokit.training.recipe import Recipe


def rows_of(place: Path) -> list[dict[str, Any]]:
    """The rows of a training so far."""
    path = place / "rows.json"
    rows: list[dict[str, Any]] = json.loads(path.read_text()) if path.exists() else []
    return rows


def train_with_rows(
    name: str,
    network: nn.Module,
    subject: Subject,
    recipe: Recipe,
    seed: int,
    place: Path,
) -> None:
    """Trains one network, keeps its rows beside its checkpoints, and loads its best weights.

    CPU seconds are those of the process: an epoch that was continued lacks what was done between
    its last checkpoint and the interruption.
    """
    rows = rows_of(place)
    began = [time.process_time()]

    def told(epoch: Epoch) -> None:
        now = time.process_time()
        row = {
            "epoch": epoch.number,
            "cpu_seconds": round(now - began[0], 1),
            "loss": round(epoch.loss, 4),
            f"validation_{epoch.metric}": round(epoch.validation, 2),
        }
        began[0] = now
        rows.append(row)
        (place / "rows.json").write_text(json.dumps(rows, indent=2))
        print(name, seed, row, flush=True)

    place.mkdir(parents=True, exist_ok=True)
    fabric = make_fabric("cpu")
    task = subject.task(recipe, fabric)
    train(network, task, seed=seed, fabric=fabric, checkpoint=place, on_epoch=told)
    load_weights(network, read_tensors(place / "best.safetensors")[0], place)


def tested(place: Path, score: str, value: float) -> None:
    """Adds the score of the best weights on the test part."""
    rows = rows_of(place)
    rows[-1][f"test_{score}"] = round(value, 2)
    (place / "rows.json").write_text(json.dumps(rows, indent=2))


def done(place: Path, score: str) -> bool:
    """Whether a training is complete and tested."""
    rows = rows_of(place)
    return bool(rows) and f"test_{score}" in rows[-1]


def curve(place: Path, epochs: int, score: str, best: Any) -> dict[str, Any]:
    """The score by the time so far.

    Args:
        place: The folder of the training.
        epochs: The number of epochs of the whole training.
        score: The name of the score, "accuracy" or "perplexity".
        best: The function that picks the best score, `max` or `min`.
    """
    rows, total = rows_of(place), 0.0
    points = []
    for row in rows:
        total += row["cpu_seconds"]
        points.append({**row, "total_cpu_minutes": round(total / 60, 1)})
    return {
        "epochs": epochs,
        "complete": len(rows) == epochs,
        "best_validation": best(row[f"validation_{score}"] for row in rows),
        f"test_{score}": rows[-1].get(f"test_{score}"),
        "curve": points,
    }


def with_recorded(name: str, rows: dict[str, Any]) -> dict[str, Any]:
    """These trainings, and the complete ones of the record, which another machine may have made."""
    path = RESULTS / f"{name}.json"
    before = json.loads(path.read_text())["trainings"] if path.exists() else {}
    return {key: row for key, row in before.items() if row["complete"]} | rows
