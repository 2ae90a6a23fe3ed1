"""The addresses of databases, how one is opened, and what may go wrong.

The address of a file is made and taken apart here alone, by SQLAlchemy: a `?` or a `%` in the name
of a folder means something else in an address. `journal:///FILE` is Optuna's journal: a text file
to which every process appends, also where a file system of a network keeps SQLite from locking.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import optuna
from optuna.exceptions import StorageInternalError
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from naokit.base import InputError
from naokit.files import check_regular
from naokit.study.journal import open_journal

EXPECTED = (
    "expected sqlite:///FILE, journal:///FILE or, for instance, postgresql+psycopg://USER@HOST/NAME"
)
_JOURNAL = "journal"

_OPTIONS = {"cached_statements", "check_same_thread", "detect_types", "isolation_level", "timeout"}
"""What the address of a SQLite file may say besides (SQLAlchemy); anything else it ignores."""

_NAMES_A_FILE = bytes.fromhex("d9d505f920a163d7")
"""End of a SQLite journal that names another file: undoing the journal deletes that one."""


def address_of(file: Path) -> str:
    """The address of a SQLite file; raises InputError if its name is no text."""
    try:
        return URL.create("sqlite", database=str(file)).render_as_string(hide_password=False)
    except UnicodeEncodeError as error:
        raise InputError(
            f"{os.fsencode(file)!r} is no text and cannot be the name of a database: choose "
            "another `folder`"
        ) from error


def moved(address: str, file: Path) -> str:
    """The address of the same database in a file of another name."""
    return _url(address).set(database=str(file)).render_as_string(hide_password=False)


def file_of(address: str) -> Path | None:
    """The file of a SQLite or journal address; None for another database, or one without a file."""
    url = _url(address)
    if url.get_backend_name() not in ("sqlite", _JOURNAL) or "uri" in url.query:
        return None
    return None if url.database in (None, "", ":memory:") else Path(str(url.database))


def shown(address: str) -> str:
    """The address without passwords, to be shown or stored where others may read it."""
    url = _url(address)
    query = {name: "***" if "password" in name else value for name, value in url.query.items()}
    return url.set(query=query).render_as_string(hide_password=True)


def has_password(address: str) -> bool:
    """Whether an address holds a password, which must not be stored."""
    return _without_password(address) != _url(address)


def same_place(one: str, other: str) -> bool:
    """Whether two addresses lead to one database, whatever their passwords."""
    files = [file_of(address) for address in (one, other)]
    if files[0] is not None and files[1] is not None:
        return files[0].resolve() == files[1].resolve()
    return _without_password(one) == _without_password(other)


def open_storage(storage: str | None) -> optuna.storages.BaseStorage:
    """Opens a storage; the folder of a SQLite file is made."""
    if storage is None:
        return optuna.storages.get_storage(None)
    url, file = _url(storage), file_of(storage)
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
    try:
        return _opened(url)
    except DBAPIError:
        time.sleep(1)  # another process is making the tables at this moment
        return _opened(url)


def open_for_reading(storage: str) -> optuna.storages.BaseStorage:
    """Opens an existing storage for reading: no file, folder or table is made."""
    url, file = _url(storage), file_of(storage)
    if file is not None:
        if not file.exists():
            raise InputError(f"there is no study at {file}")
        check_regular(file)
        if url.get_backend_name() == _JOURNAL:
            return _opened(url, reading=True)
        query = {**_way_of_reading(file), "uri": "true"}
        url = URL.create("sqlite", database=file.absolute().as_uri(), query=query)
    return _opened(url, reading=True)


def check_own(file: Path) -> None:
    """Raises InputError if opening a database in a folder would touch other files than its own.

    A folder may be a stranger's, with links in the place of the database or of the files that
    SQLite keeps beside it, or with a journal that names a file to delete.
    """
    for path in (file, *_beside(file)):
        if os.path.lexists(path) and not stat.S_ISREG(path.lstat().st_mode):
            raise InputError(
                f"{path} is no regular file but leads elsewhere; if you trust it, give "
                f"`storage={address_of(file.resolve())}`"
            )
    journal = _beside(file)[0]
    if os.path.lexists(journal) and _end(journal, len(_NAMES_A_FILE)) == _NAMES_A_FILE:
        raise InputError(
            f"{journal} names another file, which SQLite would delete: no study of naokit has such "
            f"a journal; remove it if you trust {file} without it"
        )


@contextmanager
def damage(name: str | None) -> Iterator[None]:
    """Turns what reading a damaged study raises into one line."""
    try:
        yield
    except InputError:
        raise
    except (
        ArithmeticError,
        AssertionError,
        AttributeError,
        LookupError,
        RuntimeError,
        TypeError,
        ValueError,
    ) as error:
        reason = (" ".join(str(error).split()) or type(error).__name__)[:300]
        raise InputError(
            f"the study {name} cannot be read ({reason}): it is damaged, or another version made "
            "it; restore a copy, or begin another one"
        ) from error


@contextmanager
def storage_errors(name: str | None) -> Iterator[None]:
    """Turns what a database raises into one line."""
    try:
        yield
    except (StorageInternalError, SQLAlchemyError, OSError, ImportError) as error:
        cause = error.__cause__ or error
        reason = (str(cause).strip() or type(cause).__name__).splitlines()[0]
        raise InputError(
            f"the study {name} cannot be read or written ({reason}); check the address, the "
            "permissions and the free space, then run the same again: what is stored is kept"
        ) from error


def _url(address: str) -> URL:
    """The parts of an address; raises InputError if it has none, or would lose some."""
    try:
        url = make_url(address)
    except (ArgumentError, ValueError) as error:  # ValueError: a port that is no number
        where = str(address).rpartition("@")[2]  # never a password
        raise InputError(f"{where!r} is no address of a database; {EXPECTED}") from error
    lost = "uri" not in url.query and not url.query.keys() <= _OPTIONS
    if (
        url.get_backend_name() in ("sqlite", _JOURNAL)
        and "?" in address
        and (lost or not url.query)
    ):
        raise InputError(
            f"in {address} the ? ends the name of the file; write %3F for one that belongs to it"
        )
    return url


def _without_password(address: str) -> URL:
    url = _url(address)
    query = {name: value for name, value in url.query.items() if "password" not in name}
    return URL.create(url.drivername, url.username, None, url.host, url.port, url.database, query)


def _opened(url: URL, *, reading: bool = False) -> optuna.storages.BaseStorage:
    """Optuna's storage at an address, which it takes as text with braces for a version."""
    if url.get_backend_name() == _JOURNAL:
        if not url.database:
            raise InputError(f"{url} names no file; {EXPECTED}")
        return optuna.storages.JournalStorage(open_journal(Path(url.database), reading=reading))
    address = url.render_as_string(hide_password=False)
    rdb = optuna.storages.RDBStorage(address, skip_table_creation=reading)
    return optuna.storages.get_storage(rdb)


def _way_of_reading(file: Path) -> dict[str, str]:
    """How SQLite opens a file so that nothing is made.

    What a killed process left half written is undone first, which has to write; and a file of the
    kind that needs others beside it (WAL) is read without them where there are none.
    """
    if any(path.exists() for path in _beside(file)):
        return {"mode": "rw"}
    with file.open("rb") as opened:
        write_ahead = opened.read(20)[18:] == b"\x02\x02"
    return {"immutable": "1"} if write_ahead else {"mode": "ro"}


def _end(file: Path, size: int) -> bytes:
    """The last bytes of a file."""
    with file.open("rb") as opened:
        opened.seek(max(0, opened.seek(0, os.SEEK_END) - size))
        return opened.read(size)


def _beside(file: Path) -> list[Path]:
    """The files that are beside a database while it is written; SQLite's journal first."""
    return [file.with_name(file.name + end) for end in ("-journal", "-wal", "-shm", ".lock")]
