"""How the training of a network went, as far as that is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from naokit.base import Json
from naokit.training.metric import Metric


@dataclass(frozen=True)
class Results:
    """How a training went, as `config.json` and `report.json` keep it.

    Attributes:
        metric: What the network is compared by.
        recipe: The fields of the recipe; empty where no training was recorded.
        data: What the network remembers of its data; see `Subject.results`.
        epochs: How many whole epochs were done.
        epochs_done: How many were done, the begun one as a fraction.
        complete: Whether all of the schedule were done.
        best_epoch: The epoch whose weights are kept. If None, those of the last step are.
        validation: The metric on the validation part. If None, it was not measured.
        test: The metric on the test part. If None, it was not measured.
        batches_in_parts: In how many parts a batch went through, as memory was short.
        reloads: How often the loss broke and the best weights were taken up again.
        processes: How many processes trained.
        warm_start: How many tensors are from another network. If None, there was none.
    """

    metric: Metric
    recipe: Mapping[str, Json] = field(default_factory=dict)
    data: Mapping[str, Json] = field(default_factory=dict)
    epochs: int = 0
    epochs_done: float = 0.0
    complete: bool = False
    best_epoch: int | None = None
    validation: float | None = None
    test: float | None = None
    batches_in_parts: int = 1
    reloads: int = 0
    processes: int = 1
    warm_start: Mapping[str, Json] | None = None

    def to_json(self) -> dict[str, Json]:
        """One object; the scores are named after the metric (`test_accuracy`).

        Where no training was recorded it holds only what is known.
        """
        names, unknown = self._names(self.metric), vars(Results(self.metric))
        found: dict[str, Json] = {}
        for name, value in vars(self).items():
            if name == "data":
                found |= value
            elif name != "metric" and (self.recipe or value != unknown[name]):
                found[names[name]] = value
        return found

    @classmethod
    def from_json(cls, metric: Metric, found: Mapping[str, Json]) -> Results:
        """The results of `to_json`; what is no field of theirs is of the data."""
        left = dict(found)
        own = {name: left.pop(key, None) for name, key in cls._names(metric).items()}
        return cls(metric, data=left, **{n: v for n, v in own.items() if v is not None})

    @classmethod
    def _names(cls, metric: Metric) -> dict[str, str]:
        """The names in JSON of the fields of a training."""
        own = {field.name: field.name for field in fields(cls)}
        del own["metric"], own["data"]
        return own | {part: f"{part}_{metric.name}" for part in ("validation", "test")}

    @property
    def scores(self) -> dict[str, float]:
        """The metric by part, where it was measured."""
        parts = {"validation": self.validation, "test": self.test}
        return {part: value for part, value in parts.items() if value is not None}

    @property
    def reached(self) -> dict[str, str]:
        """What the network reached, in words, by part, where it was measured."""
        unit = self.metric.unit
        name = "" if unit else f" {self.metric.name}"
        return {part: f"{part}{name} {value:.2f}{unit}" for part, value in self.scores.items()}
