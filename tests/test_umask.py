"""Files are made with the mode that the umask leaves, whoever makes them."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from naokit import spaces
from naokit.spaces import Choice, Choices, own_code
from naokit.study import create_study
from naokit.study.storage import address_of
from naokit.training.log import Log
from naokit.training.loop import Epoch

SPACE = Choices("s", (Choice("a", (1, 2, 3)),))


@pytest.fixture
def closed() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.mark.usefixtures("closed")
def test_what_is_made_is_open_to_nobody_else(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(own_code, "_HERE", [])
    create_study(SPACE, storage=address_of(tmp_path / "run" / "study.db"), method="random")
    Log(tmp_path / "training").write(Epoch(1, 1, 1.0, 1.0, 1.0, 1.0))
    (tmp_path / "mine.py").write_text(
        "from naokit.spaces import Choice, Choices\nS = Choices('s', (Choice('a', (1, 2)),))\n"
    )
    spaces.load(f"{tmp_path}/mine.py:S")
    made = [path for path in tmp_path.rglob("*") if "__pycache__" not in path.parts]
    assert len(made) >= 8
    assert all(stat.S_IMODE(path.stat().st_mode) & 0o077 == 0 for path in made), made
