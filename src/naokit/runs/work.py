"""A worker of somebody else's run: it reads the plan from the study and helps to carry it out.

naokit search --storage URL ──> study, with its plan ──> naokit worker --storage URL, anywhere
"""

from __future__ import annotations

from collections.abc import Mapping

from naokit import evaluators
from naokit.base import InputError, Json
from naokit.doors import Evaluator, Workers
from naokit.runs.folder import PLAN, STUDY
from naokit.runs.hours import Hours
from naokit.runs.plan import Plan
from naokit.runs.stages import Stages, space_of_plan
from naokit.runs.watcher import Watcher
from naokit.space import Space
from naokit.study import Study
from naokit.study.opening import awaited
from naokit.study.settings import ENVIRONMENTS
from naokit.study.storage import shown
from naokit.version import __version__

WAIT = 600.0
"""Seconds that a worker waits for a plan: on a cluster it may begin before the search does."""


def work(
    storage: str,
    *,
    space: Space | None = None,
    data: str | None = None,
    workers: Workers | None = None,
    hours: Hours | None = None,
    watcher: Watcher | None = None,
) -> Study:
    """Evaluates for the run whose study a database holds, until that holds all of it.

    The plan, the space, the data and the recipe are those of the run. Workers may come and go; what
    one that died evaluated is evaluated again.

    Args:
        storage: The address of the database.
        space: The space, where it is code of yours that this machine was never told to run. If
            None, it is made as the plan says.
        data: Where the data lie on this machine. If None, where they lay for the search.
        workers: Where evaluations run; the caller closes them. If None, they run here, one after
            another.
        hours: The time there is. If None, as much as it takes.
        watcher: Who is told of it.

    Raises:
        InputError: No plan appeared in the database, or this machine cannot work by it: another
            version of naokit, other data, or an evaluator that lives in one process.
    """
    watcher = watcher or Watcher()
    plan = _awaited(storage, watcher)
    evaluator = _evaluator_of(plan, data)
    if evaluator.in_one_place:
        raise InputError(
            "the evaluator of this run keeps its state in one process, that of the search: no "
            "other one can evaluate"
        )
    stages = Stages(
        plan=plan,
        space=space_of_plan(plan, evaluator, space),
        evaluator=evaluator,
        storage=storage,
        workers=workers,
        hours=hours or Hours(),
        watcher=watcher,
    )
    study = stages.search()
    stages.beside()
    stages.apart(study)
    return study


def _awaited(storage: str, watcher: Watcher) -> Plan:
    """The plan in a database, once it is there."""
    where = shown(storage)

    def on_wait() -> None:
        watcher.remark(f"waiting for a search in {where}, for up to {WAIT / 60:g} minutes")

    found = awaited(storage, STUDY, PLAN, seconds=WAIT, on_wait=on_wait)
    if found is None:
        raise InputError(
            f"{where} holds no plan of a run: begin one with `naokit search` and `storage={where}`"
        )
    _check_version(found)
    return Plan.from_json(found[PLAN])


def _check_version(found: Mapping[str, Json]) -> None:
    """Raises InputError where no process of the study had this version."""
    versions = {one["versions"]["naokit"] for one in found.get(ENVIRONMENTS, [])}
    if versions and __version__ not in versions:
        raise InputError(
            f"the search runs naokit {' and '.join(sorted(versions))}, this machine "
            f"{__version__}: install the same version on both"
        )


def _evaluator_of(plan: Plan, data: str | None) -> Evaluator:
    """The evaluator of a plan, its data read from another place if there is one."""
    settings = plan.evaluator
    if data is None:
        return evaluators.from_settings(settings)
    source = dict(settings.get("source") or {})
    if "reads" not in source:
        raise InputError("this run looks its results up in a table: leave `data` out")
    return evaluators.from_settings({**settings, "source": {**source, "source": data}})
