"""`Train`: what it records, and building that runs out of memory."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from naokit.base import EvaluationFailed, InputError
from naokit.doors import Reporter
from naokit.evaluators import Train
from naokit.images.recipes import RECIPES, ImageRecipe
from naokit.images.subject import ImageSubject
from naokit.spaces import ConvCells
from naokit.subject import Subject

ARCHITECTURE = ConvCells.small(nodes=1).parse("0 0 1 0 0 3 1 4")


def test_the_settings_are_json_and_hold_all_that_alters_results() -> None:
    evaluator = Train(channels=16, seconds=9.0)
    settings = evaluator.settings()
    assert json.loads(json.dumps(settings)) == settings
    assert settings["data"] == evaluator.data.fingerprint
    assert ImageRecipe.from_json(settings["recipe"]) == RECIPES["quick"]
    assert (settings["channels"], settings["cells"], settings["seconds"]) == (16, 1, 9.0)


def test_networks_that_are_not_described_cost_nothing_to_describe(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ImageSubject, "descriptor_names", ())
    monkeypatch.setattr(ImageSubject, "probe", Subject.probe)
    assert Train(channels=16).descriptor_share == 0


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


def test_what_is_sent_has_its_data_once_it_arrives() -> None:
    evaluator = Train("digits", channels=2)
    images = evaluator.data.train.images.nbytes
    without, whole = pickle.dumps(evaluator), pickle.dumps(evaluator.with_data())
    assert len(without) < images < len(whole)
    for sent in (without, whole):
        there = pickle.loads(sent)
        assert "data" in vars(there.subject)
        assert there.data.fingerprint == evaluator.data.fingerprint
        assert there.subject.size() == evaluator.subject.size()


def test_data_that_are_not_where_they_are_sent_are_said_as_they_arrive(tmp_path: Path) -> None:
    images, labels = np.zeros((20, 8, 8), np.uint8), np.arange(20) % 2
    np.savez(tmp_path / "images.npz", images=images, labels=labels)
    sent = pickle.dumps(Train(tmp_path / "images.npz"))
    (tmp_path / "images.npz").rename(tmp_path / "moved.npz")
    with pytest.raises(InputError, match=r"images\.npz"):
        pickle.loads(sent)


class Stops(Reporter):
    """Stops an evaluation after an epoch, and remembers what was reported."""

    def __init__(self, folder: Path, after: int) -> None:
        self.folder, self.after = folder, after
        self.curve: list[tuple[int, float]] = []

    def report(self, epoch: int, value: float) -> bool:
        self.curve.append((epoch, value))
        return epoch == self.after


def test_a_stopped_training_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    evaluator = Train("digits", "quick", channels=2, device="cpu")
    assert evaluator.epochs == 3
    first = Stops(tmp_path, after=1)
    stopped = evaluator.evaluate_in_epochs(ARCHITECTURE, 0, first)
    assert stopped.metrics["epochs"] == 1
    later = Stops(tmp_path, after=9)
    result = evaluator.evaluate_in_epochs(ARCHITECTURE, 0, later)
    assert later.curve[0] == first.curve[0]  # what the checkpoint holds is reported once more
    assert [epoch for epoch, _ in later.curve] == [1, 2, 3]
    whole = evaluator.evaluate(ARCHITECTURE, 0)
    assert (result.value, dict(result.metrics)) == (whole.value, dict(whole.metrics))
    assert result.value == max(value for _, value in later.curve)


def test_one_that_was_killed_before_it_could_stop_stops_at_once(tmp_path: Path) -> None:
    evaluator = Train("digits", "quick", channels=2, device="cpu")
    evaluator.evaluate_in_epochs(ARCHITECTURE, 0, Stops(tmp_path, after=2))
    again = Stops(tmp_path, after=2)
    result = evaluator.evaluate_in_epochs(ARCHITECTURE, 0, again)
    assert [epoch for epoch, _ in again.curve] == [1, 2]
    assert set(result.metrics) == {"parameters", "macs"}
