"""A command that is run in a stranger's folder runs nothing that lies there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SPAWN = """
import multiprocessing, sys
sys.argv = ["naokit", "--version"]
from naokit.cli import main
if __name__ == "__main__":
    try:
        main()
    except SystemExit:
        pass
    process = multiprocessing.get_context("spawn").Process(target=print)
    process.start()
    process.join()
"""
FIRED = 'open("fired", "w").close()\n'


def environment(**more: str) -> dict[str, str]:
    return {name: v for name, v in os.environ.items() if name != "PYTHONSAFEPATH"} | more


@pytest.mark.parametrize("name", ["typer", "signal", "optuna"])
def test_no_module_of_the_current_folder_is_imported(tmp_path: Path, name: str) -> None:
    (tmp_path / f"{name}.py").write_text(FIRED)
    command = [sys.executable, "-m", "naokit", "search", "--table", "none.csv", "--metric", "x"]
    found = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True)
    assert found.returncode == 2, found.stderr
    assert not (tmp_path / "fired").exists()


def test_an_entry_point_of_the_current_folder_is_none(tmp_path: Path) -> None:
    facts = tmp_path / "theirs-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text("[naokit.spaces]\nfoo = theirs:S\n")
    (tmp_path / "theirs.py").write_text(FIRED)
    command = [sys.executable, "-m", "naokit", "show", "x", "--space", "foo"]
    found = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True)
    assert found.returncode == 2
    assert "no space 'foo'" in found.stderr
    assert not (tmp_path / "fired").exists()


def test_a_process_that_is_started_looks_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "script").mkdir()
    script = tmp_path / "script" / "go.py"
    script.write_text(SPAWN)
    for name in ("signal", "selectors"):
        (tmp_path / f"{name}.py").write_text(FIRED)
    found = subprocess.run(
        [sys.executable, script], cwd=tmp_path, env=environment(), capture_output=True, text=True
    )
    assert found.returncode == 0, found.stderr
    assert not (tmp_path / "fired").exists()
