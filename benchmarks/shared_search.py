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
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import optuna
import torch

from benchmarks.record import RESULTS, write
from naokit import create_study, spaces
from naokit.evaluators import Supernet, Training
from naokit.kinds import kind_of, recipe_of
from naokit.presets import Preset
from naokit.runs.final import Job, train_final
from naokit.runs.plan import OwnTraining, Plan
from naokit.runs.run import Run, winner_of
from naokit.runs.search import search
from naokit.runs.studies import train_best
from naokit.space import Architecture
from naokit.spaces.published import genotype
from naokit.study.trust import trust_in
from naokit.subject import Subject

SPACES = {"images": "conv-small", "text": "recurrent"}
PUBLISHED = {"images": "naonet-b", "text": "nao-rnn-ws"}
SHORT, SEEDS = {"quick": 5, "small": 2}, 10_000


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
    for seed in range(seeds):
        if seed == len(rows):
            rows.append({"seed": seed, "found": []})
        found = rows[seed]["found"]
        for fact in _facts(data, reads, preset, folder, seed, len(found)):
            found.append(fact)
            write(
                name, {"threads": 1, "data": Path(data).name, "preset": preset_name, "rows": rows}
            )


def _facts(
    data: str, reads: str, preset: Preset, folder: Path, seed: int, made: int
) -> Iterator[dict[str, Any]]:
    """What each of the four ways found, and how good that is, but for those that are made."""
    subject = kind_of(reads).subject(data, **preset.size())
    space = spaces.load(SPACES[reads])
    ways = (_shared, _random, _short, _published)
    asked = _Search(space, subject, preset, folder / f"seed-{seed}", seed)
    for way in ways[made:]:
        name, cell, facts = way(asked)
        print(seed, name, cell, facts, flush=True)
        short = [asked.short.evaluate(cell, SEEDS + n).value for n in range(SHORT[preset.name])]
        facts |= {"short": short, "mean_of_short": statistics.fmean(short)}
        if preset.name == "quick":
            facts["test"] = _trained(cell, subject, preset, folder)
        yield {"way": name, "architecture": str(cell), **facts}


Found = tuple[str, Architecture, dict[str, Any]]
"""The name of a way, its cell, and what that took."""


@dataclass(frozen=True)
class _Search:
    """What all ways begin with."""

    space: Any
    subject: Subject
    preset: Preset
    folder: Path
    seed: int

    @property
    def short(self) -> Training:
        """Trains a cell by the short recipe."""
        recipe = recipe_of(self.subject.reads, self.preset.recipe)
        return Training(self.subject, recipe, device="cpu")

    @cached_property
    def supernet(self) -> Supernet:
        """The shared network of the preset."""
        sharing = self.preset.sharing
        assert sharing is not None
        subject = self.subject.again(sharing.size)
        return Supernet.of(self.space, subject, sharing, seed=self.seed, device="cpu")

    @property
    def plan(self) -> Plan:
        """The search by weight sharing."""
        return Plan(
            dict(self.space.settings()),
            dict(self.supernet.settings()),
            seed=self.seed,
            evaluations=self.supernet.evaluations,
            repeat=self.preset.repeat,
            times=self.preset.times,
            own=OwnTraining(self.preset.recipe, self.preset.size()),
        )

    def cost(self) -> float:
        """The CPU seconds of the search by weight sharing; it is made where it is not there."""
        there = self.folder / "cpu_seconds"
        began = time.process_time()
        search(self.plan, self.folder, space=self.space, evaluator=self.supernet, final=False)
        if not there.exists():
            there.write_text(str(time.process_time() - began))
        return float(there.read_text())


def _shared(asked: _Search) -> Found:
    """By `nao` on shared weights, the best few told apart."""
    cost, run = asked.cost(), Run.at(asked.folder)
    trust = trust_in(run.study.trials, run.own.standings() if run.own else ())
    facts = {"cpu_seconds": cost, "trust": None if trust is None else vars(trust)}
    return "nao, shared weights", run.winner, facts


def _random(asked: _Search) -> Found:
    """The best of as many random cells, scored by the same network and told apart alike."""
    asked.cost()
    began = time.process_time()
    storage = f"sqlite:///{asked.folder}/random.db"
    study = create_study(
        asked.space,
        storage=storage,
        name="scored",
        method="random",
        seed=asked.seed + 1000,
        direction=asked.supernet.direction,
    )
    plan = asked.plan
    study.optimize(lambda cell: asked.supernet.evaluate(cell, 0).value, plan.evaluations)
    own = train_best(study, asked.short, storage=storage, best=plan.repeat, times=plan.times)
    besides = {"cpu_seconds_besides": time.process_time() - began}
    return "random, shared weights", winner_of(study, own), besides


def _short(asked: _Search) -> Found:
    """The best by `nao` of short trainings that take as many CPU seconds."""
    cost, evaluator = asked.cost(), asked.short
    began = time.process_time()
    study = create_study(
        asked.space,
        storage=f"sqlite:///{asked.folder}/short.db",
        method="nao",
        seed=asked.seed,
        direction=evaluator.direction,
        evaluations=1000,
    )
    while time.process_time() - began < cost:
        study.optimize(evaluator, study.evaluations + 1)
    facts = {"cpu_seconds": time.process_time() - began, "evaluations": study.evaluations}
    return "nao, short trainings", study.best_architecture, facts


def _published(asked: _Search) -> Found:
    """A published cell."""
    return "published", genotype(PUBLISHED[asked.subject.reads]).architecture, {}


def _trained(cell: Architecture, subject: Subject, preset: Preset, folder: Path) -> float | None:
    """The test metric of the cell's network, trained by the final recipe."""
    last = recipe_of(subject.reads, preset.final_recipe, preset.final_epochs)
    where = folder / "finals" / cell.key[:16]
    size = preset.final_size()
    bundle = train_final(cell, Job(subject.again(size), last, where, device="cpu"))
    return bundle.results.test


if __name__ == "__main__":
    main()
