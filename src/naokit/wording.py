"""Words for people: counts, shares, and names that somebody else gave."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence

COMMANDS = ("Cc", "Cs")
"""The Unicode categories of control characters and of halves of surrogate pairs."""
MARKS = re.compile(r"[^\w ,.'()/%+-]|(?<![^\W_])_|_(?![^\W_])")
"""What is escaped in Markdown; other characters only matter at the beginning of a line."""


def counted(count: int, noun: str) -> str:
    """A count and a noun with a plural in s: `1 evaluation`, `2,000 evaluations`."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


def listed(names: Sequence[str], most: int = 5) -> str:
    """Some names, and how many more there are: `a, b, c, d, e and 3 more`."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def epochs_done(done: float, epochs: int) -> str:
    """The progress of a training: `5 epochs`, or `0.43 of 5 epochs`, never rounded up."""
    if done >= epochs:
        return counted(epochs, "epoch")
    share = math.floor(100 * done) / 100 or float(f"{done:.1g}")
    return f"{share:g} of {counted(epochs, 'epoch')}"


def value_text(value: float, metric: str) -> str:
    """A value for people: hundredths of a per cent or a perplexity, six digits of anything else."""
    of_hundred = metric.endswith("percent") or ", percent, " in metric
    return f"{value:.2f}" if of_hundred or "perplexity" in metric else f"{value:.6g}"


def one_line(name: object) -> str:
    r"""A foreign name as one line of text, with escapes for invisible characters.

    A line end, a terminal's command, a mark that turns the direction of reading round and half a
    surrogate pair become `\n`, `\x1b[`, `\u202e` and `\ud800`; what can be seen stays as it is.
    """
    text = str(name)
    return (
        text if text.isprintable() else "".join(c if c.isprintable() else _escape(c) for c in text)
    )


def without_commands(text: str) -> str:
    """A foreign text of several lines, with escapes for what a terminal would take as a command."""
    return "".join(
        c if c in "\n\t" or unicodedata.category(c) not in COMMANDS else _escape(c) for c in text
    )


def prose(text: object) -> str:
    """Foreign text within a line of Markdown or a cell of a table, shown as it is.

    Marks become character references, so that nothing is taken for a heading, a link or HTML.
    """
    return MARKS.sub(lambda mark: f"&#{ord(mark[0])};", one_line(text))


def code(text: object) -> str:
    """Foreign text as code within a line of Markdown, but not for a cell of a table."""
    shown = one_line(text)
    fence = "`" * (_longest_fence(shown) + 1)
    space = " " if shown.startswith(("`", " ")) or shown.endswith(("`", " ")) else ""
    return f"{fence}{space}{shown}{space}{fence}"


def block(text: str) -> str:
    """Lines as a block of code in Markdown."""
    fence = "`" * max(3, _longest_fence(text) + 1)
    return f"{fence}\n{text}\n{fence}"


def _escape(character: str) -> str:
    return ascii(character)[1:-1]


def _longest_fence(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


def exact(value: float) -> str:
    """The shortest text that reads back as the same number: `3e+06`, `1234567`, `0.1`."""
    short = f"{value:g}"
    return short if float(short) == value else str(value).removesuffix(".0")


def first_line(error: BaseException) -> str:
    """The first line of the innermost error, which says what a person can use."""
    while error.__cause__ is not None:
        error = error.__cause__
    return (str(error).strip() or type(error).__name__).splitlines()[0]
