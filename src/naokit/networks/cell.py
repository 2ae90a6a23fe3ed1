"""One cell: two inputs, nodes that add two branches each, loose ends concatenated.

See docs/specification.md, section 1.1; calibration and drop path are in section 1.3.

Shapes: B batch, C channels of the cell, H and W height and width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
POOLS = (nn.MaxPool2d, nn.AvgPool2d, PaddedPool)


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
    def branches(self) -> tuple[Branch, ...]:
        """All branches, node by node."""
        return tuple(branch for node in self.nodes for branch in node)

    @property
    def loose_ends(self) -> tuple[int, ...]:
        """The nodes that no branch reads, inputs included: the output concatenates them."""
        read = {branch.source for branch in self.branches}
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
        plan: What it computes.
        output: The shape of what it returns, without the batch.
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
        squeeze: bool = False,
    ) -> None:
        super().__init__()
        self.plan = plan
        self.calibration = Calibration(before, last, channels)
        self.branches = nn.ModuleList(
            operations[branch.operation](channels, stride_of(branch, reduction=reduction))
            for branch in plan.branches
        )
        # A loose input of a reduction cell is twice as large as the other loose ends.
        self.shortcuts = nn.ModuleDict(
            {
                str(node): FactorizedReduce(channels, channels)
                for node in plan.loose_ends
                if reduction and node < INPUTS
            }
        )
        wide = channels * len(plan.loose_ends)
        self.squeeze = ReLUConvNormalise(wide, channels) if squeeze else nn.Identity()
        size = MapSize(channels if squeeze else wide, last.height, last.width)
        self.output = size.halved(size.channels) if reduction else size

    def forward(self, before: FeatureMap, last: FeatureMap, keep: float) -> FeatureMap:
        """The loose ends, concatenated; `keep` is the probability of keeping a branch."""
        inputs = self.calibration(before, last)
        branches = list(zip(self.plan.branches, self.branches, strict=True))
        nodes = add_nodes(inputs, branches, keep if self.training else 1.0)
        ends = FeatureMap(torch.cat(loose(nodes, self.plan, self.shortcuts), dim=1))
        return FeatureMap(ends.through(self.squeeze))


def stride_of(branch: Branch, *, reduction: bool) -> int:
    """2 where a reduction cell reads one of its inputs, else 1."""
    return 2 if reduction and branch.source < INPUTS else 1


def add_nodes(
    inputs: list[FeatureMap], branches: Sequence[tuple[Branch, nn.Module]], keep: float
) -> list[FeatureMap]:
    """The inputs and what each node adds up: two branches each.

    Pools of the same map are computed once; each branch is dropped by itself.
    """
    nodes, pooled = list(inputs), dict[Branch, Tensor]()
    outputs: list[Tensor] = []
    for branch, operation in branches:
        output = pooled.get(branch)
        if output is None:
            output = nodes[branch.source].through(operation)
        if isinstance(operation, POOLS):
            pooled[branch] = output
        outputs.append(drop_path(output, keep) if keep < 1 else output)
        if len(outputs) == 2:
            nodes.append(FeatureMap(outputs[0] + outputs[1]))
            outputs = []
    return nodes


def loose(nodes: list[FeatureMap], plan: CellPlan, shortcuts: nn.ModuleDict) -> list[Tensor]:
    """The maps that no branch reads, at the size of the cell's output."""
    return [
        nodes[node].through(shortcuts[str(node)]) if str(node) in shortcuts else nodes[node].values
        for node in plan.loose_ends
    ]
