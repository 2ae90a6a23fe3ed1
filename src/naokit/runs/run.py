"""A run, for those who read it: its plan, its study, its winner and the winner's network."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from naokit.base import InputError, Json
from naokit.files import read_json
from naokit.runs.folder import NETWORK, OWN, PLAN, REPORT, SETTINGS, STUDY
from naokit.runs.plan import Plan
from naokit.runs.settings import read_settings, space_of, storage_of
from naokit.space import Architecture, Space
from naokit.spaces import RecurrentCells
from naokit.study import Study, open_study

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Run:
    """What lies in the folder of a run; each part is read when it is looked at.

    Attributes:
        folder: Where it lies.
        storage: The address of its study, unless that is in the folder.
    """

    folder: Path
    storage: str | None = None

    @classmethod
    def at(cls, folder: Path | str, storage: str | None = None) -> Run:
        """The run in a folder; raises InputError where there is none, or it is damaged."""
        run = cls(Path(folder), storage)
        _ = run.settings
        return run

    @cached_property
    def settings(self) -> dict[str, Json]:
        """What `settings.json` holds: the plan, and where the study and the data lie."""
        return read_settings(self.folder)

    @property
    def plan(self) -> Plan:
        """What the run was asked to do.

        Raises:
            InputError: An earlier naokit began it, which recorded no plan.
        """
        try:
            return Plan.from_json(self.settings)
        except ValueError as error:
            raise InputError(
                f"{self.folder / SETTINGS} holds no whole plan: an earlier naokit began this run; "
                "the same `naokit search` command again continues it and records the plan"
            ) from error

    @cached_property
    def space(self) -> Space:
        """The space that was searched."""
        return space_of(self.folder, self.settings)

    @cached_property
    def study(self) -> Study:
        """The study, for reading."""
        return open_study(self.space, storage_of(self.folder, self.storage), STUDY)

    @cached_property
    def own(self) -> Study | None:
        """The study of the best few trained by themselves; None where there is none (yet)."""
        if self.settings.get("own") is None:
            return None
        with suppress(InputError):
            return open_study(self.space, storage_of(self.folder, self.storage), OWN)
        return None

    @property
    def winner(self) -> Architecture:
        """The best architecture; raises NoBest where there is none yet."""
        return winner_of(self.study, self.own)

    @property
    def network(self) -> nn.Module:
        """The winner's trained network, in eval mode; raises InputError where there is none yet."""
        from naokit.kinds import load  # not above: whoever reads results needs no torch

        return load(self.folder / NETWORK, self.space)

    @property
    def report(self) -> dict[str, Json]:
        """What was found, as `Report.to_json` has it; raises InputError where nothing was yet."""
        found: dict[str, Json] = read_json(self.folder / REPORT)
        return found

    @property
    def reported(self) -> dict[str, Json]:
        """`report`; empty where nothing was found yet."""
        return self.report if (self.folder / REPORT).exists() else {}

    def _repr_html_(self) -> str:
        """What notebooks show: the search, and what became of its winner."""
        from naokit.runs.notebook import run_html  # needed only to look at a run

        return str(run_html(self.folder, self.study, self.own, self.reported))


def winner_of(study: Study, own: Study | None) -> Architecture:
    """The best architecture of a run: of those trained by themselves, if there are any.

    Raises:
        NoBest: There is none yet.
    """
    leaders = [] if own is None else own.standings()
    return leaders[0].architecture if leaders else study.best_architecture


def plan_in(study: Study) -> Plan:
    """The plan that a study was made by: what another process needs to work on it.

    Raises:
        InputError: The study holds none, or not a whole one.
    """
    try:
        return Plan.from_json(study.optuna.user_attrs[PLAN])
    except (KeyError, ValueError) as error:
        raise InputError(
            f"the study {study.name} holds no whole plan: `naokit search` records one"
        ) from error


def read_as(space: Space) -> dict[str, str]:
    """How the integers of a recurrent genotype are read; empty for other spaces."""
    return {"activations": space.table} if isinstance(space, RecurrentCells) else {}
