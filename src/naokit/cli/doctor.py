"""`naokit doctor`: what works on this machine, and what is missing."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from naokit.cli.options import AsJson
from naokit.cli.output import FAILED, exit_codes, print_json, say
from naokit.cli.wordings import for_command_line
from naokit.wording import counted

if TYPE_CHECKING:
    from naokit.runs.doctor import Finding


def doctor(
    out: Annotated[
        Path, typer.Option(help="The folder of runs that is tried; nothing is left in it.")
    ] = Path(),
    json: AsJson = False,
) -> None:
    """Say what works on this machine and what is missing; exit code 1 if something is broken."""
    with exit_codes():
        from naokit.runs.doctor import examine

        findings = []
        for found in examine(out):
            finding = replace(found, text=for_command_line(found.text))
            findings.append(finding)
            if not json:
                say(_line(finding))
        broken = sum(finding.state == "broken" for finding in findings)
        if json:
            print_json({"broken": broken, "findings": [asdict(finding) for finding in findings]})
        else:
            say("", _verdict(broken))
    if broken:
        raise typer.Exit(FAILED)


def _line(finding: Finding) -> str:
    return f"{finding.state:<8}{finding.topic:<11}{finding.name:<12}{finding.text}"


def _verdict(broken: int) -> str:
    if not broken:
        return "nothing is broken"
    return f"{counted(broken, 'line')} above {'says' if broken == 1 else 'say'} broken"
