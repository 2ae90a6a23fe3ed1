"""The command line: parse, call, print. `naokit --help` lists the commands.

Exit codes: 0 done, 1 the run failed, 2 bad input, 130 interrupted.
"""

from __future__ import annotations

import os


def main() -> None:
    """The entry point `naokit`."""
    # Processes that are started (decoders, trainers) look for modules in the current folder first,
    # which may be a stranger's: his signal.py was run.
    os.environ["PYTHONSAFEPATH"] = "1"
    from naokit.cli.app import app

    app()
