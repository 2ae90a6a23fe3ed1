"""The studies of a run, one after the other: of a driver, and of workers that help it.

    search ──> random search beside it ──> the best few by themselves

Whoever calls a stage works on it until it holds what the plan asks for, beside any other process.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from naokit import spaces
from naokit.doors import Evaluator, Workers
from naokit.evaluators import Tabular
from naokit.evaluators.learning import Learning
from naokit.runs.checks import training_of
from naokit.runs.folder import BASELINE, OWN, STUDY
from naokit.runs.hours import Hours
from naokit.runs.plan import Plan
from naokit.runs.studies import search_study, train_best
from naokit.runs.watcher import Stage, Watcher
from naokit.space import Architecture, Space
from naokit.study import Study
from naokit.study.origins import CONTINUED

if TYPE_CHECKING:
    from naokit.evaluators import Training


def space_of_plan(plan: Plan, evaluator: Evaluator, space: Space | None) -> Space:
    """The space of a plan: of a table only what it knows, else what was made already."""
    if isinstance(evaluator, Tabular):
        return evaluator.space
    return space or spaces.from_settings(plan.space)


@dataclass(frozen=True, kw_only=True)
class Stages:
    """The studies of a plan.

    Attributes:
        plan: What is to be done.
        space: The space of the plan.
        evaluator: The evaluator of the plan.
        storage: The address of the database that holds the studies.
        folder: Where evaluations may keep a state. If None, it ends with the process.
        workers: Where evaluations run. If None, in this process.
        hours: The time there is.
        release: Whether what silent processes elsewhere evaluate is done again.
        watcher: Who is told.
    """

    plan: Plan
    space: Space
    evaluator: Evaluator
    storage: str
    folder: Path | None = None
    workers: Workers | None = None
    hours: Hours
    release: bool = False
    watcher: Watcher

    def search(self, on_begin: Callable[[Study], None] | None = None) -> Study:
        """The search; `on_begin` is told of its study once it is the one that is asked for."""
        return self._study(STUDY, on_begin)

    def beside(self) -> Study | None:
        """Random search beside it, if the plan asks for it; it starts from nothing."""
        return self._study(BASELINE, None) if self.plan.baseline else None

    def apart(self, study: Study) -> Study | None:
        """The best few of the search, each trained by itself, or longer."""
        plan = self.plan
        if plan.own is None or self.hours.search_is_over:
            return None
        trainer = self.trainer()
        best = self.leaders(study)
        self.watcher.study_begins(Stage(OWN, trainer.metric, best, best * (plan.times - 1)))
        own = train_best(
            study,
            trainer,
            storage=self.storage,
            best=plan.repeat,
            times=plan.times,
            objectives=plan.objectives,
            limits=plan.limits,
            seconds=self.hours.for_search,
            workers=self.workers,
            on_begin=self.watcher.evaluation_begins,
            on_trial=self.watcher.told,
        )
        self.watcher.study_ended(own, cut=self.hours.search_is_over)
        return own

    @property
    def start(self) -> list[Architecture]:
        """The architectures that are evaluated first."""
        return [self.space.parse(text) for text in self.plan.start]

    def leaders(self, study: Study) -> int:
        """How many of the best are trained by themselves."""
        return min(self.plan.repeat, len(study.standings()))

    def trainer(self) -> Training:
        """Who trains the best few by themselves."""
        from naokit.evaluators import Training  # needs torch, which no table does

        evaluator = self.evaluator
        assert isinstance(evaluator, Learning)  # see `check`
        assert self.plan.own is not None
        return Training(
            *training_of(self.space, evaluator, self.plan.own),
            device=evaluator.device,
            precision=evaluator.precision,
        )

    def was_cut(self, study: Study) -> bool:
        """Whether time ended before the study did; a study of a small space ends by itself."""
        stage = self._stage(self.plan.method)
        spent = stage.budget and study.epochs >= stage.budget
        wanted = (study.evaluations if spent else stage.evaluations) + stage.repeats
        done = sum(trial.origin != CONTINUED for trial in study.trials)
        return self.hours.search_is_over and done < wanted

    def _study(self, name: str, on_begin: Callable[[Study], None] | None) -> Study:
        plan, beside = self.plan, name == BASELINE
        method = "random" if beside else plan.method
        self.watcher.study_begins(self._stage(method))
        study = search_study(
            self.space,
            self.evaluator,
            storage=self.storage,
            folder=self.folder / name if beside and self.folder else self.folder,
            method=method,
            # Another seed: with the same one the two would share their random start.
            seed=plan.seed + 1 if beside else plan.seed,
            evaluations=plan.evaluations,
            name=name,
            repeat=0 if plan.own else plan.repeat,
            times=plan.times,
            objectives=plan.objectives,
            limits=plan.limits,
            prior=None if beside else plan.prior,
            pruner=plan.pruner,
            epochs=plan.epochs,
            start=() if beside else self.start,
            release=self.release,
            seconds=self.hours.for_search,
            workers=self.workers,
            on_open=on_begin,
            on_begin=self.watcher.evaluation_begins,
            on_trial=self.watcher.told,
            on_stage=self.watcher.stage,
        )
        self.watcher.study_ended(study, cut=self.was_cut(study))
        return study

    def _stage(self, method: str) -> Stage:
        """A study by the evaluator, as it begins."""
        plan, evaluator = self.plan, self.evaluator
        shared = evaluator.shared_epochs if isinstance(evaluator, Learning) else 0
        if not shared:
            budget = plan.epochs or 0
            return Stage(method, evaluator.metric, plan.evaluations, plan.repeats, budget=budget)
        later = max(0, plan.evaluations - evaluator.round_size)
        rounds = -(-later // (evaluator.round_size - evaluator.kept))
        return Stage(method, evaluator.metric, plan.evaluations, rounds * evaluator.kept, shared)
