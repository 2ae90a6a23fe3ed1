"""Importing is cheap, and what is public is exactly what `__all__` says."""

import subprocess
import sys

import naokit

HEAVY = (
    "{'torch', 'ray', 'optuna', 'datasets', 'kornia', 'sklearn', 'onnx', 'scipy', "
    "'huggingface_hub'}"
)


def test_importing_loads_nothing_heavy() -> None:
    code = f"import sys, naokit, naokit.base, naokit.spaces; assert not {HEAVY} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_goals_standings_and_bars_load_nothing_heavy() -> None:
    modules = "naokit.study.goals, naokit.study.standings, naokit.study.progress, naokit.workers"
    code = f"import sys, {modules}; assert not {HEAVY} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nsys.argv = ['naokit', '--help']\nfrom naokit.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"assert 'naokit.cli.app' in sys.modules and not {HEAVY} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_every_public_name_resolves() -> None:
    assert sorted(naokit.__all__) == naokit.__all__
    assert dir(naokit) == naokit.__all__
    for name in naokit.__all__:
        assert getattr(naokit, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(naokit, "nonsense")
