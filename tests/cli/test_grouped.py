"""Options that commands share: typer sees each field, the command gets the dataclass."""

from dataclasses import dataclass
from typing import Annotated

import typer
from typer.testing import CliRunner

from naokit.cli.grouped import grouped


@dataclass(frozen=True)
class Inner:
    deep: Annotated[int, typer.Option(help="Inside.")] = 1


@dataclass(frozen=True, kw_only=True)
class Outer:
    inner: Inner
    name: Annotated[str, typer.Option("--called")] = "one"


def test_a_command_gets_what_its_fields_were_given() -> None:
    got: list[object] = []
    app = typer.Typer()

    @app.command()
    @grouped
    def command(*, context: typer.Context, outer: Outer, last: int = 3) -> None:
        got.append((sorted(context.params), outer, last))

    assert CliRunner().invoke(app, ["--called", "two", "--deep", "5"]).exit_code == 0
    assert got == [(["deep", "last", "name"], Outer(inner=Inner(5), name="two"), 3)]
    shown = CliRunner().invoke(app, ["--help"]).stdout
    assert [shown.index(option) for option in ("--deep", "--called", "--last")] == sorted(
        shown.index(option) for option in ("--deep", "--called", "--last")
    )
