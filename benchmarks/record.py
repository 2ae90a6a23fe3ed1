"""The provenance of a result: commit, machine, versions and date, written with the result."""

from __future__ import annotations

import json
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from naokit.study.settings import environment

RESULTS = Path(__file__).parent / "results"


def provenance() -> dict[str, Any]:
    """The commit, the date, the machine and the versions."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    return {
        "commit": commit,
        "date": datetime.now(UTC).date().isoformat(),
        "processor": platform.processor() or platform.machine(),
        **environment(),
    }


def write(name: str, figures: dict[str, Any]) -> None:
    """Writes `results/NAME.json` and prints it."""
    print(keep(name, figures))


def keep(name: str, figures: dict[str, Any]) -> str:
    """Writes `results/NAME.json`; its text."""
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps({**provenance(), **figures}, indent=2) + "\n"
    (RESULTS / f"{name}.json").write_text(text)
    return text
