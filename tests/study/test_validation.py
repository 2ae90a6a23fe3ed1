"""Whatever was done to a study or to a run's settings, one line that names the file."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from naokit.base import InputError
from naokit.doors import Result
from naokit.runs import folder as run_folder
from naokit.runs.settings import read_settings, space_of, storage_of
from naokit.spaces import Choice, Choices
from naokit.study import create_study, open_study

SPACE = Choices("s", (Choice("a", (1, 2, 3)), Choice("b", (1, 2, 3))))
WRONG = (None, True, 5, -1.5, "", "x", "\ud800", [], [1], {}, {"x": 1}, 10**30)


def address(file: Path) -> str:
    return f"sqlite:///{file}"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A study of one objective and a limit."""
    file = tmp_path_factory.mktemp("whole") / "s.db"
    study = create_study(
        SPACE, storage=address(file), name="s", method="random", limits=["cost<=9"], seed=1
    )
    study.optimize(lambda a: Result(float(sum(a.choices)), {"cost": 1.0}, 0.5), 4)
    return file.read_bytes()


def said(file: Path) -> str:
    """What opening and reading it says; empty where it can be read."""
    try:
        study = open_study(SPACE, address(file), "s")
        assert all(trial.architecture.key for trial in study.trials)
        _ = (study.standings(), study.front(), study.evaluations, study.failed, study.goals)
        json.dumps([study.settings, study.optuna.user_attrs.get("environments", [])])
        _ = study.best
    except InputError as error:
        return str(error)
    return ""


def damaged(whole: bytes) -> Iterator[bytes]:
    generator = np.random.default_rng(0)
    used = np.flatnonzero(np.frombuffer(whole, np.uint8))
    for _ in range(40):
        content = bytearray(whole)
        for place in generator.choice(used, 12):
            content[place] = generator.integers(256)
        yield bytes(content)
    for _ in range(12):
        start = int(generator.choice(used))
        yield whole[:start] + bytes(300) + whole[start + 300 :]
    yield whole[:-1]
    for share in (0, 1, 50, 100, len(whole) // 2, len(whole) - 4096):
        yield whole[:share]


def test_a_damaged_study_is_said_in_a_line(whole: bytes, tmp_path: Path) -> None:
    lines = []
    for number, content in enumerate(damaged(whole)):
        file = tmp_path / f"{number}.db"
        file.write_bytes(content)
        lines.append((file, said(file)))
    refused = [(file, line) for file, line in lines if line]
    assert len(refused) > 10
    assert all("\n" not in line for _, line in refused)
    other = [line for file, line in refused if str(file) not in line]
    assert all("no finished evaluation" in line or "evaluation" in line for line in other), other


def changes() -> Iterator[tuple[str, str]]:
    """SQL that damages a value, and what."""
    for text in ("{", "[1, 2", "NaN", "\x00", "[" * 100_000, *map(json.dumps, WRONG)):
        for table in ("study_user_attributes", "trial_user_attributes"):
            yield f"update {table} set value_json = ?", text
    for name in ("choices", "origin", "text", "model"):
        for value in WRONG:
            yield (
                "update trial_user_attributes set value_json = json_set(value_json, "
                f"'$.{name}', json(?)) where key = 'architecture'",
                json.dumps(value),
            )
    for text in ("x", "2026-13-45 99:99", b"\xff", 5):
        yield "update trials set datetime_start = ?", text  # type: ignore[misc]
    for text in ("x", b"\xff\xfe", "NOTHING", 7):
        yield "update trials set state = ?", text  # type: ignore[misc]
        yield "update trial_values set value_type = ?", text  # type: ignore[misc]
        yield "update trial_values set value = ?", text  # type: ignore[misc]
        yield "update study_directions set direction = ?", text  # type: ignore[misc]
        yield "update version_info set schema_version = ?", text  # type: ignore[misc]
        yield "update alembic_version set version_num = ?", text  # type: ignore[misc]
    yield "delete from trial_values where 1 or ?", ""
    yield "delete from study_user_attributes where 1 or ?", ""


@pytest.mark.slow
def test_every_value_of_a_study_is_checked(whole: bytes, tmp_path: Path) -> None:
    _check_changes(whole, tmp_path, list(changes()))


def test_some_values_of_a_study_are_checked(whole: bytes, tmp_path: Path) -> None:
    _check_changes(whole, tmp_path, list(changes())[::3])


def _check_changes(whole: bytes, folder: Path, made: list[Any]) -> None:
    for number, (statement, value) in enumerate(made):
        file = folder / f"{number}.db"
        file.write_bytes(whole)
        with sqlite3.connect(file) as database:
            database.execute(statement, (value,))
        database.close()
        line = said(file)
        assert "\n" not in line
        assert not line or str(file) in line or "evaluation" in line, (statement, line)
        file.unlink()


def test_a_study_is_as_readable_before_it_is_continued(whole: bytes, tmp_path: Path) -> None:
    for number, (statement, value) in enumerate(list(changes())[::25]):
        file = tmp_path / f"{number}.db"
        file.write_bytes(whole)
        with sqlite3.connect(file) as database:
            database.execute(statement, (value,))
        database.close()
        try:
            create_study(
                SPACE, storage=address(file), name="s", method="random", limits=["cost<=9"], seed=1
            )
        except InputError as error:
            assert "\n" not in str(error)  # noqa: PT017 - some are readable


SETTINGS = {
    "command": "search",
    "space": {"space": "conv-small", "nodes": 2},
    "storage": "sqlite:///out/study.db",
    "data": "digits",
    "image_size": None,
    "skip_bad": False,
    "tokens": None,
    "preset": {"final_recipe": "quick-final", "final_channels": 4, "final_cells": 1},
}


def test_wrong_settings_are_said_in_a_line(tmp_path: Path) -> None:
    file = tmp_path / run_folder.SETTINGS
    text = json.dumps(SETTINGS)
    assert runs_reads(file, text) == ""
    cases = [json.dumps({**SETTINGS, name: value}) for name in SETTINGS for value in WRONG]
    cases += [json.dumps({k: v for k, v in SETTINGS.items() if k != name}) for name in SETTINGS]
    for part in ("space", "preset"):
        fields = SETTINGS[part]
        assert isinstance(fields, dict)
        cases += [
            json.dumps({**SETTINGS, part: {**fields, name: value}})
            for name in (*fields, "source", "choices", "activations", "operations")
            for value in (*WRONG, 10**6)
        ]
    cases += [*map(json.dumps, WRONG), "[" * 100_000, "{", "", "NaN"]
    cases += [text[:end] for end in range(len(text))]
    generator = np.random.default_rng(0)
    for _ in range(200):
        content = bytearray(text.encode())
        content[generator.integers(len(content))] = generator.integers(256)
        cases.append(content.decode("latin-1"))
    lines = [runs_reads(file, case) for case in cases]
    assert sum(map(bool, lines)) > 300
    assert all("\n" not in line for line in lines)


def runs_reads(file: Path, text: str) -> str:
    """What reading the settings says, as a command that is given the run does."""
    file.write_text(text, encoding="latin-1" if not text.isascii() else "utf-8")
    try:
        settings = read_settings(file.parent)
        space_of(file.parent, settings)
        storage_of(file.parent)
    except InputError as error:
        line = str(error)
        return "" if "is not in that folder" in line else line
    return ""
