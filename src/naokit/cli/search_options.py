"""What a search was asked for, and how its hours are shared out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from naokit.base import InputError
from naokit.cli.durations import spoken
from naokit.presets import FINAL_SHARE

if TYPE_CHECKING:
    from naokit.base import Json
    from naokit.cli.config_file import Asked
    from naokit.presets import Preset
    from naokit.training.device import Device, Precision


@dataclass(frozen=True)
class Hours:
    """--hours of a search.

    Attributes:
        ends: when they are over, on the monotonic clock; None: there is no limit.
        share: seconds of them that are kept for the final training.
    """

    ends: float | None = None
    share: float = 0.0

    @classmethod
    def of(cls, hours: float | None, began: float, *, final: bool) -> Hours:
        """Those of a command that began then and trains its winner to the end, or does not."""
        if hours is None:
            return cls()
        return cls(began + 3600 * hours, FINAL_SHARE * 3600 * hours if final else 0.0)

    @property
    def left(self) -> float | None:
        """Seconds that are left of all of them, below 0 where they are over; None: no limit."""
        return None if self.ends is None else self.ends - time.monotonic()

    @property
    def for_search(self) -> float | None:
        """Seconds that are left for evaluations."""
        return None if self.left is None else self.left - self.share

    @property
    def for_final(self) -> float | None:
        """Seconds for the final training: its share also where the search took longer."""
        return None if self.left is None else max(self.left, self.share)

    @property
    def search_is_over(self) -> bool:
        """Whether no evaluation may begin any more."""
        return self.for_search is not None and self.for_search <= 0

    def say(self) -> None:
        """Says on stderr how they are shared out."""
        if self.share:
            typer.echo(
                f"--hours: the search gets {spoken(self.share / FINAL_SHARE - self.share)}, "
                f"{spoken(self.share)} are kept for the final training",
                err=True,
            )


@dataclass(frozen=True)
class Options:
    """What the command line asked for, as the steps need it; `given` is what run.yaml keeps."""

    space_text: str
    method: str
    seed: int
    evaluations: int
    out: Path
    storage: str
    hours: Hours
    device: Device
    precision: Precision
    objectives: tuple[str, ...]
    limits: tuple[str, ...]
    start_from: Path | None
    image_size: int | None
    skip_bad: bool
    image_column: str | None
    label_column: str | None
    workers: int
    tokens: str | None
    release: bool
    given: Asked

    @property
    def recorded(self) -> dict[str, Json]:
        """What settings.json keeps of these."""
        from naokit.study.storage import shown

        return {
            "storage": shown(self.storage),
            "method": self.method,
            "seed": self.seed,
            "objectives": list(self.objectives),
            "limits": list(self.limits),
        }


OF_DATA = (
    "preset",
    "nodes",
    "activations",
    "baseline",
    "final",
    "final_epochs",
    "final_channels",
    "final_cells",
    "final_hidden",
    "image_size",
    "skip_bad",
    "image_column",
    "label_column",
    "workers",
    "tokens",
    "device",
    "precision",
)
"""Options of a search that trains; a table has the results already."""
OF_TABLE = ("architecture_column", "metric", "class_column", "direction")
"""Options that say how a table is read."""


def check_asked(context: typer.Context, *, table: bool) -> None:
    """Raises InputError for an option of the other kind of search that was given."""
    for name in OF_DATA if table else OF_TABLE:
        source = context.get_parameter_source(name)
        if source is not None and source.name in ("COMMANDLINE", "DEFAULT_MAP"):
            wanted = "trains networks" if table else "looks results up in a --table"
            raise InputError(
                f"--{name.replace('_', '-')} is for a search that {wanted}: leave it out"
            )


def with_final(preset: Preset, reads: str, asked: Mapping[str, int | None]) -> Preset:
    """The preset with the epochs and the size of the final training that were asked for.

    Raises:
        InputError: a size is that of another kind of network.
    """
    from naokit.cli.subject import check_options

    given: dict[str, Any] = {n: value for n, value in asked.items() if value is not None}
    check_options(reads, {name: value for name, value in given.items() if name != "final_epochs"})
    return replace(preset, **given)
