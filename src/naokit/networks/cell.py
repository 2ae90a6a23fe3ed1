"""One cell: two inputs, nodes that add two branches each, loose ends concatenated.

See docs/specification.md, section 1.1; calibration and drop path are in section 1.3.

Shapes: B batch, C channels of the cell, H and W height and width.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from naokit.networks.operations import (
    AfterReLU,
    FactorizedReduce,
    OperationBuilder,
    PaddedPool,
    ReLUConvNormalise,
)

INPUTS = 2


@dataclass(frozen=True)
class Branch:
    """An operation on the output of an earlier node; nodes 0 and 1 are the inputs."""

    source: int
    operation: str


@dataclass(frozen=True)
class CellPlan:
    """What a cell computes: each node adds two branches."""

    nodes: tuple[tuple[Branch, Branch], ...]

    @property
    def loose_ends(self) -> tuple[int, ...]:
        """The nodes that no branch reads, inputs included: the output concatenates them."""
        read = {branch.source for node in self.nodes for branch in node}
        return tuple(node for node in range(INPUTS + len(self.nodes)) if node not in read)


@dataclass(frozen=True)
class MapSize:
    """The shape of a feature map, without the batch."""

    channels: int
    height: int
    width: int

    def halved(self, channels: int) -> MapSize:
        """The shape after a layer of stride 2."""
        return MapSize(channels, -(-self.height // 2), -(-self.width // 2))


class FeatureMap:
    """A map (B, C, H, W) that is rectified once, however many layers need it rectified.

    Attributes:
        values: The map itself.
    """

    def __init__(self, values: Float[Tensor, "B C H W"]) -> None:
        self.values = values
        self._rectified: Tensor | None = None

    def through(self, layers: nn.Module) -> Float[Tensor, "B C2 H2 W2"]:
        """The output of the layers for this map."""
        if not isinstance(layers, AfterReLU):
            made: Tensor = layers(self.values)
            return made
        if self._rectified is None:
            self._rectified = F.relu(self.values)
        return layers.rectified(self._rectified)


class Calibration(nn.Module):
    """Brings both inputs of a cell to C channels and to the size of the later one."""

    def __init__(self, before: MapSize, last: MapSize, channels: int) -> None:
        super().__init__()
        self.before: nn.Module = nn.Identity()
        if (before.height, before.width) != (last.height, last.width):
            self.before = AfterReLU(FactorizedReduce(before.channels, channels))
        elif before.channels != channels:
            self.before = ReLUConvNormalise(before.channels, channels)
        self.last: nn.Module = nn.Identity()
        if last.channels != channels:
            self.last = ReLUConvNormalise(last.channels, channels)

    def forward(self, before: FeatureMap, last: FeatureMap) -> list[FeatureMap]:
        """Both inputs, calibrated: (B, C, H, W) each."""
        return [FeatureMap(before.through(self.before)), FeatureMap(last.through(self.last))]


def drop_path(x: Float[Tensor, "B C H W"], keep: float) -> Float[Tensor, "B C H W"]:
    """Zeroes whole samples with probability 1 - keep and scales the others by 1 / keep."""
    mask = torch.bernoulli(torch.full((len(x), 1, 1, 1), keep, dtype=x.dtype, device=x.device))
    return x * (mask / keep)


class Cell(nn.Module):
    """A normal or a reduction cell.

    Attributes:
        output: The shape of the cell's output, without the batch.
    """

    def __init__(
        self,
        plan: CellPlan,
        before: MapSize,
        last: MapSize,
        channels: int,
        operations: Mapping[str, OperationBuilder],
        *,
        reduction: bool,
    ) -> None:
        super().__init__()
        self.loose_ends = plan.loose_ends
        self.sources = [branch.source for node in plan.nodes for branch in node]
        self.calibration = Calibration(before, last, channels)
        self.branches = nn.ModuleList(
            operations[branch.operation](channels, 2 if reduction and branch.source < INPUTS else 1)
            for node in plan.nodes
            for branch in node
        )
        self.pools = _first_uses(plan, self.branches)
        # A loose input of a reduction cell is twice as large as the other loose ends.
        self.shortcuts = nn.ModuleDict(
            {
                str(node): FactorizedReduce(channels, channels)
                for node in plan.loose_ends
                if reduction and node < INPUTS
            }
        )
        size = MapSize(channels, last.height, last.width)
        size = size.halved(channels) if reduction else size
        self.output = MapSize(channels * len(plan.loose_ends), size.height, size.width)

    def forward(self, before: FeatureMap, last: FeatureMap, keep: float) -> FeatureMap:
        """The loose ends, concatenated; `keep` is the probability of keeping a branch."""
        nodes: list[FeatureMap] = self.calibration(before, last)
        pooled: dict[int, Tensor] = {}
        for branch in range(0, len(self.branches), 2):
            x, y = (self._branch(nodes, number, pooled, keep) for number in (branch, branch + 1))
            nodes.append(FeatureMap(x + y))
        ends = [
            node.through(self.shortcuts[str(number)])
            if str(number) in self.shortcuts
            else node.values
            for number, node in enumerate(nodes)
            if number in self.loose_ends
        ]
        return FeatureMap(torch.cat(ends, dim=1))

    def _branch(
        self, nodes: list[FeatureMap], number: int, pooled: dict[int, Tensor], keep: float
    ) -> Tensor:
        first = self.pools.get(number)
        if first in pooled:
            output = pooled[first]
        else:
            output = nodes[self.sources[number]].through(self.branches[number])
        if first is not None:
            pooled[first] = output
        return drop_path(output, keep) if self.training and keep < 1 else output


def _first_uses(plan: CellPlan, operations: nn.ModuleList) -> dict[int, int]:
    """For each pooling branch the first one that pools the same map: it is computed once."""
    branches = [branch for node in plan.nodes for branch in node]
    return {
        number: branches.index(branch)
        for number, branch in enumerate(branches)
        if isinstance(operations[number], nn.MaxPool2d | nn.AvgPool2d | PaddedPool)
    }
