"""Words, characters and tokenizers become numbers and come back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from naokit.base import InputError
from naokit.text.vocabulary import Vocabulary

TEXT = "the company said\nthe board said so\n"


def test_words_are_numbered_as_they_first_come() -> None:
    vocabulary = Vocabulary.fit(TEXT)
    assert vocabulary.tokens == ("the", "company", "said", "<eos>", "board", "so", "<unk>")
    ids = vocabulary.encode(TEXT)
    assert ids.dtype == np.int64
    assert ids.tolist() == [0, 1, 2, 3, 0, 4, 2, 5, 3]
    assert vocabulary.decode(ids) == TEXT
    assert len(vocabulary) == 7


def test_an_unk_in_the_text_keeps_its_place_and_is_known() -> None:
    vocabulary = Vocabulary.fit("a <unk> b\n")
    assert vocabulary.tokens == ("a", "<unk>", "b", "<eos>")
    encoded = vocabulary.look_up("a <unk> c\nd\n")
    assert encoded.ids.tolist() == [0, 1, 1, 3, 1, 3]
    assert encoded.unknown == 2


def test_a_line_without_its_end_can_be_continued() -> None:
    vocabulary = Vocabulary.fit(TEXT)
    assert vocabulary.encode("the company").tolist() == [0, 1]
    assert vocabulary.encode("\n\n").tolist() == [3, 3]
    assert vocabulary.encode("").shape == (0,)


def test_characters_include_the_line_end() -> None:
    vocabulary = Vocabulary.fit("ab\na", "char")
    assert vocabulary.tokens == ("a", "b", "\n", "<unk>")
    encoded = vocabulary.look_up("ba\nx")
    assert encoded.ids.tolist() == [1, 0, 2, 3]
    assert encoded.unknown == 1
    assert vocabulary.decode(encoded.ids) == "ba\n<unk>"


def test_rare_tokens_are_left_out() -> None:
    vocabulary = Vocabulary.fit("a a b b c\nb a\n", least=2)
    assert vocabulary.tokens == ("a", "b", "<eos>", "<unk>")
    assert vocabulary.look_up("a c\n").unknown == 1


@given(st.text())
def test_every_text_of_characters_comes_back(text: str) -> None:
    vocabulary = Vocabulary.fit(text + "ab", "char")
    assert vocabulary.decode(vocabulary.encode(text)) == text


@given(st.text())
def test_every_text_of_words_comes_back_but_for_its_spaces(text: str) -> None:
    vocabulary = Vocabulary.fit(text + " a")
    wanted = "\n".join(" ".join(line.split()) for line in text.split("\n"))
    assert vocabulary.decode(vocabulary.encode(text)) == wanted


@given(st.text(), st.sampled_from(["word", "char"]))
def test_json_keeps_a_vocabulary(text: str, kind: str) -> None:
    vocabulary = Vocabulary.fit(text + " a b", kind)
    assert Vocabulary.from_json(vocabulary.to_json()) == vocabulary


@pytest.mark.parametrize(
    ("kind", "tokens", "message"),
    [
        ("char", ("<unk>",), "two tokens or more, not 1"),
        ("word", (), "two tokens or more, not 0"),
        ("word", ("a", "<unk>", "a", "<eos>"), "'a' comes twice"),
        ("word", ("a", "<unk>"), "word needs the token <eos>"),
        ("char", ("a", "b"), "char needs the token <unk>"),
        ("syllable", ("a", "<unk>"), "not 'syllable'"),
    ],
)
def test_what_is_no_vocabulary_is_refused(kind: str, tokens: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Vocabulary(kind, tokens)


def test_shared_tokens_are_those_of_one_kind_and_text() -> None:
    ours, theirs = Vocabulary("word", ("a", "b", "<eos>", "<unk>")), ("<unk>", "c", "<eos>", "b")
    assert ours.shared(Vocabulary("word", theirs)) == ([1, 2, 3], [3, 2, 0])
    assert ours.shared(Vocabulary("char", theirs)) == ([], [])


@pytest.mark.parametrize("fields", [{}, {"kind": "word"}, {"kind": "tokenizer", "tokens": ["a"]}])
def test_json_of_something_else_is_refused(fields: dict) -> None:
    with pytest.raises(InputError, match='needs a "kind"'):
        Vocabulary.from_json(fields)


@pytest.mark.parametrize("ids", [[-1], [0, 7]])
def test_numbers_of_no_token_are_refused(ids: list[int]) -> None:
    with pytest.raises(InputError, match=r"the vocabulary has 7 \(0 to 6\)"):
        Vocabulary.fit(TEXT).decode(ids)
