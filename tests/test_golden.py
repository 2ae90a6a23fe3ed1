"""What a change of the layout must not change: see `tests/golden`."""

import json
from pathlib import Path

import optuna
import pytest
from tests.golden import proposals, suggestions, trainings

from naokit.training import loop

DEAR = {"nao", "nao-2018", "nao-candidates", "seminas", "tpe"}
"""Run with the slow tests, but for `nao` in the smallest space."""


def _cases() -> list:
    """Each method on each space."""
    return [
        pytest.param(
            space,
            method,
            marks=[pytest.mark.slow]
            * (method in DEAR and (space, method) != ("conditional", "nao")),
        )
        for space in proposals.SPACES
        for method in proposals.METHODS
    ]


@pytest.mark.parametrize(("space", "method"), _cases())
def test_proposals_are_golden(space: str, method: str) -> None:
    recorded = json.loads(proposals.RECORDED.read_text())[space][method]
    assert " ".join(proposals.proposals(space, method)) == recorded


@pytest.mark.parametrize("name", suggestions.STUDIES)
def test_suggestions_are_golden(name: str) -> None:
    recorded = json.loads(suggestions.RECORDED.read_text())
    if suggestions.machine() != recorded["machine"]:
        pytest.skip(f"recorded with {recorded['machine']}: elsewhere floats are rounded otherwise")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    assert " ".join(suggestions.suggestions(name)) == recorded[name]


@pytest.mark.parametrize("name", trainings.TRAININGS)
def test_a_training_is_golden_and_so_is_an_interrupted_one(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train, recorded = trainings.TRAININGS[name], trainings.recorded()
    bundle = train(tmp_path / "whole")
    found = trainings.weights(tmp_path / "whole")
    for tensor, sums in recorded[name]["weights"]["sums"].items():
        assert found["sums"][tensor] == pytest.approx(sums, rel=1e-2, abs=1e-2), tensor
    for file, answer in trainings.outputs(bundle, tmp_path / "exported").items():
        assert answer == pytest.approx(recorded[name]["outputs"][file], abs=1e-2), file
    if trainings.machine() == recorded["machine"]:  # elsewhere sums are rounded otherwise
        assert found["sha256"] == recorded[name]["weights"]["sha256"]

    monkeypatch.setattr(loop, "SAVE_EVERY", -1.0)
    trainings.interrupted(train, tmp_path / "parts", epochs=0.6)
    monkeypatch.undo()
    train(tmp_path / "parts")
    assert trainings.weights(tmp_path / "parts")["sha256"] == found["sha256"]
