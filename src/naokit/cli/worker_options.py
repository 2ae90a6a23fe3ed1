"""Where evaluations run: the options of a search and of a worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from naokit.base import InputError

if TYPE_CHECKING:
    from naokit.doors import Workers


@dataclass(frozen=True, kw_only=True)
class WorkerOptions:
    """Where evaluations run, and what each may take."""

    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="How many processes evaluate; default: this one, one evaluation after another.",
        ),
    ] = None
    devices: Annotated[
        str | None,
        typer.Option(
            help="The devices of the --workers in turn, such as cuda:0,cuda:1: each sees its own."
        ),
    ] = None
    retries: Annotated[
        int,
        typer.Option(min=0, help="How often an evaluation begins again whose worker died."),
    ] = 1
    evaluation_minutes: Annotated[
        float | None,
        typer.Option(min=0, help="Minutes after which an evaluation of the --workers has failed."),
    ] = None
    evaluation_gib: Annotated[
        float | None,
        typer.Option(
            min=0, help="GiB of memory beyond which an evaluation of the --workers has failed."
        ),
    ] = None

    @contextmanager
    def opened(self, remark: Callable[[str], None]) -> Iterator[Workers | None]:
        """The workers until they are closed; None where this process evaluates.

        Args:
            remark: Is told what is unwise though possible, such as more workers than cores.

        Raises:
            InputError: An option is there that only workers have.
        """
        if self.workers is None:
            self._check_none()
            yield None
            return
        from naokit.workers import Local

        minutes, gib = self.evaluation_minutes, self.evaluation_gib
        with Local(
            self.workers,
            devices=[] if self.devices is None else self.devices.split(","),
            seconds=None if minutes is None else 60 * minutes,
            memory=None if gib is None else int(gib * 2**30),
            retries=self.retries,
        ) as workers:
            for line in workers.remarks:
                remark(line)
            yield workers

    def _check_none(self) -> None:
        """Raises InputError where something was asked for that only workers can do."""
        asked = {
            "devices": self.devices,
            "evaluation-minutes": self.evaluation_minutes,
            "evaluation-gib": self.evaluation_gib,
        }
        if given := [name for name, value in asked.items() if value is not None]:
            raise InputError(f"--{given[0]} is for processes that evaluate: give --workers too")
