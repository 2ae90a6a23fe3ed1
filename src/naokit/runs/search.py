"""Carries a plan out: from a space and data to a trained, exported, verified network.

    studies (the search, random search) ──> winner ──> final training ──> files ──> report

Every step continues where it was interrupted: the same call again goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from naokit import evaluators
from naokit.base import InputError
from naokit.doors import Evaluator, Workers
from naokit.evaluators.learning import Learning
from naokit.files import write_json
from naokit.report.contents import Exported, Findings, Report, findings
from naokit.runs.checks import check
from naokit.runs.folder import LOCK, REPORT
from naokit.runs.hours import Hours
from naokit.runs.plan import Plan
from naokit.runs.reporting import run_report, write_page
from naokit.runs.run import Run, read_as, winner_of
from naokit.runs.settings import check_storage, record_plan
from naokit.runs.stages import Stages, space_of_plan
from naokit.runs.watcher import Watcher
from naokit.space import Space
from naokit.study import Study
from naokit.study.goals import Limit
from naokit.study.limits import outside
from naokit.study.storage import address_of, shown

OF_ANOTHER = "final training, which another process is at"
"""What is unfinished where two processes carry out one plan in one folder."""


def search(
    plan: Plan,
    folder: Path | str,
    *,
    space: Space | None = None,
    evaluator: Evaluator | None = None,
    storage: str | None = None,
    workers: Workers | None = None,
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
        workers: Where evaluations run; the caller closes them. If None, they run here, one after
            another. The final training runs here in any case.
        hours: The time there is. If None, as much as it takes.
        final: Whether the winner is trained and exported now, if the plan says how.
        release: Whether what silent processes elsewhere evaluate is done again; see
            `Study.release`.
        watcher: Who is told of it.

    Returns:
        What was found, also written to `report.json` and, to be looked at, `report.html`.

    Raises:
        InputError: The plan cannot be carried out, or the folder holds another run.
    """
    folder = Path(folder)
    evaluator = evaluators.from_settings(plan.evaluator) if evaluator is None else evaluator
    space = space_of_plan(plan, evaluator, space)
    storage = storage or address_of(folder / "study.db")
    check_storage(folder, storage)
    check(plan, space, evaluator, folder, workers, final=final)
    stages = Stages(
        plan=plan,
        space=space,
        evaluator=evaluator,
        storage=storage,
        folder=folder,
        workers=workers,
        hours=hours or Hours(),
        release=release,
        watcher=watcher or Watcher(),
    )
    carried = _Carried(stages, folder)
    carried.remarks()
    return carried.out(final=final and plan.final is not None)


@dataclass(frozen=True)
class _Carried:
    """A plan with what it needs to be carried out.

    Attributes:
        stages: Its studies.
        folder: The folder of the run.
    """

    stages: Stages
    folder: Path

    @property
    def plan(self) -> Plan:
        """What is to be done."""
        return self.stages.plan

    @property
    def space(self) -> Space:
        """The space of the plan."""
        return self.stages.space

    @property
    def evaluator(self) -> Evaluator:
        """The evaluator of the plan."""
        return self.stages.evaluator

    @property
    def watcher(self) -> Watcher:
        """Who is told of it."""
        return self.stages.watcher

    def remarks(self) -> None:
        """Says what a person should know before it begins."""
        limits = [Limit.of(text) for text in self.plan.limits]
        start = self.stages.start
        beyond = len(outside(self.space, self.evaluator, limits, start))
        if beyond:
            which = "all" if beyond == len(start) else f"{beyond} of {len(start)}"
            figures = self.evaluator.static_metric_names
            known = ", ".join(str(limit) for limit in limits if limit.name in figures)
            self.watcher.remark(f"`start`: {which} left out, not within {known}")
        if isinstance(self.evaluator, Learning):
            for line in self.evaluator.subject.data.remarks:
                self.watcher.remark(line)
            for name, table in read_as(self.space).items():
                self.watcher.remark(f"{name}: {table}")

    def out(self, *, final: bool) -> Report:
        """The studies, the winner's final training, and what is reported."""
        if isinstance(self.evaluator, Learning):
            self.evaluator.on_step = self.watcher.shared_step
            self.evaluator.on_epoch = self.watcher.shared_epoch
        stages = self.stages
        study = stages.search(self._record)
        unfinished = ["search"] if stages.was_cut(study) else []
        beside = stages.beside()
        if beside is not None and stages.was_cut(beside):
            unfinished.append("random search")
            beside = None  # fewer evaluations are no comparison
        if stages.hours.search_is_over and not study.trials:
            raise InputError("`hours` ended before the first evaluation did; give more")
        own = stages.apart(study)
        trained = 0 if own is None else own.evaluations
        if self.plan.own is not None and trained < stages.leaders(study):
            unfinished.append("trainings of the best")
        apart = None if own is None else (own, stages.trainer().metric)
        found = findings(study, self.evaluator.metric, beside, apart)
        with alone_in(self.folder) as alone:
            exported = self._exported(study, own) if final and alone else None
            if final and (exported is None or not exported.results.complete):
                unfinished.append("final training" if alone else OF_ANOTHER)
            return self._reported(study, found, exported, unfinished, keep=alone)

    def _record(self, study: Study) -> None:
        """Keeps the plan, once the study is known to be the one that is asked for."""
        record_plan(self.plan, self.folder, study, self.stages.storage)
        self.watcher.began()

    def _reported(
        self,
        study: Study,
        found: Findings,
        exported: Exported | None,
        unfinished: Sequence[str],
        *,
        keep: bool,
    ) -> Report:
        report = Report(
            self.plan.method,
            str(self.space.settings().get("source", self.space.name)),
            read_as(study.space),
            found,
            str(self.folder),
            shown(self.stages.storage),
            exported,
            tuple(unfinished),
        )
        if keep:
            write_json(self.folder / REPORT, report.to_json())
            self._show()
        return report

    def _show(self) -> None:
        """Writes the page of the run; what is wrong with it ends no run."""
        run = Run.at(self.folder, self.stages.storage)
        try:
            write_page(run, run_report(run))
        except InputError as error:
            self.watcher.remark(f"no page is written: {error}")

    def _exported(self, study: Study, own: Study | None) -> Exported:
        """The winner, trained to the end and exported."""
        from naokit.runs.winner import train_and_export  # needs torch, which no table does

        return train_and_export(winner_of(study, own), self.stages, self.folder)


@contextmanager
def alone_in(folder: Path) -> Iterator[bool]:
    """Whether no other process trains the winner of the run in this folder."""
    lock = FileLock(folder / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        with suppress(OSError):  # Windows removes no file that is open
            (folder / LOCK).unlink()  # while it is held: nobody waits for it
        lock.release()
