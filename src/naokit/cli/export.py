"""`naokit export`: a trained network as files that were checked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from naokit.cli.output import exit_codes, print_json


def export(
    network: Annotated[Path, typer.Argument(help="A run's folder, or that of a saved network.")],
    out: Annotated[Path | None, typer.Option(help="Where to [beside the network].")] = None,
    format: Annotated[
        list[str] | None, typer.Option(help="safetensors, onnx or python; may repeat [all].")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Write a trained network as safetensors + config, ONNX and one Python file; check each."""
    with exit_codes():
        from naokit.base import InputError
        from naokit.export import export as write
        from naokit.export import load_bundle
        from naokit.report import checks_json

        folder = network / "network" if (network / "network").is_dir() else network
        if not (folder / "config.json").exists():
            raise InputError(
                f"{network} holds no trained network (config.json); `naokit train` makes one"
            )
        checks = write(load_bundle(folder), out or folder, tuple(format) if format else None)
        if json:
            print_json({"exports": checks_json(checks)})
            return
        for check in checks:
            typer.echo(f"{check.file}: largest difference {check.difference:.1e}")
