"""The wheel builds, carries what it must, and works in an empty environment."""

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    subprocess.run([*command, str(ROOT)], check=True, capture_output=True)
    (found,) = folder.glob("naokit-*.whl")
    return found


def test_the_wheel_is_typed_licensed_and_holds_the_package_alone(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "naokit/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert {name.split("/")[0].split("-")[0] for name in names} == {"naokit"}


def test_the_wheel_asks_for_ranges_not_for_pins(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (metadata,) = [name for name in archive.namelist() if name.endswith("METADATA")]
    required = [
        line
        for line in archive.read(metadata).decode().splitlines()
        if line.startswith("Requires-Dist")
    ]
    assert "Requires-Dist: torch>=2.6" in required
    assert not [line for line in required if "==" in line.split(";")[0]]


@pytest.mark.slow
def test_the_wheel_works_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "v", with_pip=True)
    binaries = tmp_path / "v" / ("Scripts" if sys.platform == "win32" else "bin")
    install = [str(binaries / "python"), "-m", "pip", "install", "--quiet"]
    limits = ["-c", str(ROOT / "constraints.txt")]
    subprocess.run([*install, *limits, "torch==2.13.0"], check=True)
    subprocess.run([*install, *limits, str(wheel)], check=True)
    subprocess.run([str(binaries / "naokit"), "--help"], check=True, cwd=tmp_path)
