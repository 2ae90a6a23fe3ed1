"""Where evaluations run: the options of a search and of a worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from naokit.base import InputError

if TYPE_CHECKING:
    from naokit.doors import Workers
    from naokit.workers import Local, Ray


@dataclass(frozen=True, kw_only=True)
class WorkerOptions:
    """Where evaluations run, and what each may take."""

    workers: Annotated[
        str | None,
        typer.Option(
            metavar="N|ray|ray:N",
            help="Who evaluates: N processes, or a Ray cluster with as many actors as it holds or "
            "N; default: this process, one evaluation after another.",
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
    ray_address: Annotated[
        str | None,
        typer.Option(
            help="The Ray cluster: auto, HOST:PORT or ray://HOST:PORT; default: begin one."
        ),
    ] = None
    cpus_per_worker: Annotated[
        float | None, typer.Option(min=0, help="Cores that Ray gives each actor; default: 1.")
    ] = None
    gpus_per_worker: Annotated[
        float | None, typer.Option(min=0, help="GPUs that Ray gives each actor; default: none.")
    ] = None

    @contextmanager
    def opened(self, remark: Callable[[str], None]) -> Iterator[Workers | None]:
        """The workers until they are closed; None where this process evaluates.

        Args:
            remark: Is told what is unwise though possible, such as more workers than cores.

        Raises:
            InputError: An option is there that only workers have.
        """
        kind, _, number = (self.workers or "").partition(":")
        self._check(kind)
        if self.workers is None:
            yield None
            return
        with self._on_ray(number) if kind == "ray" else self._local() as workers:
            for line in workers.remarks:
                remark(line)
            yield workers

    def _local(self) -> Local:
        from naokit.workers import Local

        devices = [] if self.devices is None else self.devices.split(",")
        return Local(_number(self.workers or ""), devices=devices, **self._limits())

    def _on_ray(self, number: str) -> Ray:
        from naokit.workers import Ray

        return Ray(
            _number(number) if number else None,
            address=self.ray_address,
            cpus=1 if self.cpus_per_worker is None else self.cpus_per_worker,
            gpus=self.gpus_per_worker or 0,
            **self._limits(),
        )

    def _limits(self) -> dict[str, Any]:
        minutes, gib = self.evaluation_minutes, self.evaluation_gib
        return {
            "seconds": None if minutes is None else 60 * minutes,
            "memory": None if gib is None else int(gib * 2**30),
            "retries": self.retries,
        }

    def _check(self, kind: str) -> None:
        """Raises InputError where something was asked for that only other workers can do."""
        of_ray = ("ray_address", "cpus_per_worker", "gpus_per_worker")
        of_any = ("evaluation_minutes", "evaluation_gib")
        for wanted, names, there in (
            ("N", ("devices",), kind.isdecimal()),
            ("ray", of_ray, kind == "ray"),
            ("N or ray", of_any, self.workers is not None),
        ):
            given = [name for name in names if getattr(self, name) is not None]
            if given and not there:
                option = given[0].replace("_", "-")
                raise InputError(f"--{option} is for --workers {wanted}: give both or leave it out")


def _number(text: str) -> int:
    """How many workers there are to be."""
    if not text.isdecimal() or not int(text):
        raise InputError(f"--workers: {text!r} is none; expected a number from 1 on, ray or ray:N")
    return int(text)
