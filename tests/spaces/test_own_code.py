"""What a network or a run names is run only once its reader has named the same."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from naokit import spaces
from naokit.base import InputError
from naokit.spaces import own_code

MINE = """from naokit.spaces import Choice, Choices
(__import__("pathlib").Path(__file__).parent / "ran").touch()
S = Choices("s", (Choice("a", {values}),))
"""


@pytest.fixture(autouse=True)
def nothing_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(own_code, "_HERE", [])
    monkeypatch.chdir(tmp_path)


def write(folder: Path, values: str = "(1, 2)") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mine.py").write_text(MINE.format(values=values))
    return folder


def recorded(source: str) -> dict[str, object]:
    return {"space": "s", "choices": [["a", [1, 2], None]], "data": "images", "source": source}


def stranger(source: str) -> None:
    with pytest.raises(InputError, match=r"not run; if you trust it.*\Z"):
        spaces.from_settings(recorded(source))
    assert not Path("ran").exists()


def test_a_file_is_run_once_it_was_named_also_by_another_process(tmp_path, monkeypatch) -> None:
    place = write(tmp_path) / "mine.py"
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    for source in (f"{place}:S", "mine.py:S", "mine:S"):
        stranger(source)
    settings = spaces.load("mine.py:S").settings()
    assert settings["source"] == f"{place}:S"
    Path("ran").unlink()
    monkeypatch.setattr(own_code, "_HERE", [])  # as another process begins
    assert spaces.from_settings(settings).settings() == settings
    assert spaces.from_settings(spaces.without_folder(settings)).settings() == settings
    Path("ran").unlink()
    monkeypatch.delitem(sys.modules, "mine")
    stranger("mine:S")
    monkeypatch.setitem(sys.modules, "mine", ModuleType("mine"))
    with pytest.raises(InputError, match="has no 'S'"):  # imported already: nothing is run
        spaces.from_settings(recorded("mine:S"))


def test_the_name_of_a_space_is_none_of_a_file(tmp_path) -> None:
    write(tmp_path)
    with pytest.raises(InputError, match="no space"):
        spaces.from_settings({"space": "mine.py:S", "nodes": 2})
    assert not Path("ran").exists()


def test_of_files_of_one_name_that_which_fits_is_taken(tmp_path, monkeypatch) -> None:
    settings = spaces.load(f"{write(tmp_path / 'a')}/mine.py:S").settings()
    same = spaces.load(f"{write(tmp_path / 'b')}/mine.py:S").settings()
    spaces.load(f"{write(tmp_path / 'c', '(3, 4)')}/mine.py:S")
    unplaced = spaces.without_folder(settings)
    assert spaces.from_settings(unplaced).settings() == same  # the newest that fits
    assert spaces.from_settings(settings).settings() == settings
    monkeypatch.chdir(tmp_path / "a")
    assert spaces.from_settings(unplaced).settings() == settings


def test_where_nothing_can_be_written_the_process_remembers(tmp_path, monkeypatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))
    settings = spaces.load(f"{write(tmp_path)}/mine.py:S").settings()
    assert spaces.from_settings(settings).settings() == settings


def test_the_hint_is_safe_to_copy() -> None:
    with pytest.raises(InputError, match=r"--space 'x.py; rm -r .:S'"):
        spaces.from_settings(recorded("x.py; rm -r .:S"))
    with pytest.raises(InputError, match=r"\A[^\n]*\Z"):
        spaces.from_settings(recorded("x.py\n:S"))
