"""The command line: parse, call, print. `naokit --help` lists the commands.

Exit codes: 0 done, 1 the run failed, 2 bad input, 130 interrupted.
"""

from __future__ import annotations

import gc
import os
import sys


def main() -> None:
    """The entry point `naokit`."""
    # Processes that are started (decoders, trainers) look for modules in the current folder first,
    # which may be a stranger's: his signal.py was run.
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        from naokit.cli.app import app

        app()
    except KeyboardInterrupt:  # before a command was begun
        sys.stderr.write("interrupted\n")
        sys.exit(130)
    except OSError as error:
        from naokit.cli.output import FAILED, FULL, not_written

        if error.errno not in FULL:
            raise
        sys.stderr.write(f"{not_written(error)}\n")
        sys.exit(FAILED)
    finally:
        gc.freeze()  # else Python searches all modules for garbage as it ends: up to 0.3 s
        # Python ends by a signal after Ctrl-C in an `exec` (a dataclass), unless another follows.
        exec("")  # noqa: S102
