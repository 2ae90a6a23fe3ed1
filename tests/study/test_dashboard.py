"""Pictures for optuna-dashboard, which was tried itself by hand; here, what it reads."""

import json
import re
from pathlib import Path

import optuna
import pytest

from naokit.base import InputError
from naokit.space import Architecture
from naokit.spaces import ConvCells
from naokit.study import Study, create_study
from naokit.study.dashboard import command, draw_trials


def score(architecture: Architecture) -> float:
    return float(len(architecture.key))


def searched(storage: str, evaluations: int) -> Study:
    """A study of so many evaluations."""
    study = create_study(ConvCells.small(nodes=1), storage=storage, name="search", method="random")
    study.optimize(score, evaluations)
    return study


def attributes(storage: str) -> dict[str, object]:
    """What the study holds for optuna-dashboard."""
    study = optuna.load_study(study_name="search", storage=storage)
    found = study._storage.get_study_system_attrs(study._study_id)
    return {name: value for name, value in found.items() if name.startswith("dashboard:")}


@pytest.mark.parametrize("scheme", ["sqlite", "journal"])
def test_each_note_shows_the_picture_of_its_trial(scheme: str, tmp_path: Path) -> None:
    storage, folder = f"{scheme}:///{tmp_path}/study", tmp_path / "drawings"
    study = searched(storage, 3)
    assert draw_trials(storage, "search", study.trials, folder) == 3
    database = storage
    if scheme == "journal":
        backend = optuna.storages.journal.JournalFileBackend(f"{tmp_path}/study")
        database = optuna.storages.JournalStorage(backend)
    found = attributes(database)
    for trial, frozen in zip(study.trials, study.optuna.trials, strict=True):
        number = frozen._trial_id
        text = str(found[f"dashboard:{number}:note_str:0"])
        match = re.fullmatch(r"!\[architecture\]\(/artifacts/(\d+)/(\d+)/([0-9a-f]+)\)", text)
        assert match is not None
        assert int(match[2]) == number
        artifact = json.loads(str(found[f"dashboard:artifacts:{number}:{match[3]}"]))
        assert artifact["mimetype"] == "image/svg+xml"
        assert (folder / match[3]).read_text() == trial.architecture._repr_svg_()


def test_only_what_is_new_is_drawn_and_a_note_of_ones_own_stays(tmp_path: Path) -> None:
    storage, folder = f"sqlite:///{tmp_path}/study.db", tmp_path / "drawings"
    study = searched(storage, 2)
    draw_trials(storage, "search", study.trials, folder)
    again = searched(storage, 4)
    number = again.optuna.trials[3]._trial_id
    again.optuna._storage.set_study_system_attr(
        again.optuna._study_id, f"dashboard:{number}:note_ver", 7
    )
    before = attributes(storage)
    assert draw_trials(storage, "search", again.trials, folder) == 1
    assert attributes(storage).items() > before.items()
    assert searched(storage, 5).evaluations == 5  # the study goes on


def test_equal_architectures_share_a_picture(tmp_path: Path) -> None:
    storage, folder = f"sqlite:///{tmp_path}/study.db", tmp_path / "drawings"
    study = searched(storage, 2)
    study.decide(score, 2)
    draw_trials(storage, "search", study.trials, folder)
    assert len(list(folder.iterdir())) == 2 < len(study.trials)


def test_a_study_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        draw_trials(f"sqlite:///{tmp_path}/study.db", "search", [], tmp_path)


def test_the_command_names_what_optuna_dashboard_opens(tmp_path: Path) -> None:
    folder = Path("a run") / "drawings"
    said = command("postgresql+psycopg://me:secret@server/cells", folder)
    assert said == (
        "optuna-dashboard 'postgresql+psycopg://me:***@server/cells' "
        "--artifact-dir 'a run/drawings'"
    )
    assert command("journal:////x/log", folder).startswith("optuna-dashboard /x/log ")
