"""The command line: parse, call, print. `naokit --help` lists the commands.

Exit codes: 0 done, 1 the run failed, 2 bad input, 130 interrupted.
"""

from __future__ import annotations


def main() -> None:
    """The entry point `naokit`."""
    from naokit.cli.app import app

    app()
