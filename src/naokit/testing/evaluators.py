"""What every evaluator promises."""

from __future__ import annotations

import json
import math
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from naokit import evaluators
from naokit.doors import Evaluator
from naokit.space import Architecture


class EvaluatorContract:
    """What every evaluator promises. `evaluator` makes one, `architectures` are what it scores."""

    architectures: ClassVar[Sequence[Architecture]]

    def evaluator(self) -> Evaluator:
        """An evaluator that has done nothing yet."""
        raise NotImplementedError

    def begun(self, folder: Path | None = None) -> Evaluator:
        """One that is ready to evaluate the architectures."""
        evaluator = self.evaluator()
        evaluator.begin(folder)
        if evaluator.round_size > 1:
            evaluator.prepare(self.architectures, 0)
        return evaluator

    def test_equal_seeds_give_equal_values(self, tmp_path: Path) -> None:
        """Also of another evaluator of the same kind, whether or not it may keep a state."""
        evaluator = self.begun()
        for architecture in self.architectures:
            result = evaluator.evaluate(architecture, 1)
            assert math.isfinite(result.value)
            assert evaluator.evaluate(architecture, 1).value == result.value
        again = self.begun(tmp_path)
        assert again.evaluate(self.architectures[-1], 1).value == result.value

    def test_static_metrics_are_those_of_the_result(self) -> None:
        """What is known without an evaluation is the same afterwards."""
        evaluator = self.begun()
        architecture = self.architectures[0]
        static = evaluator.static_metrics(architecture)
        assert set(static) == set(evaluator.static_metric_names)
        metrics = evaluator.evaluate(architecture, 1).metrics
        assert {name: metrics[name] for name in static} == dict(static)

    def test_descriptors_follow_from_the_architecture(self) -> None:
        """Those of another evaluator of the kind are the same; they have a cost and known names."""
        evaluator = self.begun()
        architecture = self.architectures[0]
        found = evaluator.descriptors(architecture)
        assert set(found) <= set(evaluator.descriptor_names)
        assert (evaluator.descriptor_share > 0) == bool(evaluator.descriptor_names)
        assert dict(evaluator.descriptors(architecture)) == dict(found)
        assert dict(self.begun().descriptors(architecture)) == dict(found)

    def test_settings_can_be_stored_and_do_not_change(self) -> None:
        """They are JSON, and equal after an evaluation and of another evaluator of the kind."""
        evaluator = self.begun()
        settings = json.loads(json.dumps(dict(evaluator.settings())))
        evaluator.evaluate(self.architectures[0], 1)
        assert json.loads(json.dumps(dict(evaluator.settings()))) == settings
        assert json.loads(json.dumps(dict(self.evaluator().settings()))) == settings

    def test_it_is_made_again_from_its_settings(self) -> None:
        """Where these say where its data come from."""
        settings = json.loads(json.dumps(dict(self.evaluator().settings())))
        if not settings.get("source"):
            return
        again = evaluators.from_settings(settings)
        assert json.loads(json.dumps(dict(again.settings()))) == settings

    def test_it_reaches_another_process(self) -> None:
        """Unless its state is in one place."""
        evaluator = self.evaluator()
        if evaluator.in_one_place:
            return
        evaluator = self.begun()
        evaluator.descriptors(self.architectures[0])
        again = pickle.loads(pickle.dumps(evaluator))  # noqa: S301  # written a moment ago
        value = self.begun().evaluate(self.architectures[0], 1).value
        assert again.evaluate(self.architectures[0], 1).value == value
