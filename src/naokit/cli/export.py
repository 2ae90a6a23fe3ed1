"""`naokit export`: a trained network as files that were checked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from naokit.cli.options import AsJson
from naokit.cli.output import exit_codes, print_json, say
from naokit.cli.wordings import for_command_line

if TYPE_CHECKING:
    from naokit.export import Check


def export(
    network: Annotated[Path, typer.Argument(help="A run's folder, or that of a saved network.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder to write to; default: the network's.")
    ] = None,
    format: Annotated[
        list[str] | None,
        typer.Option(
            help="safetensors, onnx, pt2, python or int8; may repeat; default: all but int8, which "
            "needs images."
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(help="Images for int8; default: those that the network learnt from."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the files of another network.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Write a trained network in several formats; run each and compare with the network."""
    with exit_codes():
        from naokit.base import InputError
        from naokit.export import check_free, exports, network_folder
        from naokit.kinds import load_bundle
        from naokit.report.contents import checks_json

        folder = network_folder(network)
        bundle = load_bundle(folder)
        if data is not None and "int8" not in (format or ()):
            of = "" if "int8" in bundle.own_formats else f", which {bundle.noun} does not have"
            raise InputError(f"--data is for --format int8{of}: leave it out")
        check_free(out or folder, bundle, force=force)
        left_out: dict[str, str] = {}
        told = None if format else left_out.__setitem__  # what was asked for is written or refused
        checks = exports(bundle, out or folder, format, data, told)
        if json:
            print_json({"exports": checks_json(list(checks)), "left_out": left_out})
            return
        for line in _lines(checks, out or folder):
            say(line)
        for name, why in left_out.items():
            say(f"  {name:18} left out: {for_command_line(why)}")


def _lines(checks: Iterator[Check], folder: Path) -> Iterator[str]:
    """A line a file, as soon as it is written and checked."""
    for number, check in enumerate(checks):
        if not number:
            yield f"{folder}: each file read back, its logits compared with the network's"
        yield f"  {check.file.name:18} {_compared(check):39}  {check.note}"


def _compared(check: Check) -> str:
    if check.accuracy is not None:
        before, after = check.accuracy
        return f"accuracy {before:.2f} % before, {after:.2f} % after"
    if check.difference == 0:
        return "equal bit for bit"
    return f"largest difference {check.difference:.1e}"
