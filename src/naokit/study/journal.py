"""Optuna's journal in a file, from which a line that a full disk cut short is taken out.

Every process appends lines to it, one after another. After a line without its end nothing that
follows could be read.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock


def open_journal(file: Path, *, reading: bool) -> JournalFileBackend:
    """The journal in a file, which is made where there is none; reading writes nothing."""
    # The other kind of lock is a link, which a killed process leaves leading nowhere.
    journal = _Journal(str(file), JournalFileOpenLock(str(file)))
    if not reading:
        _mend(file)
    return journal


class _Journal(JournalFileBackend):
    """The journal as Optuna keeps it; what could be written only in part is not there."""

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Appends these, or none of them where the disk is full."""
        try:
            super().append_logs(logs)
        except OSError:
            _mend(Path(self._file_path))
            raise


def _mend(file: Path) -> None:
    """Takes out a last line that does not end."""
    if _whole(file):
        return
    with _locked(file):
        if not _whole(file):  # else it was being written at that moment
            content = file.read_bytes()
            with file.open("r+b") as opened:
                opened.truncate(content.rfind(b"\n") + 1)


def _whole(file: Path) -> bool:
    """Whether the last line ends."""
    with file.open("rb") as opened:
        size = opened.seek(0, 2)
        opened.seek(max(0, size - 1))
        return size == 0 or opened.read() == b"\n"


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    lock = JournalFileOpenLock(str(file))
    lock.acquire()
    try:
        yield
    finally:
        lock.release()
