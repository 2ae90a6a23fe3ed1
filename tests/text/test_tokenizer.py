"""A tokenizer of the package `tokenizers`, trained here; no network is used."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from naokit.base import InputError
from naokit.text.data import load_text
from naokit.text.vocabulary import Vocabulary

LINES = ["the company said the board said so", "the <unk> company, a board", "so said the board"]
TEXT = "".join(line + "\n" for line in LINES * 10)


@pytest.fixture(scope="module")
def bpe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tokenizer of bytes; its file cuts texts short, as that of many a network does."""
    tokenizers = pytest.importorskip("tokenizers")
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    alphabet = tokenizers.pre_tokenizers.ByteLevel.alphabet()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=300, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator([TEXT], trainer)
    tokenizer.enable_truncation(4)
    tokenizer.enable_padding(length=50)
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    tokenizer.save(str(path))
    return path


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tokenizer of words, some of them unknown to it."""
    tokenizers = pytest.importorskip("tokenizers")
    model = tokenizers.models.WordLevel({"the": 0, "[UNK]": 1, "board": 3}, unk_token="[UNK]")
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    path = tmp_path_factory.mktemp("tokenizer") / "words.json"
    tokenizer.save(str(path))
    return path


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "corpus.txt"
    path.write_text(TEXT)
    return path


def test_its_texts_come_back_whole(bpe: Path, corpus: Path) -> None:
    data = load_text(corpus, bpe)
    assert data.tokens == "tokenizer"
    assert data.train.dtype == np.int64
    assert data.vocabulary.decode(data.train) + data.vocabulary.decode(data.validation) == TEXT
    assert data.unknown == {"train": 0, "validation": 0, "test": 0}
    assert 256 < data.train.max() < len(data.vocabulary) <= 300
    assert data.vocabulary.encode("").shape == (0,)
    assert load_text(corpus, bpe.parent).fingerprint == data.fingerprint


def test_json_keeps_it(bpe: Path) -> None:
    vocabulary = Vocabulary.of_tokenizer(bpe.read_text())
    again = Vocabulary.from_json(json.loads(json.dumps(vocabulary.to_json())))
    assert again == vocabulary
    np.testing.assert_array_equal(again.encode(TEXT), vocabulary.encode(TEXT))


def test_unknown_words_are_counted_and_gaps_have_no_name(words: Path) -> None:
    vocabulary = Vocabulary.of_tokenizer(words.read_text())
    assert vocabulary.tokens == ("the", "[UNK]", "", "board")
    encoded = vocabulary.look_up("the old board\n")
    assert encoded.ids.tolist() == [0, 1, 3]
    assert encoded.unknown == 1


def test_a_network_keeps_its_tokenizer(bpe: Path, words: Path, corpus: Path) -> None:
    vocabulary = Vocabulary.of_tokenizer(bpe.read_text())
    for tokens in ("tokenizer", str(bpe)):
        assert load_text(corpus, tokens, vocabulary=vocabulary).vocabulary == vocabulary
    with pytest.raises(InputError, match="another tokenizer"):
        load_text(corpus, words, vocabulary=vocabulary)
    with pytest.raises(InputError, match=r"kind word.*of kind tokenizer"):
        load_text(corpus, vocabulary=vocabulary)


def test_what_is_no_tokenizer_is_refused(tmp_path: Path, corpus: Path) -> None:
    pytest.importorskip("tokenizers")
    (tmp_path / "tokenizer.json").write_text('{"version": "1.0"}')
    with pytest.raises(InputError, match=r"no readable tokenizer\.json"):
        load_text(corpus, tmp_path)


def test_a_name_that_the_hub_does_not_give_is_refused(
    corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizers = pytest.importorskip("tokenizers")

    class Offline:
        @staticmethod
        def from_pretrained(name: str) -> None:
            raise Exception(f"no connection for {name}\nand more")  # noqa: TRY002  as the library

    monkeypatch.setattr(tokenizers, "Tokenizer", Offline)
    wanted = r"no file 'wrod'.*hub \(no connection for wrod\); give the path"
    with pytest.raises(InputError, match=wanted):
        load_text(corpus, "wrod")


def test_a_missing_file_is_refused(tmp_path: Path, corpus: Path) -> None:
    with pytest.raises(InputError, match=r"there is no file .*tokenizer\.json"):
        load_text(corpus, tmp_path)
    (tmp_path / "tokenizer.json").write_bytes(b"\xff")
    with pytest.raises(InputError, match=r"tokenizer\.json cannot be read"):
        load_text(corpus, tmp_path)


def test_the_missing_package_is_named(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(InputError, match=r"'gpt2'; .*pip install 'naokit\[text\]'"):
        load_text(corpus, "gpt2")
    with pytest.raises(InputError, match=r"pip install 'naokit\[text\]'"):
        Vocabulary.from_json({"kind": "tokenizer", "tokenizer": {}})
