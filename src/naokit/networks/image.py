"""The image network: a stem, 3N + 2 cells, a classifier.

It follows docs/specification.md, section 1.3, in the variant of the official PyTorch code.

    stem ── N normal ── reduction ── N normal ── reduction ─┬─ N normal ── pool ── classifier
                                                            └─ auxiliary classifier (training)

Channels double at each reduction: F, 2F, 4F. Weights are drawn from torch's global generator, so a
caller who wants them seeded builds the network inside `torch.random.fork_rng`.

Shapes: B batch, C channels of an image, H and W its height and width, K classes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import chain
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn

from naokit.base import InputError
from naokit.networks.cell import Cell, CellPlan, FeatureMap, MapSize
from naokit.networks.operations import EPSILON, OPERATIONS, OperationBuilder
from naokit.networks.stem import STEMS
from naokit.settings import ImageSettings

MOST_CHANNELS, MOST_CLASSES, MOST_PIXELS = 100_000, 1_000_000, 2**24
MOST_BRANCHES = 4_000  # in all cells: the published networks have 200; this many take 3 s to build
SMALLEST_SIDE = {"small": 4, "large": 32}  # two reductions leave one pixel


class ImageNetwork(nn.Module):
    """An image classifier made of two kinds of cells.

    Attributes:
        normal: The plan of the normal cells.
        reduction: The plan of the reduction cells.
        settings: The settings that the network was built with.
        progress: The share of the training that is done, in [0, 1]. The training loop sets it, and
            the drop-path schedule reads it.

    Raises:
        InputError: The settings are invalid, or a plan names an unknown operation.
    """

    def __init__(
        self,
        normal: CellPlan,
        reduction: CellPlan,
        settings: ImageSettings,
        operations: Mapping[str, OperationBuilder] = OPERATIONS,
    ) -> None:
        super().__init__()
        check_settings(settings)
        check_branches(normal, reduction, settings)
        check_operations(normal, reduction, operations)
        self.normal, self.reduction, self.settings = normal, reduction, settings
        self.progress = 0.0
        channels = settings.channels
        self.stem = STEMS[settings.stem](settings.image, channels)
        before, last = self.stem.sizes
        reductions = (settings.cells, 2 * settings.cells + 1)
        self.cells = nn.ModuleList()
        self.auxiliary_after = reductions[1] if settings.auxiliary else -1
        self.auxiliary: AuxiliaryHead | None = None
        for index in range(3 * settings.cells + 2):
            reduce = index in reductions
            channels *= 2 if reduce else 1
            plan = reduction if reduce else normal
            cell = Cell(
                plan,
                before,
                last,
                channels,
                operations,
                reduction=reduce,
                squeeze=settings.squeeze,
            )
            self.cells.append(cell)
            before, last = last, cell.output
            if index == self.auxiliary_after:
                self.auxiliary = AuxiliaryHead(last, settings.classes)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(1 - settings.dropout_keep)
        self.classifier = nn.Linear(last.channels, settings.classes)
        initialise(self)

    def forward(
        self, images: Float[Tensor, "B C H W"]
    ) -> Float[Tensor, "B K"] | tuple[Float[Tensor, "B K"], Float[Tensor, "B K"]]:
        """The logits; in training with an auxiliary head (logits, auxiliary logits)."""
        before, last = self._stem(images)
        auxiliary_logits = None
        for index, cell in enumerate(self.cells):
            before, last = last, cell(before, last, self.keep(index))
            if self.training and self.auxiliary is not None and index == self.auxiliary_after:
                auxiliary_logits = self.auxiliary(last.values)
        logits: Tensor = self.classifier(self.dropout(self.pool(last.values).flatten(1)))
        return logits if auxiliary_logits is None else (logits, auxiliary_logits)

    def _stem(self, images: Tensor) -> tuple[FeatureMap, FeatureMap]:
        before, last = self.stem(images)
        first = FeatureMap(before)
        return first, first if last is before else FeatureMap(last)

    def keep(self, index: int) -> float:
        """The probability of keeping a branch of cell `index`; it falls with depth and progress."""
        depth = (index + 1) / len(self.cells)
        return 1 - self.progress * depth * (1 - self.settings.drop_path_keep)


class AuxiliaryHead(nn.Module):
    """The second classifier, with the published pools for 8 x 8 (CIFAR) and 7 x 7 (ImageNet) maps.

    On maps of any other size an adaptive pool gives the same 2 x 2.
    """

    STRIDES: ClassVar = {(8, 8): 3, (7, 7): 2}

    def __init__(self, size: MapSize, classes: int) -> None:
        super().__init__()
        stride = self.STRIDES.get((size.height, size.width))
        self.features = nn.Sequential(
            nn.ReLU(),
            nn.AvgPool2d(5, stride) if stride else nn.AdaptiveAvgPool2d(2),
            nn.Conv2d(size.channels, 128, 1, bias=False),
            nn.BatchNorm2d(128, eps=EPSILON),
            nn.ReLU(),
            nn.Conv2d(128, 768, 2, bias=False),
            nn.BatchNorm2d(768, eps=EPSILON),
            nn.ReLU(),
        )
        self.classifier = nn.Linear(768, classes)

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B K"]:
        """The auxiliary logits."""
        logits: Tensor = self.classifier(self.features(x).flatten(1))
        return logits


def initialise(network: nn.Module) -> None:
    """Draws Kaiming-normal weights for every tensor of two or more dimensions."""
    for parameter in network.parameters():
        if parameter.dim() >= 2:
            nn.init.kaiming_normal_(parameter)


def check_settings(settings: ImageSettings) -> None:
    """Raises InputError if a network of this size cannot be built."""
    keeps = (settings.drop_path_keep, settings.dropout_keep)
    if not 2 <= settings.channels <= MOST_CHANNELS or settings.channels % 2:
        raise InputError(
            f"channels must be even (halved by reductions), 2 to {MOST_CHANNELS:,}, not "
            f"{settings.channels}"
        )
    if settings.cells < 1:
        raise InputError(f"cells (N) must be at least 1, not {settings.cells}")
    if not 2 <= settings.classes <= MOST_CLASSES:
        raise InputError(
            f"a classifier needs at least 2 classes, at most {MOST_CLASSES:,}, not "
            f"{settings.classes}"
        )
    if settings.stem not in STEMS:
        raise InputError(f"there is no stem {settings.stem!r}; there are {', '.join(STEMS)}")
    smallest = SMALLEST_SIDE[settings.stem]
    if min(settings.image[1:]) < smallest or settings.image[0] < 1:
        raise InputError(
            f"images need a channel and {smallest} pixels a side (stem {settings.stem}), "
            f"not {settings.image}"
        )
    if math.prod(settings.image) > MOST_PIXELS:
        raise InputError(f"images have at most {MOST_PIXELS:,} values, not {settings.image}")
    if not all(0 < keep <= 1 for keep in keeps):
        raise InputError(f"keep probabilities lie in (0, 1], not {keeps}")


def check_branches(normal: CellPlan, reduction: CellPlan, settings: ImageSettings) -> None:
    """Raises InputError if the network would have more branches than are allowed."""
    found = 2 * (3 * settings.cells * len(normal.nodes) + 2 * len(reduction.nodes))
    if found > MOST_BRANCHES:
        raise InputError(
            f"a network has at most {MOST_BRANCHES:,} branches, not {found:,}: give fewer cells "
            "or nodes"
        )


def check_operations(
    normal: CellPlan, reduction: CellPlan, operations: Mapping[str, OperationBuilder]
) -> None:
    """Raises InputError if a cell names an unknown operation."""
    for x, y in chain(normal.nodes, reduction.nodes):
        for name in (x.operation, y.operation):
            if name not in operations:
                raise InputError(
                    f"there is no operation {name!r}; known are {', '.join(operations)}"
                )
