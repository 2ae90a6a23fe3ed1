"""`Train`: what it records, and building that runs out of memory."""

import json

import pytest

from naokit.base import EvaluationFailed
from naokit.evaluators import Train
from naokit.images.recipes import RECIPES, ImageRecipe
from naokit.images.subject import ImageSubject
from naokit.spaces import ConvCells

ARCHITECTURE = ConvCells.small(nodes=1).parse("0 0 1 0 0 3 1 4")


def test_the_settings_are_json_and_hold_all_that_alters_results() -> None:
    evaluator = Train(channels=16, seconds=9.0)
    settings = evaluator.settings()
    assert json.loads(json.dumps(settings)) == settings
    assert settings["data"] == evaluator.data.fingerprint
    assert ImageRecipe.from_json(settings["recipe"]) == RECIPES["quick"]
    assert (settings["channels"], settings["cells"], settings["seconds"]) == (16, 1, 9.0)


def test_the_precision_is_recorded_as_it_is_resolved() -> None:
    automatic, reduced = (Train(device="cpu", precision=p) for p in ("auto", "bf16-mixed"))
    assert automatic.settings()["precision"] is None
    assert reduced.settings()["precision"] == "bf16-mixed"


def test_a_network_too_large_to_build_is_a_failed_evaluation(monkeypatch) -> None:
    def too_large(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(ImageSubject, "network", too_large)
    with pytest.raises(EvaluationFailed) as caught:
        Train().evaluate(ARCHITECTURE, seed=0)
    assert caught.value.reason == "out of memory"
