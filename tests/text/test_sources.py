"""Folders, files and data sets on the hub become the parts of a text."""

import gzip
from pathlib import Path

import datasets
import pytest

from naokit.base import InputError
from naokit.text.sources import TextSource, read_source


def folder(path: Path, *names: str) -> Path:
    path.mkdir()
    for name in names:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(f"{name}\n")
    return path


@pytest.mark.parametrize(
    ("train", "validation", "test"),
    [
        ("train.txt", "valid.txt", "test.txt"),
        ("ptb.train.txt", "ptb.valid.txt", "ptb.test.txt"),
        ("wiki.train.tokens", "wiki.valid.tokens", "wiki.test.tokens"),
        ("wiki.train.raw", "wiki.validation.raw", None),
        ("train", "dev", "test"),
        ("my.train", "my.val", None),
        ("Train.txt", None, "my-test.txt"),
        ("train.txt", "val.text", None),
        ("training.txt", "validation.txt", "testing.txt"),
        ("TRAIN.TXT", "VALID.TXT", "TEST.TXT"),
        ("Wiki.Train.Tokens", "wiki.dev.tokens", "wiki.test.raw"),
        ("data/train.txt", "data/valid.txt", "data/test.txt"),
        ("x/y/ptb.train.txt", None, "x/y/ptb.test.txt"),
        ("train/a.txt", "valid/a.txt", "test/a.txt"),
        ("train_set.text", "eval.text", None),
    ],
)
def test_usual_names(tmp_path: Path, train: str, validation: str, test: str) -> None:
    names = [name for name in (train, validation, test) if name]
    others = (
        "README.txt",
        ".train.txt",
        "train.py",
        "contest.txt",
        "test.json",
        "__MACOSX/._train.txt",
    )
    found = read_source(folder(tmp_path / "set", *names, *others))
    assert (found.train, found.validation, found.test) == (
        f"{train}\n",
        validation and f"{validation}\n",
        test and f"{test}\n",
    )


def test_two_files_for_a_part_are_both_named(tmp_path: Path) -> None:
    path = folder(tmp_path / "set", "ptb.train.txt", "ptb.char.train.txt")
    with pytest.raises(InputError, match=r"train part, ptb\.char\.train\.txt and ptb\.train\.txt"):
        read_source(path)


@pytest.mark.parametrize(
    "names",
    [("train.txt", "training.txt"), ("val.txt", "valid.txt"), ("train.txt", "old/train.txt")],
)
def test_two_spellings_of_a_part_are_both_named(tmp_path: Path, names: tuple[str, ...]) -> None:
    path = folder(tmp_path / "set", *names, "a.train.txt" if "val.txt" in names else "test.txt")
    with pytest.raises(InputError, match=f"two files for the .* part, {names[0]} and {names[1]}"):
        read_source(path)


def test_packed_parts_are_read_and_said(tmp_path: Path) -> None:
    path = folder(tmp_path / "set", "valid.txt")
    (path / "wiki.train.tokens.gz").write_bytes(gzip.compress(b"a\nb\n"))
    found = read_source(path)
    assert (found.train, found.validation) == ("a\nb\n", "valid.txt\n")
    assert found.remarks == (f"{path}: train from wiki.train.tokens.gz, validation from valid.txt",)


@pytest.mark.parametrize(
    ("names", "has"), [((), "no files"), (("valid.txt", "a.md"), r"a\.md, valid\.txt")]
)
def test_a_folder_without_text_to_learn_from(
    tmp_path: Path, names: tuple[str, ...], has: str
) -> None:
    with pytest.raises(InputError, match=rf"expected train\.txt, valid\.txt.*it has {has}"):
        read_source(folder(tmp_path / "set", *names))


def test_a_file_may_have_a_mark_and_any_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "any.name"
    path.write_bytes(b"\xef\xbb\xbfa\r\nb\rc\nd")
    assert read_source(path) == TextSource("a\nb\nc\nd\n")


def test_bytes_of_another_encoding_are_found(tmp_path: Path) -> None:
    path = folder(tmp_path / "set", "train.txt", "valid.txt")
    (path / "valid.txt").write_bytes("good\nalso good\ncafé\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"valid\.txt is not UTF-8 text: line 3 .*0xe9"):
        read_source(path)


def test_pydoc_is_on_every_machine() -> None:
    found = read_source("pydoc")
    parts = [found.train, found.validation or "", found.test or ""]
    assert [len(part) > 10_000 for part in parts] == [True] * 3
    assert len(parts[0]) > 3 * len(parts[1] + parts[2])
    lines = [{line for line in part.splitlines() if len(line) > 80} for part in parts]
    assert not lines[0] & (lines[1] | lines[2])
    assert found.least == 3


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict:
    """What the hub has, by (name, configuration): parts and their columns."""
    sets: dict = {}

    def load_dataset(name: str, config: str | None = None) -> datasets.DatasetDict:
        files = {}
        for part, columns in sets[name, config].items():
            files[part] = str(tmp_path / f"{part}.parquet")
            datasets.Dataset.from_dict(columns).to_parquet(files[part])
        return real("parquet", data_files=files, cache_dir=str(tmp_path / "cache"))

    real = datasets.load_dataset
    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    return sets


def test_each_row_of_a_hub_data_set_is_a_line(hub: dict) -> None:
    rows = {"text": ["", " = Title = \n", "a b", None], "id": ["w", "x", "y", "z"]}
    hub["me/words", None] = {"train": rows, "validation": {"text": ["c"], "id": ["v"]}}
    assert read_source("me/words") == TextSource("\n = Title = \na b\n\n", "c\n")


def test_a_configuration_and_the_only_column_of_strings(hub: dict) -> None:
    parts = {part: {"number": [1], "sentence": [part]} for part in ("train", "dev", "test")}
    hub["me/words", "small"] = parts
    assert read_source("me/words:small") == TextSource("train\n", "dev\n", "test\n")


def test_which_column_is_the_text_must_be_clear(hub: dict) -> None:
    hub["me/words", None] = {"train": {"question": ["a"], "answer": ["b"]}}
    with pytest.raises(InputError, match=r"me/words \(train\).*it has question, answer"):
        read_source("me/words")


def test_a_hub_data_set_needs_a_training_part(hub: dict) -> None:
    hub["me/words", "small"] = {"test": {"text": ["a"]}}
    with pytest.raises(InputError, match="me/words:small has no train split; it has test"):
        read_source("me/words:small")


def test_what_is_nowhere_is_refused(hub: dict, tmp_path: Path) -> None:
    path = tmp_path / "absent.txt"
    with pytest.raises(InputError, match=r"no file or folder .*absent\.txt.*give a path"):
        read_source(path)
