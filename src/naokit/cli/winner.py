"""What a search does with its winner: the final training, the exported files, their check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from naokit.cli.output import say
from naokit.cli.train import train_under_bar
from naokit.cli.wordings import for_command_line

if TYPE_CHECKING:
    from pathlib import Path

    from naokit.base import Architecture, Json
    from naokit.runs.final import Job


def trained_and_exported(winner: Architecture, job: Job, run: Path) -> dict[str, Json]:
    """Trains it, exports it and checks the files.

    Args:
        winner: of the search.
        job: how it is trained, in RUN/training.
        run: the folder of the search; the files go to RUN/network.

    Returns:
        What the report says of it.
    """
    from naokit.export import export
    from naokit.networks import count_parameters
    from naokit.report import checks_json
    from naokit.runs.final import keep_former
    from naokit.training.aside import settle

    settle(job.folder)  # a training that a kill of `naokit train --force` left aside
    if kept := keep_former(run, job, winner):
        say(f"another architecture is best now; the former winner is kept: {kept}", err=True)
    bundle = train_under_bar(winner, job)
    left_out: dict[str, str] = {}

    def told(name: str, why: str) -> None:
        left_out[name] = for_command_line(why)

    checks = export(bundle, run / "network", on_left_out=told)
    for name, why in left_out.items():
        say(f"not exported as {name}: {why}", err=True)
    return {
        "final": bundle.results | {"parameters": count_parameters(bundle.network)},
        "exports": checks_json(checks),
        "left_out": left_out,
    }
