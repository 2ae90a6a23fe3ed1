"""Studies that are not opened, or not as they were asked for: one line says why."""

from pathlib import Path

import numpy as np
import optuna
import pytest
from tests.study.shared_studies import SPACE, study_of

from naokit.base import InputError
from naokit.doors import Evaluator, Result
from naokit.evaluators.function import Function
from naokit.space import Architecture, Space
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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"space": "conv-small"}, r"`space` is 'conv-small'; expected .*spaces\.load"),
        ({"space": ConvCells}, "`space` is <class"),
        ({"seed": None}, "`seed` is None; expected a whole number"),
        ({"seed": 1.5}, r"`seed` is 1\.5; expected"),
        ({"evaluations": -1}, "`evaluations` is -1; expected a whole number, 0 or more"),
        ({"direction": "max"}, "'max'; expected maximize or minimize"),
        ({"objectives": "accuracy"}, r"`objectives` is 'accuracy'; .* such as \['accuracy'\]"),
        ({"limits": "macs<=3e6"}, "`limits` is 'macs<=3e6'; expected a list"),
        ({"storage": Path("s.db")}, "'s.db' is no address of a database; expected sqlite:///"),
        ({"method": None}, "`method` is None; expected a name"),
        ({"method": optuna.samplers.TPESampler}, "`method` is <class"),
        ({"pruner": 3}, "`pruner` is 3; expected one of asha"),
    ],
)
def test_an_argument_of_another_kind_is_named(arguments: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        create_study(**{"space": SPACE, **arguments})


def test_a_method_that_makes_none_is_named() -> None:
    def nothing(space: Space, seed: int, evaluations: int) -> None:
        return None

    with pytest.raises(InputError, match="`method` is of type function; expected a name"):
        create_study(SPACE, method=nothing).ask()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((None, 2), "`evaluator` is None; expected a naokit.Evaluator, or a function"),
        (("digits", 2), "`evaluator` is 'digits'"),
        ((Function, 2), "`evaluator` is <class"),
        ((len, -1), "`evaluations` is -1; expected a whole number, 0 or more"),
        ((len, "3"), "`evaluations` is '3'"),
    ],
)
def test_what_cannot_be_evaluated_leaves_no_trial(arguments: tuple, message: str) -> None:
    study = create_study(SPACE)
    with pytest.raises(InputError, match=message):
        study.optimize(*arguments)
    with pytest.raises(InputError, match=r"`workers` is 2; expected naokit.workers.Local\(2\)"):
        study.optimize(lambda architecture: 1.0, 1, workers=2)
    assert not study.optuna.trials


def test_only_architectures_are_told_and_given() -> None:
    study = create_study(SPACE)
    with pytest.raises(InputError, match=r"'0 0'; expected an architecture; `space.parse"):
        study.add("0 0", 1.0)
    with pytest.raises(InputError, match="expected an architecture"):
        study.enqueue([None])
    assert not study.optuna.trials


def test_numbers_of_numpy_are_numbers() -> None:
    study = create_study(SPACE, seed=np.int64(3), method="random")
    study.optimize(lambda architecture: np.float32(0.5), np.int64(2))
    assert (study.seed, study.evaluations) == (3, 2)
