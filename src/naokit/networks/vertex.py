"""The network of cells with operations on vertices (Ying et al. 2019, arXiv 1902.09635).

    stem ── N cells ── max pool ── N cells ── max pool ── N cells ── mean ── classifier

A cell is a directed acyclic graph. An inner vertex adds what arrives and applies one operation; the
output concatenates what arrives. Each edge from the cell's input is a projection, a 1x1 convolution
with weights of its own; one that leads to the output is added to the concatenation. Channels double
after each pool: C, 2C, 4C.

Shapes: B batch, C channels, H and W height and width, K classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor, nn

from naokit.base import InputError
from naokit.networks.image import check_settings, initialise
from naokit.networks.operations import EPSILON, OperationBuilder, max_pool
from naokit.settings import ImageSettings

STACKS = 3


def convolution(channels_in: int, channels: int, kernel: int) -> nn.Sequential:
    """Convolution, normalisation and ReLU."""
    return nn.Sequential(
        nn.Conv2d(channels_in, channels, kernel, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(channels, eps=EPSILON),
        nn.ReLU(),
    )


VERTEX_OPERATIONS: Mapping[str, OperationBuilder] = {
    "conv3x3-bn-relu": lambda channels, stride: convolution(channels, channels, 3),
    "conv1x1-bn-relu": lambda channels, stride: convolution(channels, channels, 1),
    "maxpool3x3": max_pool(3),
}


@dataclass(frozen=True)
class VertexPlan:
    """What a cell computes. Every vertex lies on a path from the input to the output.

    Attributes:
        operations: The operation of each inner vertex; these are the vertices 1 to n, in
            topological order. Vertex 0 is the input, vertex n + 1 the output.
        edges: Pairs (source, target) with source < target.
    """

    operations: tuple[str, ...]
    edges: tuple[tuple[int, int], ...]

    @property
    def output(self) -> int:
        """The number of the output."""
        return len(self.operations) + 1

    @cached_property
    def concatenated(self) -> tuple[int, ...]:
        """The inner vertices that the output reads."""
        inner = range(1, self.output)
        return tuple(vertex for vertex in inner if (vertex, self.output) in self.edges)

    def channels(self, wide: int) -> tuple[int, ...]:
        """The channels of the inner vertices of a cell whose output has `wide` channels.

        Those that the output reads share its channels evenly, and the first of them have one more
        where a remainder is left. Any other has as many as the widest vertex that reads it.
        """
        found = dict.fromkeys(range(1, self.output), 0)
        for place, vertex in enumerate(self.concatenated):
            share, rest = divmod(wide, len(self.concatenated))
            found[vertex] = share + (place < rest)
        for vertex in reversed(found):
            if vertex not in self.concatenated:
                readers = [target for source, target in self.edges if source == vertex]
                found[vertex] = max(found[reader] for reader in readers)
        return tuple(found.values())


class VertexCell(nn.Module):
    """One cell.

    Attributes:
        plan: What it computes.
        projections: The projection to each vertex that reads the input, by the vertex's number.
        operations: The operation of each inner vertex.
    """

    def __init__(self, plan: VertexPlan, channels_in: int, channels: int) -> None:
        super().__init__()
        self.plan = plan
        self.widths = (channels_in, *plan.channels(channels), channels)
        self.projections = nn.ModuleDict(
            {
                str(target): convolution(channels_in, self.widths[target], 1)
                for source, target in plan.edges
                if source == 0
            }
        )
        self.operations = nn.ModuleList(
            VERTEX_OPERATIONS[name](width, 1)
            for name, width in zip(plan.operations, self.widths[1:-1], strict=True)
        )

    def forward(self, x: Float[Tensor, "B Ci H W"]) -> Float[Tensor, "B C H W"]:
        """What arrives at the output."""
        values: list[Tensor] = [x]
        for vertex, operation in enumerate(self.operations, 1):
            values.append(operation(self._arriving(vertex, values)))
        ends = [values[vertex] for vertex in self.plan.concatenated]
        output = str(self.plan.output)
        if output in self.projections:
            projected: Tensor = self.projections[output](x)
            return torch.cat(ends, dim=1) + projected if ends else projected
        return torch.cat(ends, dim=1)

    def _arriving(self, vertex: int, values: list[Tensor]) -> Tensor:
        """The sum of what a vertex reads; maps with more channels than its own are cut off."""
        width = self.widths[vertex]
        arriving = [
            self.projections[str(target)](values[0]) if source == 0 else values[source][:, :width]
            for source, target in self.plan.edges
            if target == vertex
        ]
        total = arriving[0]
        for more in arriving[1:]:
            total = total + more
        return total


class VertexNetwork(nn.Module):
    """An image classifier made of one kind of cell; `settings.cells` of them in each stack.

    Attributes:
        plan: What each cell computes.
        settings: What the network was built for.

    Raises:
        InputError: The settings do not fit.
    """

    def __init__(self, plan: VertexPlan, settings: ImageSettings) -> None:
        super().__init__()
        check_settings(settings)
        if settings.auxiliary:
            raise InputError(
                "these networks have no auxiliary head: choose a recipe whose auxiliary_weight is 0"
            )
        self.plan, self.settings = plan, settings
        channels = settings.channels
        self.stem = convolution(settings.image[0], channels, 3)
        self.cells = nn.ModuleList()
        before = channels
        for stack in range(STACKS):
            for _ in range(settings.cells):
                self.cells.append(VertexCell(plan, before, channels * 2**stack))
                before = channels * 2**stack
        # A side of odd length ends in a half window, as where the pool pads to the same size.
        self.halve = nn.MaxPool2d(2, 2, ceil_mode=True)
        self.mean = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(1 - settings.dropout_keep)
        self.classifier = nn.Linear(before, settings.classes)
        initialise(self)

    def forward(self, images: Float[Tensor, "B C H W"]) -> Float[Tensor, "B K"]:
        """The logits."""
        x = self.stem(images)
        for index, cell in enumerate(self.cells):
            if index and index % self.settings.cells == 0:
                x = self.halve(x)
            x = cell(x)
        logits: Tensor = self.classifier(self.dropout(self.mean(x).flatten(1)))
        return logits
