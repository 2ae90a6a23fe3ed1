"""The package for OptunaHub: as its registry asks, and loaded as OptunaHub loads it."""

import importlib.util
import re
import runpy
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import yaml

import naokit

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "package" / "samplers" / "nao"
README = (PACKAGE / "README.md").read_text()


def load_local_module(package: str, *, registry_root: str = str(ROOT / "package")) -> ModuleType:
    """What `optunahub.load_local_module` does (optunahub 0.5.0), which `load_module` calls."""
    name = f"optunahub_registry.package.{package.replace('/', '.')}"
    file = Path(registry_root) / package / "__init__.py"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def _optunahub(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for optunahub, which brings ten packages along."""
    standing_in = SimpleNamespace(load_module=load_local_module)
    monkeypatch.setitem(sys.modules, "optunahub", standing_in)  # type: ignore[arg-type]


def test_it_is_the_sampler_of_naokit_and_nothing_else() -> None:
    module = load_local_module("samplers/nao")
    assert module.__all__ == ["NAOSampler"]
    assert module.NAOSampler is naokit.NAOSampler


def test_the_head_of_its_page_is_as_the_registry_checks_it() -> None:
    head = yaml.safe_load(README.split("---\n")[1])
    assert {name: type(value) for name, value in head.items()} == {
        "author": str,
        "title": str,
        "description": str,
        "tags": list,
        "optuna_versions": list,
        "license": str,
    }
    assert "sampler" in head["tags"]
    assert all(isinstance(one, str) for one in (*head["tags"], *head["optuna_versions"]))
    assert head["license"] == "MIT License"
    assert (PACKAGE / "LICENSE").read_text().startswith("MIT License\n")
    pinned = (ROOT / "constraints.txt").read_text()
    assert f"\noptuna=={head['optuna_versions'][-1]}\n" in pinned  # with which the tests run


def test_its_page_has_the_sections_of_the_template_in_their_order() -> None:
    sections = re.findall(r"^## (.*)$", README, re.MULTILINE)
    assert sections == ["Abstract", "APIs", "Installation", "Example", "Others"]


def test_its_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(PACKAGE / "example.py"), run_name="__main__")
    assert "'rate': " in capsys.readouterr().out


def test_the_example_on_its_page_runs() -> None:
    (block,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    known: dict[str, object] = {}
    exec(compile(block, "README.md", "exec"), known)
    assert len(known["study"].trials) == 30  # type: ignore[attr-defined]
