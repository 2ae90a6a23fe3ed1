"""English prose that is on every machine: the language topics of Python's own documentation.

    Assert statements are a convenient        assert statements are a convenient way to insert
    way to insert debugging assertions   ->   debugging assertions into a program :
    into a program:

One sentence a line, in lower case, numbers as `N` as in the Penn Treebank. Grammar, programs,
tables and headings are left out. The text differs with the version of Python.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from naokit.base import InputError

BULLET = re.compile(r"^\s*(?:[*+]|\d+\.|\[\d+\])\s+")  # of lists and footnotes
QUOTED = re.compile(r'"[^"]*"')  # code within a sentence
MARKUP = re.compile(r"\*\*|(?<!\w)\*(?=\w)|(?<=\w)\*(?!\w)|[\"“”`]|\[\d+\]")
SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z(])")
TOKEN = re.compile(
    r"(?P<number>\d[\d.,]*(?<![.,]))(?!\w)"
    r"|[^\W\d]\w*(?:[.'-]\w+)*"  # don't, built-in, sys.modules, __init__
    r"|[.,;:?!()]"
)
SIGNS = frozenset("=<>{}|\\@#[]+/%&^~$")
"""Signs of programs and grammar: outside of quotes, prose has few of them."""
MOST_SIGNS = 0.02
FEWEST_WORDS = 5
CURLY = "\N{RIGHT SINGLE QUOTATION MARK}"


def topics() -> list[str]:
    """The texts of the topics, in the order of their names.

    Raises:
        InputError: This Python has no documentation texts.
    """
    try:
        from pydoc_data.topics import topics as texts
    except ImportError as error:
        raise InputError(
            "this Python has no pydoc_data, the text of its documentation (its minimal packages "
            "leave it out); install the whole of it, or give a folder of text"
        ) from error
    return [texts[name] for name in sorted(texts)]


def prose(texts: Iterable[str]) -> list[str]:
    """The sentences of each text, one a line.

    A paragraph counts where it comes first: topics repeat whole sections of each other, and what
    is trained on must not be tested on.
    """
    seen: set[str] = set()
    return ["".join(_lines(text, seen)) for text in texts]


def shared_out(texts: Iterable[str], shares: Sequence[float]) -> list[str]:
    """The texts in some parts: each goes to the part that is furthest behind its share."""
    parts: list[list[str]] = [[] for _ in shares]
    sizes = [0] * len(shares)
    for text in texts:
        total = sum(sizes) + len(text)
        behind = [share * total - size for share, size in zip(shares, sizes, strict=True)]
        part = behind.index(max(behind))
        parts[part].append(text)
        sizes[part] += len(text)
    return ["".join(part) for part in parts]


def _lines(text: str, seen: set[str]) -> Iterator[str]:
    for block in re.split(r"\n\s*\n", text):
        paragraph = _paragraph(block)
        if paragraph in seen or not _is_prose(paragraph):
            continue
        seen.add(paragraph)
        for sentence in SENTENCE_END.split(MARKUP.sub("", paragraph)):
            yield " ".join(_tokens(sentence)) + "\n"


def _paragraph(block: str) -> str:
    """A block of lines as one."""
    lines = (line.strip() for line in BULLET.sub("", block).splitlines())
    return re.sub(r"(?<=\w)- (?=\w)", "-", " ".join(lines)).replace(CURLY, "'")


def _is_prose(paragraph: str) -> bool:
    said = QUOTED.sub("", paragraph)
    return (
        paragraph.endswith((".", ":", "!", "?", ".)"))
        and (paragraph[0].isalpha() or paragraph[0] in '("*')
        and len(said.split()) >= FEWEST_WORDS
        and sum(sign in SIGNS for sign in said) <= MOST_SIGNS * len(said)
    )


def _tokens(sentence: str) -> Iterator[str]:
    for match in TOKEN.finditer(sentence):
        yield "N" if match["number"] else match[0].lower()
