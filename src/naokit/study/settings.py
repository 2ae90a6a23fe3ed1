"""What a study was made with and where it ran: recorded, and compared when it is resumed."""

from __future__ import annotations

import importlib.metadata
import platform
import time
from collections.abc import Iterator, Mapping, Sequence

import optuna

from naokit.base import InputError, Json
from naokit.doors import Evaluator
from naokit.spaces import without_folder
from naokit.study.stored import SETTINGS, Stored
from naokit.version import __version__

FORMAT = 1
"""The version of what the attributes of a study hold."""

ENVIRONMENTS = "environments"
"""The study's attribute that holds the versions and machines of its processes."""

START = "start"
"""The study's attribute that holds the genotypes to evaluate first."""


def environment() -> dict[str, Json]:
    """The versions and the machine that results may depend on."""
    names = ("numpy", "optuna", "torch")
    versions = {name: importlib.metadata.version(name) for name in names}
    own = {"python": platform.python_version(), "naokit": __version__}
    return {
        "versions": own | versions,
        "machine": f"{platform.system()} {platform.machine()}",
    }


def record_environment(study: optuna.Study) -> None:
    """Adds this machine and these versions if they are new to the study."""
    known = study.user_attrs.get(ENVIRONMENTS, [])
    if environment() not in known:
        study.set_user_attr(ENVIRONMENTS, [*known, environment()])


def name_objectives(stored: Stored, names: Sequence[str]) -> None:
    """Names the objectives for optuna-dashboard; `set_metric_names` would warn of an experiment."""
    stored.storage.set_study_system_attr(stored.id, "study:metric_names", list(names))


def refuse_differences(name: str, recorded: Mapping[str, Json], wanted: Mapping[str, Json]) -> None:
    """Raises InputError that says which settings differ and how to go on."""
    differences = list(_differences("", recorded, wanted))
    if differences:
        raise InputError(
            f"the study {name} was made with other settings: {'; '.join(differences)}. "
            "Use those to continue it, or another `name` to start a new one"
        )


def _differences(path: str, recorded: Json, wanted: Json) -> Iterator[str]:
    if isinstance(recorded, Mapping) and isinstance(wanted, Mapping):
        for key in dict.fromkeys([*recorded, *wanted]):
            yield from _differences(f"{path}.{key}", recorded.get(key), wanted.get(key))
    elif recorded != wanted:
        yield f"{path.strip('.')} was {recorded}, now {wanted}"


def await_settings(study: optuna.Study, seconds: float = 5.0) -> None:
    """Waits for the settings that another process writes a moment after it makes the study."""
    until = time.monotonic() + seconds
    while SETTINGS not in study.user_attrs and time.monotonic() < until:
        time.sleep(0.02)


def check_settings(study: optuna.Study, wanted: Mapping[str, Json]) -> None:
    """Raises InputError where a stored study is not the one that is wanted."""
    recorded = study.user_attrs.get(SETTINGS)
    if recorded is None:
        raise InputError(
            f"the study {study.study_name} was not made by naokit; choose another name"
        )
    if recorded["format"] != FORMAT:
        raise InputError(
            f"the study {study.study_name} has format {recorded['format']}, this naokit reads "
            f"{FORMAT}: use the naokit that made it, or start a new study"
        )
    refuse_differences(
        study.study_name,
        {key: recorded.get(key) for key in wanted} | {"space": without_folder(recorded["space"])},
        {**wanted, "space": without_folder(wanted["space"])},
    )


def record_evaluator(
    study: optuna.Study,
    evaluator: Evaluator,
    found: Mapping[str, Json],
    evaluations: int | None,
) -> None:
    """Records the evaluator's settings (`found`) and the budget, each where there is none yet.

    Raises:
        InputError: The study was begun with an evaluator of other settings.
    """
    settings = study.user_attrs[SETTINGS]
    if evaluator.direction != settings["direction"]:
        raise InputError(
            f"the study is to {settings['direction']}, but {evaluator.metric} is to "
            f"{evaluator.direction}: create the study with direction={evaluator.direction!r}"
        )
    if settings["evaluator"] is None or settings["evaluations"] is None:
        settings["evaluator"] = settings["evaluator"] or found
        settings["evaluations"] = settings["evaluations"] or evaluations
        study.set_user_attr(SETTINGS, settings)
    recorded = {**settings["evaluator"], "source": found.get("source")}  # data may move
    refuse_differences(study.study_name, {"evaluator": recorded}, {"evaluator": {**found}})


def check_start(study: optuna.Study, texts: Sequence[str]) -> None:
    """Records what is evaluated first, or raises InputError where it was something else."""
    recorded = study.user_attrs.get(START)
    if recorded is None and not study.get_trials(deepcopy=False):
        study.set_user_attr(START, list(texts))
    elif recorded is not None and recorded != list(texts):
        raise InputError(
            f"the study {study.study_name} was begun with `start` and {len(recorded)} "
            f"architectures, now it is given {len(texts)}, not the same: give those to continue it "
            f"(the study's attribute {START!r} has them), or another `name` to start a new one"
        )
