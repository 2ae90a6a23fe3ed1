"""How a final training went."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from naokit.base import Json
from naokit.training.metric import Metric


@dataclass(frozen=True)
class Results:
    """How a final training went, as `config.json` and `report.json` keep it.

    Attributes:
        metric: What the network is compared by.
        recipe: The fields of the recipe.
        data: What the network remembers of its data; see `Subject.results`.
        epochs: How many epochs the schedule has.
        epochs_done: How many were done, a fraction where time ran out.
        complete: Whether all were.
        best_epoch: The epoch whose weights are kept. If None, those of the last step are.
        validation: The metric on the validation part. If None, it was not measured.
        test: The metric on the test part. If None, it was not measured.
        batches_in_parts: In how many parts a batch went through, as memory was short.
        reloads: How often the loss broke and the best weights were taken up again.
        processes: How many processes trained.
        warm_start: How many tensors are from another network. If None, there was none.
    """

    metric: Metric
    recipe: Mapping[str, Json]
    data: Mapping[str, Json]
    epochs: int
    epochs_done: float
    complete: bool
    best_epoch: int | None
    validation: float | None
    test: float | None
    batches_in_parts: int
    reloads: int
    processes: int
    warm_start: Mapping[str, Json] | None = None

    def to_json(self) -> dict[str, Json]:
        """One object; the scores are named after the metric (`test_accuracy`)."""
        scores, data = self._scores(self.metric), dict(self.data)
        fields = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        own = {scores.get(n, n): v for n, v in fields.items() if n not in ("metric", "data")}
        return {"recipe": own.pop("recipe"), **data, **own}

    @classmethod
    def from_json(cls, metric: Metric, found: Mapping[str, Json]) -> Results:
        """The results of `to_json`; what is no field of theirs is of the data."""
        left, scores = dict(found), cls._scores(metric)
        names = [f.name for f in dataclasses.fields(cls) if f.name not in ("metric", "data")]
        own = {name: left.pop(scores.get(name, name), None) for name in names}
        return cls(metric=metric, data=left, **own)

    @staticmethod
    def _scores(metric: Metric) -> dict[str, str]:
        """The names of the scores in JSON."""
        return {part: f"{part}_{metric.name}" for part in ("validation", "test")}

    @property
    def reached(self) -> dict[str, str]:
        """What the network reached, in words, by part: validation and test, where known."""
        unit = self.metric.unit
        name = "" if unit else f" {self.metric.name}"
        parts = {"validation": self.validation, "test": self.test}
        return {
            part: f"{part}{name} {value:.2f}{unit}"
            for part, value in parts.items()
            if value is not None
        }
