"""The commands by name, each in a module of its own; none imports torch before it runs."""

from __future__ import annotations

from typing import Annotated

import typer

import naokit
from naokit.cli.bench import bench
from naokit.cli.doctor import doctor
from naokit.cli.evaluate import evaluate
from naokit.cli.export import export
from naokit.cli.generate import generate
from naokit.cli.plan import plan
from naokit.cli.predict import predict
from naokit.cli.profile import profile
from naokit.cli.report import report
from naokit.cli.schema import schema
from naokit.cli.search import search
from naokit.cli.show import show
from naokit.cli.train import train
from naokit.cli.transfer import transfer
from naokit.cli.worker import worker
from naokit.cli.zoo import zoo

app = typer.Typer(
    name="naokit",
    help="Neural Architecture Optimization: from a search space to a trained, exported network.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(naokit.__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Neural Architecture Optimization: from a search space to a trained, exported network."""


_COMMANDS = (
    plan,
    search,
    worker,
    train,
    transfer,
    evaluate,
    predict,
    generate,
    export,
    show,
    report,
    profile,
    bench,
    zoo,
    doctor,
    schema,
)
for _command in _COMMANDS:
    app.command()(_command)
