"""Three streams of tokens; the published counts of real corpora are golden."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from naokit.base import InputError
from naokit.text.data import TextData, load_text
from naokit.text.vocabulary import Vocabulary

SHARED = Path(__file__).parents[4] / "shared" / "data"


def corpus(path: Path, train: str, validation: str | None = None, test: str | None = None) -> Path:
    path.mkdir(exist_ok=True)
    for name, text in (("train", train), ("valid", validation), ("test", test)):
        if text is not None:
            (path / f"{name}.txt").write_text(text)
    return path


def test_three_parts_in_one_vocabulary(tmp_path: Path) -> None:
    data = load_text(corpus(tmp_path / "set", "a b\nc\n", "b d\n", "e e"))
    assert data.vocabulary.tokens == ("a", "b", "<eos>", "c", "<unk>")
    assert (data.train.tolist(), data.validation.tolist()) == ([0, 1, 2, 3, 2], [1, 4, 2])
    assert data.test.tolist() == [4, 4, 2]
    assert data.unknown == {"train": 0, "validation": 1, "test": 2}
    assert (data.held_out, data.tokens) == (None, "word")


def test_the_last_tenth_of_the_lines_is_held_out(tmp_path: Path) -> None:
    path = tmp_path / "corpus.txt"
    path.write_text("".join(f"w{number} x\n" for number in range(30)))
    data = load_text(path)
    text = "".join(data.vocabulary.decode(part) for part in (data.train, data.validation))
    assert text.count("\n") == 30
    assert data.held_out == 3
    assert data.unknown["validation"] == 3  # the vocabulary is that of the training part alone
    assert data.validation.tolist().count(2) == 3
    assert len(data.test) == 0


def test_characters(tmp_path: Path) -> None:
    data = load_text(corpus(tmp_path / "set", "ab\nba\n", "cab"), "char")
    assert data.tokens == "char"
    assert data.vocabulary.decode(data.train) == "ab\nba\n"
    assert data.vocabulary.decode(data.validation) == "<unk>ab\n"
    assert data.unknown["validation"] == 1


def test_pydoc_has_no_rare_words_and_all_characters() -> None:
    words = load_text("pydoc")
    assert np.bincount(words.train)[:-1].min() >= 3
    assert words.vocabulary.tokens[-1] == "<unk>"
    assert words.unknown["train"] == np.bincount(words.train)[-1] < len(words.train) / 10
    assert load_text("pydoc", "char").unknown["train"] == 0


def test_a_given_vocabulary_keeps_its_numbers(tmp_path: Path) -> None:
    path = corpus(tmp_path / "set", "a b\nc\n", "b d\n")
    vocabulary = Vocabulary("word", ("<eos>", "<unk>", "c", "b"))
    data = load_text(path, vocabulary=vocabulary)
    assert data.vocabulary is vocabulary
    assert data.train.tolist() == [1, 3, 0, 2, 0]
    assert data.unknown == {"train": 1, "validation": 1, "test": 0}
    with pytest.raises(InputError, match=r"kind char, but .* kind word; ask for tokens 'word'"):
        load_text(path, "char", vocabulary=vocabulary)


@pytest.mark.parametrize(
    ("train", "validation", "test", "message"),
    [
        ("", "a b\n", None, "holds no text"),
        (" \n\n", "a b\n", None, "holds no text"),
        ("a b c d", "a b\n", None, "one line of text"),
        ("a b c d\n\n", None, None, "one line of text"),
        ("<eos>\n<eos>\n", "a b\n", None, "one token only"),
        ("a b\nc\n", "", None, r"validation part is too short \(tokens: 0\)"),
        ("a b\nc\n", "\n", None, r"validation part is too short \(tokens: 1\)"),
        ("a b\nc\n", "a b\n", "", r"test part is too short \(tokens: 0\)"),
    ],
)
def test_texts_too_short_are_refused(
    tmp_path: Path, train: str, validation: str, test: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        load_text(corpus(tmp_path / "set", train, validation, test))


def test_what_is_loaded_is_checked_and_given_back(tmp_path: Path) -> None:
    data = load_text(corpus(tmp_path / "set", "a b\nc\n", "b d\n"))
    assert load_text(data) is data
    assert load_text(data, vocabulary=data.vocabulary) is data
    with pytest.raises(InputError, match="another vocabulary"):
        load_text(data, vocabulary=Vocabulary("word", ("<eos>", "<unk>")))


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (np.array([0, 5]), r"run from 0 to 5, but the vocabulary has 5 \(0 to 4\)"),
        (np.array([-1, 2]), "run from -1 to 2"),
        (np.array([0.0, 1.0]), "int64"),
        (np.zeros((2, 2), dtype=np.int64), r"shape \(N,\)"),
        (np.array([1]), r"validation part is too short \(tokens: 1\)"),
    ],
)
def test_loaded_tokens_that_no_network_can_use(
    tmp_path: Path, ids: np.ndarray, message: str
) -> None:
    data = load_text(corpus(tmp_path / "set", "a b\nc\n", "b d\n"))
    with pytest.raises(InputError, match=message):
        load_text(replace(data, validation=ids))


def test_the_fingerprint_follows_the_content(tmp_path: Path) -> None:
    path = corpus(tmp_path / "set", "a b\nc\n", "b d\n")
    data = load_text(path)
    assert data.fingerprint == load_text(path).fingerprint
    moved = replace(data, train=data.train[:-1], validation=data.validation[[0, 0, 1, 2]])
    larger = replace(data, vocabulary=Vocabulary("word", (*data.vocabulary.tokens, "new")))
    others: list[TextData] = [moved, larger, replace(data, test=data.validation)]
    assert len({data.fingerprint, *(other.fingerprint for other in others)}) == 4


def test_reading_needs_neither_torch_nor_what_is_not_used() -> None:
    code = (
        "import sys; from naokit.text.data import load_text; load_text('pydoc'); "
        "assert not {'torch', 'datasets', 'tokenizers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.shared
@pytest.mark.skipif(not (SHARED / "ptb").exists(), reason="no shared data here")
@pytest.mark.parametrize(
    ("name", "lengths", "vocabulary"),
    [
        ("ptb", (929_589, 73_760, 82_430), 10_000),
        ("wikitext-2", (2_088_628, 217_646, 245_569), 33_278),
    ],
)
def test_published_counts(name: str, lengths: tuple[int, ...], vocabulary: int) -> None:
    data = load_text(SHARED / name)
    assert (len(data.train), len(data.validation), len(data.test)) == lengths
    assert len(data.vocabulary) == len(set(data.vocabulary.tokens)) == vocabulary
    assert {"<eos>", "<unk>"} <= set(data.vocabulary.tokens)
    assert data.unknown == {"train": 0, "validation": 0, "test": 0}
    assert len(np.unique(data.train)) == vocabulary  # nothing was added to what the text has
