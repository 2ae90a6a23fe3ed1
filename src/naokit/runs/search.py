"""Carries a plan out: from a space and data to a trained, exported, verified network.

    studies (the search, random search) ──> winner ──> final training ──> files ──> report

Every step continues where it was interrupted: the same call again goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from naokit import evaluators, spaces
from naokit.base import InputError
from naokit.doors import Evaluator, Trial
from naokit.evaluators import Supernet, Tabular, Training
from naokit.evaluators.learning import Learning
from naokit.export import Bundle, export, save
from naokit.export.config import WEIGHTS
from naokit.export.results import Results
from naokit.files import write_json
from naokit.networks import count_parameters
from naokit.report.contents import Exported, Report, findings
from naokit.runs.checks import check, training_of
from naokit.runs.final import Job, keep_former, train_final
from naokit.runs.folder import BASELINE, INHERITED, NETWORK, OWN, REPORT, STUDY, TRAINING
from naokit.runs.hours import Hours
from naokit.runs.plan import Plan
from naokit.runs.run import read_as, winner_of
from naokit.runs.settings import check_storage, record_plan
from naokit.runs.studies import search_study, train_best
from naokit.space import Architecture, Space
from naokit.study import Study
from naokit.study.goals import Limit
from naokit.study.limits import outside
from naokit.study.origins import CONTINUED
from naokit.study.storage import address_of, shown
from naokit.training.aside import settle
from naokit.training.loop import Epoch


@dataclass(frozen=True)
class Stage:
    """One study of a run, as it begins.

    Attributes:
        method: Who proposes.
        metric: What the value of an evaluation is.
        evaluations: How many the study shall hold.
        repeats: How many are evaluations again, at most.
        epochs: How many a shared network is trained; 0 where there is none.
        budget: How many epochs all evaluations may have together; 0 where these do not count.
    """

    method: str
    metric: str
    evaluations: int
    repeats: int
    epochs: int = 0
    budget: int = 0


class Watcher:
    """Who is told of a run; nothing is done unless a subclass does it."""

    def remark(self, line: str) -> None:
        """Takes what a person should know: how data were read, what was left out."""

    def began(self) -> None:
        """Is told that the study is open, and is the one that the plan asks for."""

    def study_begins(self, stage: Stage) -> None:
        """Is told of a study before its first evaluation."""

    def stage(self, name: str) -> None:
        """Is told what a round does next: "proposing", "preparing" or "evaluating"."""

    def shared_step(self, epochs: float) -> None:
        """Is told after each update of a shared network how many epochs are done."""

    def shared_epoch(self, epoch: Epoch) -> None:
        """Is told of each epoch of a shared network."""

    def told(self, study: Study, trial: Trial) -> None:
        """Is told of each evaluation that ended."""

    def study_ended(self, study: Study, *, cut: bool) -> None:
        """Is told of a study after its last evaluation; `cut`: time ended before it did."""

    def train(self, architecture: Architecture, job: Job) -> Bundle:
        """Trains the winner to the end; a subclass may show how far that is."""
        return train_final(architecture, job)


def search(
    plan: Plan,
    folder: Path | str,
    *,
    space: Space | None = None,
    evaluator: Evaluator | None = None,
    storage: str | None = None,
    hours: Hours | None = None,
    final: bool = True,
    release: bool = False,
    watcher: Watcher | None = None,
) -> Report:
    """Carries a plan out in a folder, or goes on where it stopped there; see `naokit.runs.folder`.

    Args:
        plan: What is to be done.
        folder: The folder of the run.
        space: The space of the plan, where it is made already. If None, it is made.
        evaluator: The evaluator of the plan, where it is made already. If None, it is made, and its
            data are read.
        storage: The address of a database for the studies. If None, a file in the folder.
        hours: The time there is. If None, as much as it takes.
        final: Whether the winner is trained and exported now, if the plan says how.
        release: Whether what silent processes elsewhere evaluate is done again; see
            `Study.release`.
        watcher: Who is told of it.

    Returns:
        What was found, also written to `report.json`.

    Raises:
        InputError: The plan cannot be carried out, or the folder holds another run.
    """
    folder = Path(folder)
    evaluator = evaluators.from_settings(plan.evaluator) if evaluator is None else evaluator
    if isinstance(evaluator, Tabular):
        space = evaluator.space  # only what the table knows
    elif space is None:
        space = spaces.from_settings(plan.space)
    storage = storage or address_of(folder / "study.db")
    check_storage(folder, storage)
    check(plan, space, evaluator, folder, final=final)
    carried = _Carried(
        plan, folder, space, evaluator, storage, hours or Hours(), release, watcher or Watcher()
    )
    carried.remarks()
    return carried.out(final=final and plan.final is not None)


@dataclass(frozen=True)
class _Carried:
    """A plan with what it needs to be carried out; the fields are the arguments of `search`."""

    plan: Plan
    folder: Path
    space: Space
    evaluator: Evaluator
    storage: str
    hours: Hours
    release: bool
    watcher: Watcher

    def remarks(self) -> None:
        """Says what a person should know before it begins."""
        limits = [Limit.of(text) for text in self.plan.limits]
        beyond = len(outside(self.space, self.evaluator, limits, self._start))
        if beyond:
            which = "all" if beyond == len(self._start) else f"{beyond} of {len(self._start)}"
            figures = self.evaluator.static_metric_names
            known = ", ".join(str(limit) for limit in limits if limit.name in figures)
            self.watcher.remark(f"`start`: {which} left out, not within {known}")
        if isinstance(self.evaluator, Learning):
            for line in self.evaluator.subject.data.remarks:
                self.watcher.remark(line)
            for name, table in read_as(self.space).items():
                self.watcher.remark(f"{name}: {table}")

    @property
    def _start(self) -> list[Architecture]:
        return [self.space.parse(text) for text in self.plan.start]

    def out(self, *, final: bool) -> Report:
        """The studies, the winner's final training, and what is reported."""
        if isinstance(self.evaluator, Supernet):
            self.evaluator.on_step = self.watcher.shared_step
            self.evaluator.on_epoch = self.watcher.shared_epoch
        study = self._study(STUDY)
        unfinished = ["search"] if self._was_cut(study) else []
        beside = None
        if self.plan.baseline:
            beside = self._study(BASELINE)
            if self._was_cut(beside):
                unfinished.append("random search")
                beside = None  # fewer evaluations are no comparison
        if self.hours.search_is_over and not study.trials:
            raise InputError("`hours` ended before the first evaluation did; give more")
        own = self._told_apart(study)
        trained = 0 if own is None else own.evaluations
        if self.plan.own is not None and trained < self._leaders(study):
            unfinished.append("trainings of the best")
        apart = None if own is None else (own, self._trainer().metric)
        found = findings(study, self.evaluator, beside, apart)
        winner = winner_of(study, own)
        exported = self._trained_and_exported(winner) if final else None
        if exported is not None and not exported.results.complete:
            unfinished.append("final training")
        report = Report(
            self.plan.method,
            str(self.space.settings().get("source", self.space.name)),
            read_as(study.space),
            found,
            str(self.folder),
            shown(self.storage),
            exported,
            tuple(unfinished),
        )
        write_json(self.folder / REPORT, report.to_json())
        return report

    def _study(self, name: str) -> Study:
        """The search, or random search beside it, which records nothing and starts from nothing."""
        plan, beside = self.plan, name == BASELINE
        method = "random" if beside else plan.method
        self.watcher.study_begins(self._stage(method))
        study = search_study(
            self.space,
            self.evaluator,
            storage=self.storage,
            folder=self.folder / name if beside else self.folder,
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
            start=() if beside else self._start,
            release=self.release,
            seconds=self.hours.for_search,
            on_begin=None if beside else self._record,
            on_trial=self.watcher.told,
            on_stage=self.watcher.stage,
        )
        self.watcher.study_ended(study, cut=self._was_cut(study))
        return study

    def _stage(self, method: str) -> Stage:
        """A study by the evaluator, as it begins."""
        plan, evaluator = self.plan, self.evaluator
        if not isinstance(evaluator, Supernet):
            budget = plan.epochs or 0
            return Stage(method, evaluator.metric, plan.evaluations, plan.repeats, budget=budget)
        later = max(0, plan.evaluations - evaluator.round_size)
        rounds = -(-later // (evaluator.round_size - evaluator.kept))
        again, epochs = rounds * evaluator.kept, evaluator.recipe.epochs
        return Stage(method, evaluator.metric, plan.evaluations, again, epochs)

    def _leaders(self, study: Study) -> int:
        """How many of the best are trained by themselves."""
        return min(self.plan.repeat, len(study.standings()))

    def _trainer(self) -> Training:
        """Who trains the best few by themselves."""
        evaluator = self.evaluator
        assert isinstance(evaluator, Learning)  # see `check`
        assert self.plan.own is not None
        return Training(
            *training_of(self.space, evaluator, self.plan.own),
            device=evaluator.device,
            precision=evaluator.precision,
        )

    def _told_apart(self, study: Study) -> Study | None:
        """The best few of a search, each trained by itself, or longer."""
        plan = self.plan
        if plan.own is None or self.hours.search_is_over:
            return None
        trainer = self._trainer()
        best = self._leaders(study)
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
            on_trial=self.watcher.told,
        )
        self.watcher.study_ended(own, cut=self.hours.search_is_over)
        return own

    def _record(self, study: Study) -> None:
        """Keeps the plan, once the study is known to be the one that is asked for."""
        record_plan(self.plan, self.folder, study, self.storage)
        self.watcher.began()

    def _was_cut(self, study: Study) -> bool:
        """Whether time ended before the study did; a study of a small space ends by itself."""
        stage = self._stage(self.plan.method)
        spent = stage.budget and study.epochs >= stage.budget
        wanted = (study.evaluations if spent else stage.evaluations) + stage.repeats
        done = sum(trial.origin != CONTINUED for trial in study.trials)
        return self.hours.search_is_over and done < wanted

    def _trained_and_exported(self, winner: Architecture) -> Exported:
        """Trains the winner, exports it and checks the files."""
        assert isinstance(self.evaluator, Learning)  # see `check`
        assert self.plan.final is not None
        subject, recipe = training_of(self.space, self.evaluator, self.plan.final)
        weights = None
        if self.plan.warm_start:
            subject, weights = subject.inheriting(), self._inherited(winner)
        job = Job(
            subject,
            recipe,
            self.folder / TRAINING,
            seed=self.plan.seed,
            device=self.evaluator.device,
            precision=self.evaluator.precision,
            seconds=self.hours.for_final,
            warm_start=weights,
        )
        settle(job.folder)  # a training that a kill of `naokit train` left aside
        if kept := keep_former(self.folder, job, winner):
            self.watcher.remark(
                f"another architecture is best now; the former winner is kept: {kept}"
            )
        bundle = self.watcher.train(winner, job)
        left_out: dict[str, str] = {}
        checks = export(bundle, self.folder / NETWORK, on_left_out=left_out.__setitem__)
        for name, why in left_out.items():
            self.watcher.remark(f"not exported as {name}: {why}")
        return Exported(bundle.results, count_parameters(bundle.network), tuple(checks), left_out)

    def _inherited(self, winner: Architecture) -> Path:
        """The file of the winner's network with the weights of the shared one."""
        evaluator = self.evaluator
        assert isinstance(evaluator, Supernet)  # see `check`
        subject, folder = evaluator.subject.inheriting(), self.folder / INHERITED
        network = evaluator.inherited(winner).cpu().eval()
        results = Results(subject.metric, data=subject.results())
        save(subject.bundle(winner, network, evaluator.recipe, results), folder)
        return folder / WEIGHTS
