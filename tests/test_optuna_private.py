"""What naokit uses of Optuna that is not public, since there is no public way.

Checked with Optuna 5.0.0: `fail_stale_trials` only fails trials, and a sampler gets frozen trials,
to which nothing can be written. Optuna's own samplers use the same members. Where a newer Optuna
lacks one, this says which; the files named here are the only ones that use any.
"""

import inspect
import re
from pathlib import Path

import optuna
import pytest
from optuna.samplers import _base
from optuna.storages import BaseStorage, InMemoryStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend

import naokit

FILES = {"study/heartbeat.py", "study/patience.py", "optuna_sampler/sampler.py"}
PRIVATE = re.compile(
    r"from optuna[\w.]*\._|\b_backend\b|_get_stale_trial_ids|\._(storage|study_id|trial_id)\b"
)


@pytest.fixture
def storage(tmp_path: Path) -> BaseStorage:
    return optuna.storages.get_storage(f"sqlite:///{tmp_path}/study.db")


def test_signs_of_life_are_behind_the_storage_that_remembers(storage: BaseStorage) -> None:
    backend = storage._backend
    assert isinstance(backend, RDBStorage)
    assert {"heartbeat_interval", "grace_period"} <= vars(backend).keys()
    study = optuna.create_study(storage=storage)
    backend.heartbeat_interval = 60
    assert storage._get_stale_trial_ids(study._study_id) == []


def test_a_journal_says_what_it_is_kept_in(tmp_path: Path) -> None:
    backend = JournalFileBackend(f"{tmp_path}/study.log")
    assert optuna.storages.JournalStorage(backend)._backend is backend


def test_a_sampler_writes_by_the_storage() -> None:
    study = optuna.create_study()
    assert isinstance(study._storage, InMemoryStorage)
    study._storage.set_trial_system_attr(study.ask()._trial_id, "name", "value")
    assert study.trials[0].system_attrs["name"] == "value"
    asked = list(inspect.signature(_base._process_constraints_after_trial).parameters)
    assert asked == ["constraints_func", "study", "trial", "state"]


def test_no_other_file_uses_private_members() -> None:
    source = Path(naokit.__file__).parent
    mine = re.compile(r"self\._(storage|backend)")  # a name of our own
    found = {
        str(file.relative_to(source))
        for file in source.rglob("*.py")
        if PRIVATE.search(mine.sub("", file.read_text()))
    }
    assert found == FILES
