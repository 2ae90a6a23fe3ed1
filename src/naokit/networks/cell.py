"""One cell: two inputs, nodes that add two branches each, loose ends concatenated (section 1.1).

Shapes: B batch, C channels of the cell, H and W height and width.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from naokit.networks.operations import FactorizedReduce, OperationBuilder, ReLUConvNormalise

INPUTS = 2


@dataclass(frozen=True)
class Branch:
    """An operation on the output of an earlier node; nodes 0 and 1 are the inputs."""

    source: int
    operation: str


@dataclass(frozen=True)
class CellPlan:
    """What a cell computes: two branches a node."""

    nodes: tuple[tuple[Branch, Branch], ...]

    @property
    def loose_ends(self) -> tuple[int, ...]:
        """The nodes that no branch reads, inputs included: the output concatenates them."""
        read = {branch.source for node in self.nodes for branch in node}
        return tuple(node for node in range(INPUTS + len(self.nodes)) if node not in read)


@dataclass(frozen=True)
class MapSize:
    """Shape of a feature map, without the batch."""

    channels: int
    height: int
    width: int

    def halved(self, channels: int) -> MapSize:
        """After stride 2."""
        return MapSize(channels, -(-self.height // 2), -(-self.width // 2))


class Calibration(nn.Module):
    """Brings both inputs of a cell to C channels and to the size of the later one."""

    def __init__(self, before: MapSize, last: MapSize, channels: int) -> None:
        super().__init__()
        self.before: nn.Module = nn.Identity()
        if (before.height, before.width) != (last.height, last.width):
            self.before = nn.Sequential(nn.ReLU(), FactorizedReduce(before.channels, channels))
        elif before.channels != channels:
            self.before = ReLUConvNormalise(before.channels, channels)
        self.last: nn.Module = nn.Identity()
        if last.channels != channels:
            self.last = ReLUConvNormalise(last.channels, channels)

    def forward(
        self, before: Float[Tensor, "B C0 H0 W0"], last: Float[Tensor, "B C1 H W"]
    ) -> tuple[Float[Tensor, "B C H W"], Float[Tensor, "B C H W"]]:
        """Both inputs, calibrated."""
        return self.before(before), self.last(last)


def drop_path(x: Float[Tensor, "B C H W"], keep: float) -> Float[Tensor, "B C H W"]:
    """Zeroes whole samples with probability 1 - keep and scales the others by 1 / keep."""
    mask = torch.bernoulli(torch.full((len(x), 1, 1, 1), keep, dtype=x.dtype, device=x.device))
    return x * (mask / keep)


class Cell(nn.Module):
    """A normal or a reduction cell.

    Attributes:
        output: shape of what it returns, without the batch.
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

    def forward(
        self, before: Float[Tensor, "B C0 H0 W0"], last: Float[Tensor, "B C1 H1 W1"], keep: float
    ) -> Float[Tensor, "B Co H W"]:
        """The concatenated loose ends; `keep` is the probability of keeping a branch."""
        nodes = list(self.calibration(before, last))
        paths = list(zip(self.sources, self.branches, strict=True))
        for x, y in zip(paths[::2], paths[1::2], strict=True):
            nodes.append(self._branch(nodes, *x, keep) + self._branch(nodes, *y, keep))
        for node, shortcut in self.shortcuts.items():
            nodes[int(node)] = shortcut(nodes[int(node)])
        return torch.cat([nodes[node] for node in self.loose_ends], dim=1)

    def _branch(
        self, nodes: list[Tensor], source: int, operation: nn.Module, keep: float
    ) -> Tensor:
        output: Tensor = operation(nodes[source])
        return drop_path(output, keep) if self.training and keep < 1 else output
