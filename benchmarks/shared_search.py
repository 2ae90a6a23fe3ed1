"""A whole search by weight sharing against three others of equal cost in CPU seconds.

    OMP_NUM_THREADS=1 python -m benchmarks.shared_search DATA FOLDER [PRESET] [SEEDS]

For each seed four cells are found: by `nao` on shared weights; among as many random cells scored
by the same shared network; by `nao` on short trainings, which are stopped once they have taken as
many CPU seconds; and a published cell. The first two tell their best few apart by trainings of
their own, as the preset says. Each cell is then trained twice by the preset's final recipe. A row
that is there is not made again.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
import torch

from benchmarks.record import RESULTS, write
from naokit import create_study, spaces
from naokit.base import Architecture
from naokit.evaluators import Supernet, Training
from naokit.kinds import kind_of, recipe_of
from naokit.presets import Preset
from naokit.report.results import Results
from naokit.runs.final import Job, train_final
from naokit.runs.plan import OwnTraining, Plan
from naokit.runs.run import Run, winner_of
from naokit.runs.search import search
from naokit.runs.studies import train_best
from naokit.spaces.published import genotype
from naokit.study.trust import trust_in
from naokit.subject import Subject

SPACES = {"images": "conv-small", "text": "recurrent"}
PUBLISHED = {"images": "naonet-b", "text": "nao-rnn-ws"}
SHORT, SEEDS = 5, 10_000


def main() -> None:
    """Makes the rows that are missing, seed by seed."""
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    data, folder = sys.argv[1], Path(sys.argv[2])
    preset_name = sys.argv[3] if len(sys.argv) > 3 else "quick"
    seeds = int(sys.argv[4]) if len(sys.argv) > 4 else 3
    reads = "text" if data == "pydoc" or (Path(data) / "train.txt").exists() else "images"
    name = f"shared_search_{Path(data).name}_{preset_name}"
    there = RESULTS / f"{name}.json"
    rows: list[dict[str, Any]] = json.loads(there.read_text())["rows"] if there.exists() else []
    preset = kind_of(reads).preset(preset_name, shared=True)
    for seed in range(len(rows), seeds):
        rows.append({"seed": seed, "found": list(_row(data, reads, preset, folder, seed))})
        write(name, {"threads": 1, "data": Path(data).name, "preset": preset_name, "rows": rows})


def _row(
    data: str, reads: str, preset: Preset, folder: Path, seed: int
) -> Iterator[dict[str, Any]]:
    """What each of the four ways found, and how good that is."""
    subject = kind_of(reads).subject(data, **preset.size())
    space = spaces.load(SPACES[reads])
    for name, cell, facts in _found(space, subject, preset, folder / f"seed-{seed}", seed):
        print(seed, name, cell, facts, flush=True)
        trainer = Training(subject, recipe_of(reads, preset.recipe), device="cpu")
        short = [trainer.evaluate(cell, SEEDS + n).value for n in range(SHORT)]
        test = _trained(cell, subject, preset, folder)
        facts |= {"short": short, "mean_of_short": statistics.fmean(short), "test": test}
        yield {"way": name, "architecture": str(cell), **facts}


def _found(
    space: Any, subject: Subject, preset: Preset, folder: Path, seed: int
) -> Iterator[tuple[str, Architecture, dict[str, Any]]]:
    """The cell that each way found, and what that took."""
    sharing = preset.sharing
    assert sharing is not None
    own = subject, recipe_of(subject.reads, preset.recipe)
    supernet = Supernet(
        space,
        subject.again(sharing.size),
        recipe_of(subject.reads, sharing.recipe),
        rounds=sharing.rounds,
        pool=sharing.pool,
        kept=sharing.kept,
        policy=sharing.policy,
        examples=sharing.examples,
        seed=seed,
        device="cpu",
    )
    plan = Plan(
        dict(space.settings()),
        dict(supernet.settings()),
        seed=seed,
        evaluations=supernet.evaluations,
        repeat=preset.repeat,
        times=preset.times,
        own=OwnTraining(preset.recipe, preset.size()),
    )
    began = time.process_time()
    search(plan, folder, space=space, evaluator=supernet, final=False)
    cost = time.process_time() - began
    run = Run.at(folder)
    trust = trust_in(run.study.trials, run.own.standings() if run.own else ())
    yield (
        "nao, shared weights",
        run.winner,
        {
            "cpu_seconds": cost,
            "trust": None if trust is None else vars(trust),
        },
    )
    yield "random, shared weights", *_random(supernet, own, plan, folder, seed)
    yield "nao, short trainings", *_short(own, space, folder, seed, cost)
    yield "published", genotype(PUBLISHED[subject.reads]).architecture, {}


def _random(
    supernet: Supernet, own: Any, plan: Plan, folder: Path, seed: int
) -> tuple[Architecture, dict[str, Any]]:
    """The best of as many random cells, scored by the same network and told apart alike."""
    began = time.process_time()
    storage = f"sqlite:///{folder}/random.db"
    study = create_study(
        supernet.space,
        storage=storage,
        name="scored",
        method="random",
        seed=seed + 1000,
        direction=supernet.direction,
    )
    study.optimize(lambda cell: supernet.evaluate(cell, 0).value, plan.evaluations)
    trained = train_best(
        study, Training(*own, device="cpu"), storage=storage, best=plan.repeat, times=plan.times
    )
    return winner_of(study, trained), {"cpu_seconds_besides": time.process_time() - began}


def _short(
    own: Any, space: Any, folder: Path, seed: int, cost: float
) -> tuple[Architecture, dict[str, Any]]:
    """The best of short trainings that take as many CPU seconds."""
    began, evaluator = time.process_time(), Training(*own, device="cpu")
    study = create_study(
        space,
        storage=f"sqlite:///{folder}/short.db",
        method="nao",
        seed=seed,
        direction=evaluator.direction,
        evaluations=1000,
    )
    while time.process_time() - began < cost:
        study.optimize(evaluator, study.evaluations + 1)
    facts = {"cpu_seconds": time.process_time() - began, "evaluations": study.evaluations}
    return study.best_architecture, facts


def _trained(cell: Architecture, subject: Subject, preset: Preset, folder: Path) -> float | None:
    """The test metric of the cell's network, trained by the final recipe."""
    last = recipe_of(subject.reads, preset.final_recipe, preset.final_epochs)
    where = folder / "finals" / cell.key[:16]
    size = preset.final_size()
    bundle = train_final(cell, Job(subject.again(size), last, where, device="cpu"))
    return Results.from_json(subject.metric, bundle.results).test


if __name__ == "__main__":
    main()
