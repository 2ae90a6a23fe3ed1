"""The network of cells with operations on edges, alone and shared (Dong and Yang 2020, 2001.00326).

    stem ── N cells ── residual block ── N cells ── residual block ── N cells ── pool ── classifier

A cell has four nodes; each edge between two of them carries one operation, and a node adds what
arrives. Channels double in the residual blocks: C, 2C, 4C.

Shapes: B batch, C channels, H and W height and width, K classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from naokit.base import InputError
from naokit.networks.cell import FeatureMap
from naokit.networks.image import check_settings
from naokit.networks.operations import (
    EPSILON,
    AfterReLU,
    OperationBuilder,
    average_pool,
    convolution,
)
from naokit.settings import ImageSettings

EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
"""The nodes that each edge joins; node 0 is the input of a cell, node 3 its output."""
NOTHING = "none"
"""The operation that gives zeros: it is left out."""
EDGE_OPERATIONS: Mapping[str, OperationBuilder] = {
    "skip_connect": lambda channels, stride: nn.Identity(),
    "nor_conv_1x1": convolution(1),
    "nor_conv_3x3": convolution(3),
    "avg_pool_3x3": average_pool(3, count_padding=False),
}
EdgePlan = tuple[str, ...]
"""The operation of each edge."""


class EdgeCell(nn.Module):
    """One cell.

    Attributes:
        operations: The operation of each edge that has one, by the edge's place.
    """

    def __init__(self, plan: EdgePlan, channels: int) -> None:
        super().__init__()
        self.operations = nn.ModuleDict(
            {
                str(edge): EDGE_OPERATIONS[name](channels, 1)
                for edge, name in enumerate(plan)
                if name != NOTHING
            }
        )

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """What arrives at the last node."""
        there = dict(self.operations.items())
        return add_edges(x, [there.get(str(edge)) for edge in range(len(EDGES))])


class SharedEdgeCell(nn.Module):
    """Every cell: each edge has weights of its own for every operation.

    Attributes:
        options: The operations of each edge by name.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.options = nn.ModuleList(
            nn.ModuleDict({name: build(channels, 1) for name, build in EDGE_OPERATIONS.items()})
            for _ in EDGES
        )

    def forward(self, x: Float[Tensor, "B C H W"], plan: EdgePlan) -> Float[Tensor, "B C H W"]:
        """What arrives at the last node of the cell of a plan."""
        return add_edges(x, [self.at(edge, name) for edge, name in enumerate(plan)])

    def at(self, edge: int, name: str) -> nn.Module | None:
        """The operation of this name on an edge; None where it gives zeros."""
        options: nn.ModuleDict = self.options[edge]  # type: ignore[assignment]
        return None if name == NOTHING else options[name]


def add_edges(x: Tensor, operations: Sequence[nn.Module | None]) -> Tensor:
    """The last node of a cell; an edge without an operation adds nothing."""
    nodes = [FeatureMap(x)]
    for node in range(1, 4):
        arriving = [
            nodes[source].through(operation)
            for (source, target), operation in zip(EDGES, operations, strict=True)
            if target == node and operation is not None
        ]
        total = torch.zeros_like(x) if not arriving else arriving[0]
        for more in arriving[1:]:
            total = total + more
        nodes.append(FeatureMap(total))
    return nodes[3].values


class ResidualBlock(nn.Module):
    """Halves a map and doubles its channels."""

    def __init__(self, channels_in: int, channels: int) -> None:
        super().__init__()
        self.first, self.second = (
            AfterReLU(
                nn.Conv2d(before, channels, 3, stride, 1, bias=False),
                nn.BatchNorm2d(channels, eps=EPSILON),
            )
            for before, stride in ((channels_in, 2), (channels, 1))
        )
        # A side of odd length ends in a half window: maps of even sides are pooled as published.
        self.shortcut = nn.Sequential(
            nn.AvgPool2d(2, 2, ceil_mode=True, count_include_pad=False),
            nn.Conv2d(channels_in, channels, 1, bias=False),
        )

    def forward(self, x: Float[Tensor, "B Ci H W"]) -> Float[Tensor, "B C H2 W2"]:
        """The halved map."""
        halved: Tensor = self.shortcut(x) + self.second(self.first(x))
        return halved


class EdgeStages(nn.Module):
    """The network around cells; what is given to `forward` after the images goes to each cell.

    Attributes:
        settings: What the network was built for.

    Raises:
        InputError: The settings do not fit.
    """

    def __init__(self, settings: ImageSettings, cells: Sequence[nn.Module]) -> None:
        super().__init__()
        check_settings(settings)
        if settings.auxiliary:
            raise InputError(
                "these networks have no auxiliary head: choose a recipe whose auxiliary_weight is 0"
            )
        self.settings = settings
        channels = settings.channels
        self.stem = nn.Sequential(
            nn.Conv2d(settings.image[0], channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )
        self.cells = nn.ModuleList(cells)
        self.blocks = nn.ModuleList(
            ResidualBlock(width * channels, 2 * width * channels) for width in (1, 2)
        )
        self.last = nn.Sequential(nn.BatchNorm2d(4 * channels), nn.ReLU(), nn.AdaptiveAvgPool2d(1))
        self.dropout = nn.Dropout(1 - settings.dropout_keep)
        self.classifier = nn.Linear(4 * channels, settings.classes)

    def forward(self, images: Float[Tensor, "B C H W"], *plan: EdgePlan) -> Float[Tensor, "B K"]:
        """The logits."""
        x = self.stem(images)
        for index, cell in enumerate(self.cells):
            if index in (self.settings.cells, 2 * self.settings.cells):
                x = self.blocks[index // self.settings.cells - 1](x)
            x = cell(x, *plan)
        logits: Tensor = self.classifier(self.dropout(self.last(x).flatten(1)))
        return logits


class EdgeNetwork(EdgeStages):
    """An image classifier made of one kind of cell; `settings.cells` of them in each stage."""

    def __init__(self, plan: EdgePlan, settings: ImageSettings) -> None:
        super().__init__(settings, [EdgeCell(plan, width) for width in widths(settings)])
        self.plan = plan


class SharedEdgeNetwork(EdgeStages):
    """Every such classifier, with shared weights: `network(images, plan)`."""

    def __init__(self, settings: ImageSettings) -> None:
        super().__init__(settings, [SharedEdgeCell(width) for width in widths(settings)])

    def network(self, plan: EdgePlan) -> EdgeNetwork:
        """The network of a plan by itself, with copies of the weights that it uses here."""
        alone = EdgeNetwork(plan, self.settings)
        for name in ("stem", "blocks", "last", "classifier"):
            getattr(alone, name).load_state_dict(getattr(self, name).state_dict())
        for cell, own in zip(self.cells, alone.cells, strict=True):
            assert isinstance(cell, SharedEdgeCell)
            assert isinstance(own, EdgeCell)
            for edge, operation in own.operations.items():
                shared = cell.at(int(edge), plan[int(edge)])
                assert shared is not None
                operation.load_state_dict(shared.state_dict())
        return alone.train(self.training)


def widths(settings: ImageSettings) -> list[int]:
    """The channels of each cell."""
    return [width * settings.channels for width in (1, 2, 4) for _ in range(settings.cells)]
