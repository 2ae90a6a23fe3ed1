"""Importing is cheap, and what is public is exactly what `__all__` says."""

import ast
import re
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
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
ROOT = Path(__file__).parents[1]
KEPT = ROOT / "tests" / "kept" / "before-rooms.tar.gz"


def test_importing_loads_nothing_heavy() -> None:
    code = f"import sys, naokit, naokit.doors, naokit.spaces; assert not {HEAVY} & set(sys.modules)"
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


@pytest.mark.parametrize("method", ["nao", "random"])
def test_a_search_in_a_table_needs_no_torch(method: str, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    rows = [f"{arch},{number}" for number, arch in enumerate(("a b", "a c", "b b", "b c"))]
    table.write_text("\n".join(["arch,score", *rows]) + "\n")
    asked = f"--space choices --table {table} --metric score --evaluations 3 --method {method}"
    _run_without(HEAVY - STORED - {"scipy"}, f"search {asked} --out {tmp_path / 'run'}")


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


def test_every_package_that_is_imported_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = (group for name, group in project["optional-dependencies"].items() if name != "dev")
    asked = [*project["dependencies"], *(line for group in extras for line in group)]
    declared = {re.split(r"[\[>=<]", line)[0] for line in asked}
    homes = packages_distributions()
    files = (ROOT / "src").rglob("*.py")
    names = {name for file in files for name in _imported(ast.parse(file.read_text()))}
    others = names - {"naokit", *sys.stdlib_module_names}
    assert not {name for name in others if not declared & set(map(_plain, homes.get(name, [name])))}


def _plain(name: str) -> str:
    """The name of a distribution, as the index compares names."""
    return name.lower().replace("_", "-")


def _imported(module: ast.Module) -> Iterator[str]:
    """The packages that a module imports, wherever in it."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0]


def test_a_copy_that_was_not_installed_searches_and_records_its_version(tmp_path: Path) -> None:
    code = (
        "import naokit, importlib.metadata as known\n"
        "known.version = lambda name, of=known.version: of(name if name != 'naokit' else 'none')\n"
        "naokit.create_study(naokit.spaces.load('conv-small'), storage='sqlite:///s.db', seed=0)\n"
        "import naokit.export.saving\n"
        "import optuna; [study] = optuna.get_all_study_summaries('sqlite:///s.db')\n"
        "assert study.user_attrs['environments'][0]['versions']['naokit'] == naokit.__version__\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)
