"""Importing is cheap, and what is public is exactly what `__all__` says."""

import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

import naokit

STORED = {"optuna", "sqlalchemy"}
"""What a study is stored by."""
HEAVY = STORED | {
    "torch",
    "ray",
    "datasets",
    "kornia",
    "sklearn",
    "onnx",
    "scipy",
    "huggingface_hub",
}
KEPT = Path(__file__).parent / "kept" / "before-rooms.tar.gz"


def test_importing_loads_nothing_heavy() -> None:
    code = f"import sys, naokit, naokit.base, naokit.spaces; assert not {HEAVY} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_goals_standings_and_bars_load_nothing_heavy() -> None:
    modules = "naokit.study.goals, naokit.study.standings, naokit.study.progress, naokit.workers"
    code = f"import sys, {modules}; assert not {HEAVY} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("arguments", ["--help", "zoo", "bench --help", "show naonet-a"])
def test_what_needs_no_study_loads_nothing_heavy(arguments: str) -> None:
    _run_without(HEAVY, arguments)


def test_showing_a_run_loads_what_its_study_is_stored_by_and_nothing_heavy_besides(
    tmp_path: Path,
) -> None:
    with tarfile.open(KEPT) as kept:
        kept.extractall(tmp_path, filter="data")
    _run_without(HEAVY - STORED, f"show {tmp_path / 'run'}")


def _run_without(heavy: set[str], arguments: str) -> None:
    """Runs a command in a process of its own, which must load none of these."""
    code = (
        f"import sys\nsys.argv = ['naokit', *{arguments.split()!r}]\n"
        "from naokit.cli import main\ntry:\n    main()\nexcept SystemExit as end:\n"
        "    assert not end.code\n"
        f"loaded = {heavy} & set(sys.modules)\nassert not loaded, loaded\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_every_public_name_resolves() -> None:
    assert sorted(naokit.__all__) == naokit.__all__
    assert dir(naokit) == naokit.__all__
    for name in naokit.__all__:
        assert getattr(naokit, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(naokit, "nonsense")
