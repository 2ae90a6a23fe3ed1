"""What a network or a run names is run only once its reader has named the same."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType

import numpy as np
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
    return {"space": "s", "choices": [["a", [1, 2], None]], "source": source}


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


@pytest.fixture
def forgets_modules(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """As a new process begins: what was named is only in the file, and nothing is imported."""
    known = set(sys.modules)
    monkeypatch.setattr(sys, "path", [place for place in sys.path if place])

    def forget() -> None:
        monkeypatch.setattr(own_code, "_HERE", [])
        for name in set(sys.modules) - known:
            del sys.modules[name]

    yield forget
    forget()


def folder_with(place: Path, monkeypatch: pytest.MonkeyPatch, *modules: str) -> Path:
    """A folder with modules, entered."""
    for module in modules:
        file = place / f"{module}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(
            MINE.format(values="(1, 2)").replace("__file__).parent", f"{str(place)!r})")
        )
    monkeypatch.chdir(place)
    return place


MODULES = {
    "m": (["m"], ["m"]),
    "p": (["p/__init__"], ["p/__init__"]),
    "p.m": (["p/__init__", "p/m"], ["p/__init__", "p/m"]),
    "n.m": (["n/m"], ["n/m"]),
    "q.m": (["q/m"], ["q/__init__"]),
    "r.m": (["r"], ["r/__init__", "r/m"]),
}
"""A module, the files of who names it, and those of the stranger."""


@pytest.mark.parametrize("module", MODULES)
def test_a_module_is_the_one_that_was_named(
    tmp_path, monkeypatch, forgets_modules, module: str
) -> None:
    own, theirs = MODULES[module]
    home = folder_with(tmp_path / "home", monkeypatch, *own)
    if module == "r.m":
        with pytest.raises(InputError, match="could not be imported"):
            spaces.load(f"{module}:S")
    else:
        settings = spaces.load(f"{module}:S").settings()
        assert settings["source"] == f"{module}:S"
    forgets_modules()
    (home / "ran").unlink()
    strange = folder_with(tmp_path / "strange", monkeypatch, *theirs)
    if module == "r.m":
        stranger(f"{module}:S")
        return
    assert spaces.from_settings(recorded(f"{module}:S")).name == "s"
    assert (home / "ran").exists()
    assert not (strange / "ran").exists()

    forgets_modules()  # where Python finds the stranger's first, neither is run
    (home / "ran").unlink()
    monkeypatch.setattr(sys, "path", [str(strange), *sys.path])
    if module == "q.m":  # a package is found before a folder that is none
        (home / "q" / "__init__.py").touch()
    stranger(f"{module}:S")
    assert not (home / "ran").exists()


def test_a_package_that_is_taken_apart_by_links_is_not_the_one_named(
    tmp_path, monkeypatch, forgets_modules
) -> None:
    home = folder_with(tmp_path / "home", monkeypatch, "p/__init__", "p/m")
    (home / "p" / "m.py").write_text("from p.more import S")
    (home / "p" / "more.py").write_text(MINE.format(values="(1, 2)"))
    spaces.load("p.m:S")
    forgets_modules()
    strange = folder_with(tmp_path / "strange", monkeypatch, "p/more")
    for name in ("__init__.py", "m.py"):
        (strange / "p" / name).symlink_to(home / "p" / name)
    monkeypatch.setattr(sys, "path", [str(strange), *sys.path])
    stranger("p.m:S")
    assert not (strange / "ran").exists()


def test_a_module_that_moved_is_named_again(tmp_path, monkeypatch, forgets_modules) -> None:
    home = folder_with(tmp_path / "home", monkeypatch, "m")
    (home / "m.py").write_text(MINE.format(values="(1, 2)"))
    spaces.load("m:S")
    forgets_modules()
    home.rename(tmp_path / "moved")
    monkeypatch.chdir(tmp_path / "moved")
    with pytest.raises(InputError, match=r"not where it was when you named it: it was not run"):
        spaces.from_settings(recorded("m:S"))
    assert spaces.load("m:S") == spaces.from_settings(recorded("m:S"))
    forgets_modules()
    monkeypatch.chdir(tmp_path)
    assert spaces.from_settings(recorded("m:S")).name == "s"


def test_a_module_that_was_kept_without_its_file_is_named_again(tmp_path, monkeypatch) -> None:
    folder_with(tmp_path / "strange", monkeypatch, "m")
    monkeypatch.setattr(sys, "path", [str(Path.cwd()), *sys.path])
    (tmp_path / "config" / "naokit").mkdir(parents=True)
    for kept in ("m:S", "m:S = ", "m:S = m.py", "m:S = /", "a.b.m:S = /x", "m:S = /m.py:S"):
        (tmp_path / "config" / "naokit" / "spaces").write_text(f"{kept}\n")
        stranger("m:S")
    (tmp_path / "config" / "naokit" / "spaces").write_text("m:S\n")
    with pytest.raises(InputError, match=r"file was not kept when .* --space m:S\Z"):
        spaces.from_settings(recorded("m:S"))


def test_a_folder_that_is_called_like_a_line_adds_none(tmp_path, monkeypatch) -> None:
    theirs = write(tmp_path / "theirs")
    for end in ("\n", "\r", "\x0b", "\u2028"):
        write(tmp_path / f"x{end}" / str(theirs).strip("/"))
        spaces.load(f"x{end}{theirs}/mine.py:S")
        monkeypatch.setattr(own_code, "_HERE", [])
        (theirs / "ran").unlink(missing_ok=True)
        stranger(f"{theirs}/mine.py:S")
        assert not (theirs / "ran").exists()


def test_a_name_that_is_no_text_is_known_to_the_process_alone(tmp_path, monkeypatch) -> None:
    folder = os.fsdecode(b"\xff")
    write(tmp_path / folder)
    assert spaces.load(f"{folder}/mine.py:S").name == "s"


def test_a_damaged_file_of_names_is_said_in_a_line(tmp_path, monkeypatch) -> None:
    spaces.load(f"{write(tmp_path)}/mine.py:S")
    kept = tmp_path / "config" / "naokit" / "spaces"
    whole = kept.read_bytes()
    generator = np.random.default_rng(0)
    for _ in range(200):
        monkeypatch.setattr(own_code, "_HERE", [])
        damaged = bytearray(whole)
        damaged[generator.integers(len(whole))] = generator.integers(256)
        kept.write_bytes(bytes(damaged))
        with suppress(InputError):
            spaces.from_settings(recorded("elsewhere.py:S"))
            raise AssertionError
    kept.unlink()
    os.mkfifo(kept)
    with pytest.raises(InputError, match="is no regular file"):
        spaces.from_settings(recorded("mine.py:S"))
