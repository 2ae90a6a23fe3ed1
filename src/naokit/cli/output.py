"""What a command says: results on stdout, progress and errors on stderr, an exit code."""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.table import Table

from naokit.base import EvaluationFailed, InputError, Json
from naokit.cli.wordings import for_command_line
from naokit.wording import one_line

if TYPE_CHECKING:
    from rich.progress import Progress
    from rich.status import Status

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""Errors of a device that takes no more; files of naokit's own say so themselves."""


@contextmanager
def exit_codes() -> Iterator[None]:
    """Turns errors into one line on stderr and an exit code; SIGTERM stops like Ctrl-C."""
    stopped: list[int] = []

    def stop(signum: int, frame: object) -> None:
        del frame
        stopped.append(signum)
        raise KeyboardInterrupt

    numbers = [signal.SIGTERM, signal.SIGINT]
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # a shell's background job
        numbers.remove(signal.SIGINT)
    previous = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    except InputError as error:
        _end(f"error: {for_command_line(str(error))}", BAD_INPUT)
    except EvaluationFailed as error:
        _end(f"failed: {error.reason}: {for_command_line(str(error))}", FAILED)
    except BrokenPipeError:
        sys.stderr.close()
        raise typer.Exit(FAILED) from None
    except (Exception, KeyboardInterrupt) as error:
        # What is being imported may turn Ctrl-C into an error of its own.
        if stopped or isinstance(error, KeyboardInterrupt):
            _end("interrupted: what is done is kept; the same command continues", INTERRUPTED)
        if not isinstance(error, OSError) or error.errno not in FULL:
            raise
        _end(not_written(error), FAILED)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def not_written(error: OSError) -> str:
    """What to say of output that cannot be written; what is still waiting to be is dropped."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())  # Python flushes once more as it ends
            os.close(nowhere)
    return f"failed: the output cannot be written: {error.strerror}"


def say(*lines: str, err: bool = False) -> None:
    """Lines on stdout or stderr, each of them one line whatever names are in it."""
    for line in lines:
        typer.echo(one_line(line), err=err)


def progress() -> Progress:
    """A bar on stderr with the time left."""
    from naokit.study.progress import progress as bar  # not above: `--help` shows none

    return bar()


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on stdout; names in it are text, never rich's markup."""
    table = Table(title=one_line(title), title_justify="left")
    for column in columns:
        table.add_column(one_line(column), overflow="fold")
    for row in rows:
        table.add_row(*map(one_line, row))
    Console(markup=False, emoji=False).print(table)


def print_json(value: Json) -> None:
    """One object on stdout."""
    typer.echo(json.dumps(value, allow_nan=False))


def measuring() -> Status:
    """What stderr says while a figure that takes time is measured."""
    return Console(stderr=True).status("measuring")


class Figures:
    """Figures that are shown once they are known, in lines or as one JSON object at the end.

    Args:
        json: Whether one object is printed at the end, instead of lines.
    """

    def __init__(self, *, json: bool) -> None:
        self.json = json
        self.found: dict[str, Json] = {}

    def add(self, figures: dict[str, Json], lines: Sequence[str]) -> None:
        """Adds figures and shows the lines that say them."""
        self.found |= figures
        if not self.json:
            say(*lines)

    def end(self) -> None:
        """Prints the object, where it is asked for."""
        if self.json:
            print_json(self.found)


def _end(message: str, code: int) -> None:
    with suppress(OSError):  # where stderr goes to the same full device
        typer.echo(one_line(message), err=True)
    raise typer.Exit(code)
