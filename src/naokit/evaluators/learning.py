"""What evaluators have in common whose networks learn from data.

Torch is imported by what needs it: a look-up in a table asks whether it is one of these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from naokit import kinds
from naokit.base import Json
from naokit.doors import Evaluator
from naokit.settings import NetworkSettings
from naokit.space import Architecture
from naokit.training.device import Device, Precision, make_fabric, recorded_precision
from naokit.training.parts import Data
from naokit.training.recipe import Recipe

if TYPE_CHECKING:
    from lightning_fabric import Fabric
    from torch import nn

    from naokit.subject import Subject
    from naokit.training.loop import Epoch


class Learning(Evaluator):
    """Scores architectures by what a network of theirs has learnt from data.

    Args:
        subject: The data, and the size of the networks.
        recipe: The recipe of the training.
        device: The device to train on.
        precision: The precision to compute with.

    Attributes:
        metrics: The names that `Result.metrics` may have.
        on_step: Told after each update of a network that architectures share how many epochs are
            done.
        on_epoch: Told of each epoch of such a network.
    """

    static_metric_names = ("parameters", "macs")
    metrics: tuple[str, ...] = static_metric_names
    on_step: Callable[[float], None] | None = None
    on_epoch: Callable[[Epoch], None] | None = None

    def __init__(
        self,
        subject: Subject,
        recipe: Recipe,
        device: Device = "auto",
        precision: Precision = "auto",
    ) -> None:
        self.subject, self.recipe = subject, recipe
        self.direction = subject.metric.direction
        self.device: Device = device
        self.precision: Precision = precision
        self._counted: dict[str, dict[str, float]] = {}

    def check(self) -> None:
        """Raises InputError where nothing could be evaluated."""
        self.subject.check_data(self.recipe)

    @property
    def shared_epochs(self) -> int:
        """How many epochs a network is trained that architectures share; 0 if each has its own."""
        return 0

    @property
    def data(self) -> Data:
        """The data that networks learn from, read once."""
        return self.subject.data

    @cached_property
    def fabric(self) -> Fabric:
        """Where the training runs."""
        return make_fabric(self.device, self.precision)

    @property
    def network_settings(self) -> NetworkSettings:
        """The size of the networks that are trained."""
        return self.subject.settings(self.recipe)

    def static_metrics(self, architecture: Architecture) -> Mapping[str, float]:
        """Parameters and multiply-accumulates; each is counted when it is first read."""
        name = "all" if architecture.space.same_cost else architecture.key
        counted = self._counted.setdefault(name, {})

        def network() -> nn.Module:
            from naokit.networks import without_weights

            with without_weights():
                return architecture.space.build(architecture, self.network_settings)

        return _Counted(counted, network, self.subject.macs)

    def settings(self) -> Mapping[str, Json]:
        """The data, the recipe, the sizes and the precision."""
        return {
            "data": self.subject.data.fingerprint,
            "recipe": self.recipe.to_json(),
            **self.subject.size(),
            "precision": recorded_precision(self.fabric),
            **kinds.source_settings(self.subject),
        }


class _Counted(Mapping[str, float]):
    """Metrics that are counted on a network without weights; counting parameters runs no network.

    Args:
        counted: The metrics that are counted already; it is filled.
        network: Makes the network.
        macs: Counts the multiply-accumulates of a network.
    """

    def __init__(
        self,
        counted: dict[str, float],
        network: Callable[[], nn.Module],
        macs: Callable[[nn.Module], int],
    ) -> None:
        from naokit.networks import count_parameters

        self.counted, self.network = counted, network
        self.counters = {"parameters": count_parameters, "macs": macs}

    def __getitem__(self, name: str) -> float:
        """The metric of this name."""
        counter = self.counters[name]
        if name not in self.counted:
            self.counted[name] = float(counter(self._network))
        return self.counted[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.counters)

    def __len__(self) -> int:
        return len(self.counters)

    @cached_property
    def _network(self) -> nn.Module:
        return self.network()
