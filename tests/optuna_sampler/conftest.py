"""Optuna logs no trials in the tests of `NAOSampler`."""

import optuna
import pytest


@pytest.fixture(autouse=True)
def _quiet() -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
