"""What a folder can hold: files, quickly enough, and a study that several processes write."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from naokit.runs.doctor.finding import Finding
from naokit.wording import first_line

if TYPE_CHECKING:
    from optuna.storages import RDBStorage

SIZE = 4 * 2**20
"""How many bytes are written."""
SLOW = 10 * 10**6
"""Bytes a second below which a training waits for its checkpoints."""
LITTLE = 10**9
"""Bytes of a disk that are few for a run."""
WAIT = 30.0
"""Seconds after which a lock that does not answer is broken."""
_ANOTHER_WRITER = """
import sqlite3, sys
sqlite3.connect(sys.argv[1], timeout=0).execute("BEGIN IMMEDIATE")
"""


def examine_folder(folder: Path) -> list[Finding]:
    """What a folder can hold, or the folder that it would be made in; nothing is left there."""
    there = next(one for one in _upwards(folder) if os.path.lexists(one))
    try:
        with tempfile.TemporaryDirectory(prefix=".naokit-doctor-", dir=there) as made:
            return [_space(there), _writing(Path(made), there), _study(Path(made), there)]
    except OSError as error:
        reason = error.strerror or str(error)
        text = f"{there} cannot be written ({reason}): make room or permission, or choose another"
        return [Finding("folder", "writing", "broken", f"{text} `folder`", {"folder": str(there)})]


def _upwards(folder: Path) -> Iterator[Path]:
    whole = folder.absolute()
    yield whole
    yield from whole.parents


def _space(there: Path) -> Finding:
    free = shutil.disk_usage(there).free
    text = f"{free / 1e9:,.1f} GB free in {there}"
    figures = {"folder": str(there), "free_bytes": free}
    if free < LITTLE:
        return Finding("folder", "space", "note", f"{text}: little for a run", figures)
    return Finding("folder", "space", "ok", text, figures)


def _writing(made: Path, there: Path) -> Finding:
    """How fast a file reaches the disk."""
    content = os.urandom(SIZE)  # which no file system makes smaller
    began = time.perf_counter()
    with (made / "file").open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    speed = SIZE / (time.perf_counter() - began)
    text, figures = f"{speed / 1e6:,.0f} MB/s", {"folder": str(there), "bytes_per_second": speed}
    if speed < SLOW:
        return Finding("folder", "writing", "note", f"{text}: checkpoints take long", figures)
    return Finding("folder", "writing", "ok", text, figures)


def _study(made: Path, there: Path) -> Finding:
    """Whether SQLite keeps a study here, and one process from writing while another does."""
    file = made / "study.db"
    figures = {"folder": str(there), "locks": False}
    try:
        _write_and_read(file)
        _lock(file)
    except Exception as error:  # noqa: BLE001  # whatever it is, it is the reason
        text = (
            f"SQLite keeps no study in {there} ({first_line(error)}), as on many file systems of a "
            "network: choose a `folder` on a disk of this machine, or `storage=journal:///FILE`"
        )
        return Finding("folder", "sqlite", "broken", text, figures)
    text = "a study is written, read and locked"
    return Finding("folder", "sqlite", "ok", text, figures | {"locks": True})


def _write_and_read(file: Path) -> None:
    """Makes a study of one trial and reads it again; raises RuntimeError if it is another one."""
    import optuna

    from naokit.study.storage import address_of

    address, value = address_of(file), 0.5
    with _silent(), _opened(address) as storage:
        study = optuna.create_study(storage=storage, study_name="doctor")
        study.tell(study.ask(), value)
    with _opened(address) as storage:
        if optuna.load_study(storage=storage, study_name="doctor").best_value != value:
            raise RuntimeError("what is read is not what was written")


@contextmanager
def _opened(address: str) -> Iterator[RDBStorage]:
    """A storage whose file is closed afterwards: no file system of a network removes open files."""
    import optuna

    storage = optuna.storages.RDBStorage(address)
    try:
        yield storage
    finally:
        storage.remove_session()
        storage.engine.dispose()


@contextmanager
def _silent() -> Iterator[None]:
    import optuna

    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(verbosity)


def _lock(file: Path) -> None:
    """Raises RuntimeError unless another process is kept from writing.

    A second connection of this process would not do: SQLite keeps those apart by itself.
    """
    command = [sys.executable, "-I", "-S", "-c", _ANOTHER_WRITER, str(file)]
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        try:
            other = subprocess.run(  # noqa: S603  # it runs the lines above
                command, check=False, capture_output=True, text=True, timeout=WAIT
            )
        except subprocess.TimeoutExpired:
            raise RuntimeError(f"a lock is not answered in {WAIT:g} s") from None
    if other.returncode == 0:
        raise RuntimeError("two processes write at once")
    if "locked" not in other.stderr:
        raise RuntimeError(other.stderr.strip().rpartition("\n")[2] or "another writer died")
