"""The prose of Python's documentation: sentences, no programs, no part in another."""

import re
import sys

import pytest

from naokit.base import InputError
from naokit.text.prose import prose, shared_out, topics

TOPIC = """The "assert" statement
**********************

Assert statements are a **convenient** way to insert "x = 1" left-
hand into Python 3.13, and don\N{RIGHT SINGLE QUOTATION MARK}t cost much.[1] See
*sys.modules* (or others):

   assert_stmt ::= "assert" expression ["," expression]

   if __debug__:
       if not expression: raise AssertionError(expression)

+-----+
| a b |

* Else: it goes on; "__debug__" is here
  constant.

-[ Footnotes ]-

[1] Since 3.0 it is a little dearer.
"""


def test_sentences_are_kept_and_all_else_is_not() -> None:
    (text,) = prose([TOPIC])
    assert text.splitlines() == [
        "assert statements are a convenient way to insert x N left-hand into python N , "
        "and don't cost much .",
        "see sys.modules ( or others ) :",
        "else : it goes on ; __debug__ is here constant .",
        "since N it is a little dearer .",
    ]


def test_what_topics_repeat_counts_where_it_comes_first() -> None:
    first, second = prose([TOPIC, TOPIC + "\nOnly here is this one sentence.\n"])
    assert second == "only here is this one sentence .\n"
    assert "assert statements" in first


def test_parts_get_their_shares() -> None:
    texts = [f"{number:03} " for number in range(200)]
    parts = shared_out(texts, (0.8, 0.1, 0.1))
    assert [len(part) for part in parts] == [640, 80, 80]
    assert sorted("".join(parts).split()) == "".join(texts).split()
    assert all(part.split() == sorted(part.split()) for part in parts)


def test_this_python_has_enough_of_it() -> None:
    text = "".join(prose(topics()))
    assert len(text.split()) > 30_000
    assert set(re.sub(r"[\w\n .,;:?!()'-]", "", text)) == set()
    assert "  " not in text
    assert "\n\n" not in text


def test_a_python_without_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", None)
    with pytest.raises(InputError, match=r"no pydoc_data.*folder of text"):
        topics()
