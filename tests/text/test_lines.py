"""Texts in any packing and encoding, with any line ends."""

import bz2
import gzip
import lzma
import os
from pathlib import Path

import numpy as np
import pytest

from naokit.base import InputError
from naokit.text import lines
from naokit.text.data import load_text
from naokit.text.lines import read_text

PROSE = "the café sat\non the mat\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz", "a"])
def test_an_encoding_is_told_by_its_mark_and_a_gzip_by_its_first_bytes(
    tmp_path: Path, encoding: str, packed: bool, name: str
) -> None:
    content = PROSE.encode(encoding)
    (tmp_path / name).write_bytes(gzip.compress(content, mtime=0) if packed else content)
    assert read_text(tmp_path / name) == (PROSE, ())


def test_big_endian(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\xfe\xff" + PROSE.encode("utf-16-be"))
    assert read_text(tmp_path / "a")[0] == PROSE


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("other", ["\u2028", "\u2029", "\x85", "\f", "\v", "\x1c", "\x1e"])
def test_other_separators_are_white_space_but_where_they_are_the_only_ones(
    tmp_path: Path, end: str, other: str
) -> None:
    mixed, alone = tmp_path / "mixed.txt", tmp_path / "alone.txt"
    mixed.write_bytes(f"a b{other}c{end}d".encode())
    alone.write_bytes(f"a b{other}c{other}d{end}".encode())
    assert read_text(mixed) == (f"a b{other}c\nd\n", ())
    read, (remark,) = read_text(alone)
    assert read == "a b\nc\nd\n"
    assert f"U+{ord(other):04X}" in remark
    assert load_text(mixed).vocabulary.decode(load_text(mixed).train) == "a b c\n"
    assert load_text(alone).remarks[0] == remark


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("café\nau lait\n".encode("latin-1"), "not UTF-8 text: line 1 has .*0xe9.*latin1"),
        ("smart \u201cquotes\u201d\n".encode("cp1252"), "not UTF-8 text: line 1 has the byte 0x93"),
        (b"a\nb\0c\n", "line 2 has a NUL"),
        ("a\nb\n".encode("utf-16-le"), "has a NUL; if it is UTF-16 without a mark"),
        (b"\xff\xfea", "begins as utf-16 but is not"),
        (gzip.compress(PROSE.encode(), mtime=0)[:-9], "is a damaged gzip file"),
        (b"\x1f\x8bnothing of the kind", "is a damaged gzip file"),
        (bz2.compress(b"a\nb\n"), "is no text but bzip2"),
        (lzma.compress(b"a\nb\n"), "is no text but xz"),
        (b"PK\x03\x04...", "is no text but zip"),
        (b"PAR1...", "is no text but parquet"),
        (b"", "holds no text"),
        (b"\xef\xbb\xbf", "holds no text"),
        (gzip.compress(b"", mtime=0), "holds no text"),
        (b" \n\n", "holds no text"),
        (b"one line", "one line of text"),
    ],
)
def test_what_is_no_text_is_refused_in_one_line(
    tmp_path: Path, content: bytes, message: str
) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        load_text(tmp_path / "a.txt")
    assert "\n" not in str(caught.value)


def test_a_bomb_is_refused(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(lines, "LEAST_LIMIT", 1000)
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"a\n" * 100_000, mtime=0))
    with pytest.raises(InputError, match="unpacks to more than"):
        read_text(tmp_path / "a.gz")


def test_a_pipe_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "train.txt")
    for path in (tmp_path, tmp_path / "train.txt"):
        with pytest.raises(InputError, match="is no regular file"):
            load_text(path)


@pytest.mark.parametrize("seed", range(60))
def test_any_bytes_are_read_or_refused_in_words(tmp_path: Path, seed: int) -> None:
    generator = np.random.default_rng(seed)
    begins = [b"", b"\x1f\x8b\x08", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"a\nb\n"]
    content = generator.integers(0, 256 if seed % 2 else 128, 40, dtype=np.uint8).tobytes()
    (tmp_path / "a").write_bytes(begins[seed % 6] + content.replace(b"\0", b" " * (seed % 4 > 0)))
    try:
        read, _ = read_text(tmp_path / "a")
    except InputError:
        return
    assert read == "" or read.endswith("\n")
    assert not {"\0", "\r"} & {*read}


@pytest.mark.parametrize("given", [None, 3])
def test_what_is_neither_a_name_nor_a_text_is_named(given: object) -> None:
    with pytest.raises(InputError, match=f"`data` is {given}; expected a name or a path, or a"):
        load_text(given)
