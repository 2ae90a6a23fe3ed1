"""Studies that are not opened, or not as they were asked for: one line says why."""

from pathlib import Path

import optuna
import pytest
from tests.study.shared_studies import SPACE, study_of

from naokit.base import InputError
from naokit.doors import Evaluator, Result
from naokit.space import Architecture
from naokit.spaces import ConvCells
from naokit.study import create_study, open_study


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"method": "random"}, "method was evolution, now random"),
        ({"seed": 2}, "seed was 1, now 2"),
        ({"direction": "minimize"}, "direction was maximize, now minimize"),
    ],
)
def test_another_setting_is_refused_with_the_difference(tmp_path, change, message) -> None:
    study_of(tmp_path)
    with pytest.raises(InputError, match=message):
        study_of(tmp_path, **change)


def test_another_space_or_evaluator_is_refused(tmp_path: Path) -> None:
    storage = f"sqlite:///{tmp_path}/s.db"
    create_study(SPACE, storage=storage, name="s").optimize(_with({"epochs": 3}), 2)
    with pytest.raises(InputError, match=r"space\.nodes was 1, now 2"):
        create_study(ConvCells.small(nodes=2), storage=storage, name="s")
    with pytest.raises(InputError, match=r"evaluator\.epochs was 3, now 4"):
        create_study(SPACE, storage=storage, name="s").optimize(_with({"epochs": 4}), 3)


def _with(settings: dict) -> Evaluator:
    class Fixed(Evaluator):
        def evaluate(self, architecture: Architecture, seed: int) -> Result:
            return Result(1.0)

        def settings(self) -> dict:
            return settings

    return Fixed()


def test_a_newer_format_and_a_foreign_study_are_refused(tmp_path: Path) -> None:
    study = study_of(tmp_path)
    study.optuna.set_user_attr("naokit", {**study.settings, "format": 99})
    with pytest.raises(InputError, match="has format 99"):
        study_of(tmp_path)
    optuna.create_study(storage=f"sqlite:///{tmp_path}/new/s.db", study_name="foreign")
    with pytest.raises(InputError, match="was not made by naokit"):
        study_of(tmp_path, "foreign")


@pytest.mark.parametrize(
    ("storage", "message"),
    [("nonsense://x", "cannot be read or written"), ("sqlite:////proc/no/s.db", "cannot be")],
)
def test_a_storage_that_does_not_open_is_one_line(storage: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        create_study(SPACE, storage=storage)
    assert "\n" not in str(caught.value)


def test_a_damaged_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "s.db").write_bytes(b"not a database" * 100)
    with pytest.raises(InputError, match="not a database"):
        create_study(SPACE, storage=f"sqlite:///{tmp_path}/s.db")


def test_reading_needs_a_study(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no study at"):
        open_study(SPACE, f"sqlite:///{tmp_path}/none.db", "s")
    study_of(tmp_path)
    with pytest.raises(InputError, match="holds no study named other"):
        open_study(SPACE, f"sqlite:///{tmp_path}/new/s.db", "other")
    with pytest.raises(InputError, match="no finished evaluation yet"):
        _ = open_study(SPACE, f"sqlite:///{tmp_path}/new/s.db", "s").best
