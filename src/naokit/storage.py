"""Where studies lie: a database opened, and what it raises turned into one line."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import optuna
from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import SQLAlchemyError

from naokit.base import InputError


def open_storage(storage: str | None) -> optuna.storages.BaseStorage:
    """The storage; the folder of a SQLite file is made."""
    if storage is not None and storage.startswith("sqlite:///"):
        Path(storage.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    try:
        return optuna.storages.get_storage(storage)
    except SQLAlchemyError:
        time.sleep(1)  # another process is making the tables at this moment
        return optuna.storages.get_storage(storage)


@contextmanager
def storage_errors(name: str | None) -> Iterator[None]:
    """Turns what a database raises into one line."""
    try:
        yield
    except (StorageInternalError, SQLAlchemyError, OSError, ImportError) as error:
        cause = error.__cause__ or error
        reason = str(cause).strip().splitlines()[0]
        raise InputError(
            f"the study {name} cannot be read or written ({reason}); check the address, the "
            "permissions and the free space, then run the same again: what is stored is kept"
        ) from error
