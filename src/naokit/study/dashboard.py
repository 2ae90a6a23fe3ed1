"""Pictures of the architectures for optuna-dashboard: the note of each trial shows its own.

The pictures are files; the attributes of the study say which trial has which, in the way in which
optuna-dashboard (0.21) keeps notes and artifacts. Optuna's own `upload_artifact` refuses trials
that have ended, and a note shows neither SVG nor a `data:` address.
"""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Iterable
from pathlib import Path

import optuna

from naokit.doors import Trial
from naokit.files import write_whole
from naokit.study.storage import damage, file_of, open_storage, shown, storage_errors
from naokit.study.stored import Stored


def draw_trials(storage: str, name: str, trials: Iterable[Trial], folder: Path) -> int:
    """Gives each trial a note with the picture of its architecture.

    A trial that has a note already keeps it.

    Args:
        storage: The address of the study's storage.
        name: The name of the study.
        trials: The trials.
        folder: The folder of the pictures: what `optuna-dashboard --artifact-dir` is given.

    Returns:
        How many trials were given one.

    Raises:
        InputError: The study or the folder cannot be written.
    """
    with storage_errors(shown(storage)), damage(shown(storage)):
        database = open_storage(storage)
        stored = Stored(optuna.load_study(storage=database, study_name=name), database)
        noted, drawn = database.get_study_system_attrs(stored.id), 0
        for trial in trials:
            number = database.get_trial_id_from_study_id_trial_number(stored.id, trial.number)
            if f"dashboard:{number}:note_ver" not in noted:
                _note(stored, number, _picture(trial, folder))
                drawn += 1
    return drawn


def command(storage: str, folder: Path) -> str:
    """The command, for a shell, that opens a study with its pictures; without a password."""
    file = file_of(storage)
    journal = file is not None and storage.startswith("journal:")  # no address of optuna-dashboard
    place = str(file) if journal else shown(storage)
    return shlex.join(["optuna-dashboard", place, "--artifact-dir", str(folder)])


def _picture(trial: Trial, folder: Path) -> str:
    """The name of the file that shows a trial's architecture, which equal ones share."""
    content = trial.architecture._repr_svg_()
    name = hashlib.blake2b(content.encode(), digest_size=16).hexdigest()
    if not (folder / name).exists():
        write_whole(folder / name, content)
    return name


def _note(stored: Stored, number: int, picture: str) -> None:
    """Writes a note that shows a picture."""
    artifact = {
        "artifact_id": picture,
        "filename": "architecture.svg",
        "mimetype": "image/svg+xml",
        "encoding": None,
    }
    attributes: dict[str, str | int] = {
        f"dashboard:artifacts:{number}:{picture}": json.dumps(artifact),
        f"dashboard:{number}:note_str:0": (
            f"![architecture](/artifacts/{stored.id}/{number}/{picture})"
        ),
        f"dashboard:{number}:note_ver": 1,  # the last: a trial that has it is done
    }
    for key, value in attributes.items():
        stored.storage.set_study_system_attr(stored.id, key, value)
