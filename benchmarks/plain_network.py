"""The paper's image network as one would first write it: plain, eager, contiguous.

It is written from docs/specification.md, sections 1.1 to 1.3, independently of `naokit.networks`,
which is measured against it and whose outputs are compared. Parameters are made in the same order,
so that weights can be copied across. The auxiliary head and drop path are left out.

Shapes: B batch, C channels, H and W height and width.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from naokit.networks import CellPlan, ImageNetwork


class Reduce(nn.Module):
    """Two 1x1 convolutions of stride 2, one of them on the map moved by a pixel."""

    def __init__(self, channels_in: int, channels: int) -> None:
        super().__init__()
        self.one = nn.Conv2d(channels_in, channels // 2, 1, 2, bias=False)
        self.two = nn.Conv2d(channels_in, channels // 2, 1, 2, bias=False)
        self.normalise = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        moved = F.pad(x, (0, 1, 0, 1))[:, :, 1:, 1:]
        halved: Tensor = self.normalise(torch.cat([self.one(x), self.two(moved)], dim=1))
        return halved


def convolution(
    channels_in: int, channels: int, kernel: tuple[int, int], stride: tuple[int, int]
) -> list[nn.Module]:
    """ReLU, convolution, normalisation."""
    padding = (kernel[0] // 2, kernel[1] // 2)
    return [
        nn.ReLU(),
        nn.Conv2d(channels_in, channels, kernel, stride, padding, bias=False),
        nn.BatchNorm2d(channels),
    ]


def separable(channels: int, kernel: int, stride: int) -> list[nn.Module]:
    """ReLU, depthwise and pointwise convolution, normalisation."""
    return [
        nn.ReLU(),
        nn.Conv2d(channels, channels, kernel, stride, kernel // 2, groups=channels, bias=False),
        nn.Conv2d(channels, channels, 1, bias=False),
        nn.BatchNorm2d(channels),
    ]


def factored(channels: int, kernel: int, stride: int) -> list[nn.Module]:
    """ReLU, 1xk convolution and normalisation, then the same with kx1."""
    return [
        *convolution(channels, channels, (1, kernel), (1, stride)),
        *convolution(channels, channels, (kernel, 1), (stride, 1)),
    ]


def padded(pool: nn.Module) -> list[nn.Module]:
    """A 2x2 pool of a map with zeros below and to the right."""
    return [nn.ZeroPad2d((0, 1, 0, 1)), pool]


OPERATIONS: dict[str, Callable[[int, int], Sequence[nn.Module]]] = {
    "sep_conv_3x3": lambda c, s: [*separable(c, 3, s), *separable(c, 3, 1)],
    "sep_conv_5x5": lambda c, s: [*separable(c, 5, s), *separable(c, 5, 1)],
    "avg_pool_3x3": lambda _, s: [nn.AvgPool2d(3, s, 1, count_include_pad=False)],
    "max_pool_3x3": lambda _, s: [nn.MaxPool2d(3, s, 1)],
    "identity": lambda c, s: [nn.Identity() if s == 1 else Reduce(c, c)],
    "conv_1x1": lambda c, s: convolution(c, c, (1, 1), (s, s)),
    "conv_3x3": lambda c, s: convolution(c, c, (3, 3), (s, s)),
    "conv_1x3_3x1": lambda c, s: factored(c, 3, s),
    "conv_1x7_7x1": lambda c, s: factored(c, 7, s),
    "max_pool_2x2": lambda _, s: padded(nn.MaxPool2d(2, s)),
    "max_pool_5x5": lambda _, s: [nn.MaxPool2d(5, s, 2)],
    "sep_conv_7x7": lambda c, s: [*separable(c, 7, s), *separable(c, 7, 1)],
    "avg_pool_2x2_padded": lambda _, s: padded(nn.AvgPool2d(2, s)),
    "avg_pool_3x3_padded": lambda _, s: [nn.AvgPool2d(3, s, 1)],
    "avg_pool_5x5_padded": lambda _, s: [nn.AvgPool2d(5, s, 2)],
}


class PlainCell(nn.Module):
    """One cell; `sizes` are the channels and the side of its two inputs."""

    def __init__(
        self, plan: CellPlan, sizes: list[tuple[int, int]], channels: int, reduction: bool
    ) -> None:
        super().__init__()
        (before, before_side), (last, last_side) = sizes
        self.before: nn.Module = nn.Identity()
        if before_side != last_side:
            self.before = nn.Sequential(nn.ReLU(), Reduce(before, channels))
        elif before != channels:
            self.before = nn.Sequential(*convolution(before, channels, (1, 1), (1, 1)))
        self.last: nn.Module = nn.Identity()
        if last != channels:
            self.last = nn.Sequential(*convolution(last, channels, (1, 1), (1, 1)))
        self.plan = plan
        self.branches = nn.ModuleList(
            nn.Sequential(
                *OPERATIONS[b.operation](channels, 2 if reduction and b.source < 2 else 1)
            )
            for node in plan.nodes
            for b in node
        )
        self.shortcuts = nn.ModuleDict(
            {str(n): Reduce(channels, channels) for n in plan.loose_ends if reduction and n < 2}
        )
        self.output = (channels * len(plan.loose_ends), last_side // 2 if reduction else last_side)

    def forward(self, before: Tensor, last: Tensor) -> Tensor:
        nodes = [self.before(before), self.last(last)]
        for number, (x, y) in enumerate(self.plan.nodes):
            nodes.append(
                self.branches[2 * number](nodes[x.source])
                + self.branches[2 * number + 1](nodes[y.source])
            )
        return torch.cat(
            [
                self.shortcuts[str(n)](nodes[n]) if str(n) in self.shortcuts else nodes[n]
                for n in self.plan.loose_ends
            ],
            dim=1,
        )


class PlainNetwork(nn.Module):
    """The same network as `network`, with the same weights."""

    def __init__(self, network: ImageNetwork) -> None:
        super().__init__()
        settings = network.settings
        channels, side = settings.channels, settings.image[1]
        self.stem = nn.Sequential(
            nn.Conv2d(settings.image[0], 3 * channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(3 * channels),
        )
        sizes = [(3 * channels, side), (3 * channels, side)]
        self.cells = nn.ModuleList()
        for index in range(3 * settings.cells + 2):
            reduction = index in (settings.cells, 2 * settings.cells + 1)
            channels *= 2 if reduction else 1
            plan = network.reduction if reduction else network.normal
            cell = PlainCell(plan, sizes, channels, reduction)
            self.cells.append(cell)
            sizes = [sizes[1], cell.output]
        self.classifier = nn.Linear(sizes[1][0], settings.classes)
        self.copy_from(network)

    def forward(self, images: Tensor) -> Tensor:
        before = last = self.stem(images)
        for cell in self.cells:
            before, last = last, cell(before, last)
        logits: Tensor = self.classifier(last.mean((2, 3)))
        return logits

    def copy_from(self, network: ImageNetwork) -> None:
        given = [t for n, t in network.state_dict().items() if not n.startswith("auxiliary.")]
        own = list(self.state_dict().values())
        for mine, theirs in zip(own, given, strict=True):
            mine.copy_(theirs)
