"""`naokit schema`: the JSON schema of a file, for editors."""

from __future__ import annotations

from json import dumps
from typing import TYPE_CHECKING, Annotated, Any

import typer

from naokit.base import Json, unknown_name
from naokit.cli.config_file import parameters_of
from naokit.cli.options import AsJson
from naokit.cli.options_schema import options_schema
from naokit.cli.output import exit_codes, print_json
from naokit.cli.search import search
from naokit.cli.train import train
from naokit.cli.transfer import transfer

if TYPE_CHECKING:
    from collections.abc import Callable

OPTIONS: dict[str, Callable[..., None]] = {
    "search": search,
    "train": train,
    "transfer": transfer,
}
"""The commands that read a file of options."""
PLAN = "plan"
RECIPE = "recipe-"


def schema(
    context: typer.Context,
    what: Annotated[
        str,
        typer.Argument(
            help="The options of a command (run.yaml): search, train or transfer. What a run "
            "records (settings.json): plan. A stored recipe: recipe-images or recipe-text."
        ),
    ],
    json: AsJson = False,
) -> None:
    """Print the JSON schema of a file, by which an editor completes and checks it."""
    with exit_codes():
        found = _schema(context, what)
        print_json(found) if json else typer.echo(dumps(found, indent=2))


def _schema(context: typer.Context, what: str) -> dict[str, Json]:
    from naokit.kinds import KINDS, kind_of
    from naokit.runs.schemas import DIALECT, plan_schema, recipe_schema

    if what in OPTIONS:
        group: Any = context.find_root().command
        options = parameters_of(group.commands[what])
        return {"$schema": DIALECT, **options_schema(OPTIONS[what], options)}
    if what == PLAN:
        return plan_schema()
    if what.startswith(RECIPE):
        return recipe_schema(kind_of(what.removeprefix(RECIPE)).recipe_type)
    raise unknown_name("schema", what, [*OPTIONS, PLAN, *(RECIPE + reads for reads in KINDS)])
