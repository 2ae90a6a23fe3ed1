r"""The text of a file: unpacked, decoded, its lines ended by line feeds.

UTF-8, with a mark or without, and UTF-16 and UTF-32 with one. `\n`, `\r\n` and `\r` end a line;
whatever else `str.splitlines` knows (form feeds, U+2028, U+0085 ...) is white space, but for a file
that has no other line ends.
"""

from __future__ import annotations

import codecs
import gzip
import io
import re
import zlib
from collections.abc import Mapping
from pathlib import Path

from naokit.base import InputError
from naokit.files import check_regular

MARKS: Mapping[bytes, str] = {  # UTF-32's begins as UTF-16's does
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
GZIP = b"\x1f\x8b"
PACKED: Mapping[bytes, str] = {
    b"PK\x03\x04": "zip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"PAR1": "parquet",
}
LARGEST_RATIO = 100
"""Text is packed to a third or a tenth of its size; what expands further than this is a bomb."""
LEAST_LIMIT = 64 * 2**20


def read_text(path: Path) -> tuple[str, tuple[str, ...]]:
    """The text of a file, its last line ended, and what there is to say of it.

    Raises:
        InputError: The file cannot be read, is packed other than by gzip, or is not text of a known
            encoding.
    """
    read = _decoded(path, _unpacked(path))
    if "\0" in read:
        line = read.count("\n", 0, read.index("\0")) + 1
        raise InputError(
            f"{path} is no text: line {line} has a NUL; if it is UTF-16 without a mark, convert it "
            "first (iconv -t utf-8 -f utf-16le)"
        )
    lines = ended(re.sub("\r\n?", "\n", read) if "\r" in read else read)
    if "\n" in lines[:-1] or len(others := lines.splitlines()) < 2:
        return lines, ()
    code = ord(lines[len(others[0])])
    remark = f"{path} has no line feeds: its lines end at U+{code:04X} and the like"
    return "\n".join(others) + "\n", (remark,)


def ended(text: str) -> str:
    """A text whose last line has its end."""
    return text if not text or text.endswith("\n") else text + "\n"


def _unpacked(path: Path) -> bytes:
    """The bytes of a file; unpacked where it is a gzip, under any name."""
    check_regular(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    for begin, kind in PACKED.items():
        if content.startswith(begin):
            raise InputError(f"{path} is no text but {kind}; unpack or convert it first")
    if not content.startswith(GZIP):
        return content
    limit = max(LEAST_LIMIT, LARGEST_RATIO * len(content))
    try:
        with gzip.open(io.BytesIO(content)) as file:
            unpacked = file.read(limit + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} is a damaged gzip file: {error}; fetch it again") from error
    if len(unpacked) > limit:
        raise InputError(f"{path} unpacks to more than {limit:,} bytes, too many for a text")
    return unpacked


def _decoded(path: Path, content: bytes) -> str:
    encoding = next((name for mark, name in MARKS.items() if content.startswith(mark)), "utf-8-sig")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8-sig":
            raise InputError(f"{path} begins as {encoding} but is not: {error.reason}") from None
        line = content[: error.start].count(b"\n") + 1
        raise InputError(
            f"{path} is not UTF-8 text: line {line} has the byte 0x{content[error.start]:02x}; "
            "convert it first (iconv -t utf-8 -f its-encoding, which is latin1 or cp1252 for many "
            "a Western text)"
        ) from None
