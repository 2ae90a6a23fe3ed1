"""Pictures that are not decoded yet, by row: files, rows of parquet files, rows of a hub table."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from naokit.base import InputError
from naokit.files import check_fits
from naokit.images.pictures.decoding import NamedPicture


class EncodedPictures(Protocol):
    """Encoded pictures, read one at a time and by several processes at once.

    Attributes:
        name: The name of the pictures in a message.
        key: The name of their content in the cache. If None, nothing is cached.
    """

    name: str
    key: str | None

    def __len__(self) -> int: ...

    def __getitem__(self, row: int) -> NamedPicture: ...


class PictureFiles:
    """Picture files below a folder.

    Args:
        root: The folder.
        names: The names of the files, relative to the folder.
    """

    def __init__(self, root: Path, names: Sequence[str]) -> None:
        self.name, self.root = str(root), root
        # One array: a million strings would be copied, one by one, by each worker that reads them.
        self.names = np.array([os.fsencode(name) for name in names])
        self.key: str | None = digest_of_lines([str(root.resolve()), *_stamps(root, names)])

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, row: int) -> NamedPicture:
        path = self.root / os.fsdecode(bytes(self.names[row]))
        return os.fsencode(path).decode(errors="backslashreplace"), path


class ParquetRows:
    """Rows of parquet files in the hub's schema; a row group is read where a row of it is asked.

    Args:
        name: The name of the pictures in a message.
        files: The files, in order.
        column: The column of the pictures.
    """

    def __init__(self, name: str, files: Sequence[Path], column: str) -> None:
        self.name, self.files, self.column = name, tuple(files), column
        self.stamps = file_stamps(files)
        self.key: str | None = digest_of_lines([column, *self.stamps])
        opened = (_parquet_file(*file) for file in zip(self.files, self.stamps, strict=True))
        counts = [
            (file, group, _rows(self.files[file], metadata.row_group(group)))
            for file, metadata in enumerate(parquet.metadata for parquet in opened)
            for group in range(metadata.num_row_groups)
        ]
        self.groups = [(file, group) for file, group, _ in counts]
        self.ends = np.cumsum([rows for *_, rows in counts], dtype=np.int64)
        self._last: tuple[int, Any] = (-1, None)

    def __len__(self) -> int:
        return int(self.ends[-1]) if len(self.ends) else 0

    def __getitem__(self, row: int) -> NamedPicture:
        group = int(np.searchsorted(self.ends, row, side="right"))
        if self._last[0] != group:
            self._last = (group, self._read(*self.groups[group]))
        start = int(self.ends[group - 1]) if group else 0
        return f"{self.name}, row {row}", _content(self._last[1][int(row) - start].as_py())

    def _read(self, file: int, group: int) -> Any:
        """The column's values in a row group."""
        path = self.files[file]
        try:
            # Not in threads: a forked worker has none of its parent's.
            table = _parquet_file(path, self.stamps[file]).read_row_group(
                group, columns=[self.column], use_threads=False
            )
        except Exception as error:  # pyarrow raises many kinds
            reason = str(error).splitlines()[0]
            raise InputError(
                f"{path}: row group {group} cannot be read ({reason}); fetch the file again"
            ) from error
        return table[self.column]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_last": (-1, None)}


def _rows(path: Path, group: Any) -> int:
    """The number of rows of a row group; raises InputError where it would not fit the memory."""
    check_fits(path, group.total_byte_size, "write it in smaller row groups")
    rows: int = group.num_rows
    return rows


class TableRows:
    """Rows of a table of `datasets`, which maps its files to memory.

    Args:
        name: The name of the pictures in a message.
        table: A `datasets.Dataset`.
        column: The column of the pictures.
    """

    def __init__(self, name: str, table: Any, column: str) -> None:
        import datasets

        encoded = table.select_columns([column])
        self.table = encoded.cast_column(column, datasets.Image(decode=False))
        self.name, self.column = name, column
        files = [Path(file["filename"]) for file in table.cache_files]
        self.key = digest_of_lines([column, *file_stamps(files)]) if files else None

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, row: int) -> NamedPicture:
        return f"{self.name}, row {row}", _content(self.table[int(row)][self.column])


def digest_of_lines(lines: Iterable[str]) -> str:
    """A short name for some lines of text."""
    return hashlib.blake2b(
        "\n".join(lines).encode(errors="surrogateescape"), digest_size=12
    ).hexdigest()


def file_stamps(files: Iterable[Path]) -> list[str]:
    """Path, size and time of change of each file."""
    return [f"{f.resolve()} {f.stat().st_size} {f.stat().st_mtime_ns}" for f in files]


def _stamps(root: Path, names: Iterable[str]) -> Iterable[str]:
    for name in names:
        try:
            found = os.stat(root / name)  # noqa: PTH116  a million of them
        except OSError:  # a link to nowhere is complained of where it is decoded
            yield f"{name} absent"
        else:
            yield f"{name} {found.st_size} {found.st_mtime_ns}"


def _content(value: Any) -> bytes | str | None:
    """The bytes or the path in a row, which may be a struct of both."""
    if isinstance(value, dict):
        return value.get("bytes") or value.get("path")
    found: bytes | str | None = value
    return found


@lru_cache(maxsize=64)
def _parquet_file(path: Path, stamp: str) -> Any:
    """An open parquet file; reads are by position, so that forked workers may share it."""
    del stamp  # a file of the same name that was changed is another
    from pyarrow.parquet import ParquetFile  # type: ignore[import-untyped]

    return ParquetFile(path)
