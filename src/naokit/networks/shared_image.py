"""One image network that holds every cell of a space (docs/specification.md, section 2.8).

Each branch of each node has weights and normalisation of its own for every operation and every
node that it may read, so that a weight always sees the same input. The loose ends of a sampled cell
go through a 1x1 convolution back to C channels, whose rows are those of the ends. Only what the
sampled cells use is computed.

Shapes: B batch, C channels, H and W height and width, K classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from naokit.base import InputError
from naokit.networks.cell import (
    INPUTS,
    Branch,
    Calibration,
    CellPlan,
    FeatureMap,
    MapSize,
    add_nodes,
    loose,
    stride_of,
)
from naokit.networks.image import (
    AuxiliaryHead,
    ImageNetwork,
    check_operations,
    check_settings,
    initialise,
)
from naokit.networks.operations import EPSILON, OPERATIONS, FactorizedReduce, OperationBuilder
from naokit.networks.stem import STEMS
from naokit.settings import ImageSettings


class SharedCell(nn.Module):
    """Every cell of so many nodes.

    Attributes:
        options: The operations of each branch: `options[branch][source][operation]`.
        ends: The rows of the closing convolution that each node would have (C, C, 1, 1).
        output: The shape of what it returns, without the batch.
    """

    def __init__(
        self,
        nodes: int,
        names: Sequence[str],
        before: MapSize,
        last: MapSize,
        channels: int,
        operations: Mapping[str, OperationBuilder],
        *,
        reduction: bool,
    ) -> None:
        super().__init__()
        self.names = {name: place for place, name in enumerate(names)}
        self.calibration = Calibration(before, last, channels)

        def options(source: int) -> nn.ModuleList:
            return nn.ModuleList(
                operations[name](channels, stride_of(Branch(source, name), reduction=reduction))
                for name in names
            )

        self.options = nn.ModuleList(
            nn.ModuleList(options(source) for source in range(INPUTS + node))
            for node in range(nodes)
            for _ in range(2)
        )
        self.shortcuts = nn.ModuleDict(
            {str(node): FactorizedReduce(channels, channels) for node in range(INPUTS) if reduction}
        )
        self.ends = nn.ParameterList(
            nn.Parameter(torch.empty(channels, channels, 1, 1)) for _ in range(INPUTS + nodes)
        )
        self.normalise = nn.BatchNorm2d(channels, eps=EPSILON)
        size = MapSize(channels, last.height, last.width)
        self.output = size.halved(channels) if reduction else size

    def forward(
        self, before: FeatureMap, last: FeatureMap, plan: CellPlan, keep: float
    ) -> FeatureMap:
        """The output of the cell of this plan; `keep` is the probability of keeping a branch."""
        inputs = self.calibration(before, last)
        branches = list(zip(plan.branches, self.sampled(plan), strict=True))
        nodes = add_nodes(inputs, branches, keep if self.training else 1.0)
        ends = torch.cat(loose(nodes, plan, self.shortcuts), dim=1)
        closed = F.conv2d(F.relu(ends), self.closing(plan))
        return FeatureMap(self.normalise(closed))

    def sampled(self, plan: CellPlan) -> list[nn.Module]:
        """The operation of each branch of a plan."""
        return [
            self.options[number][branch.source][self.names[branch.operation]]  # type: ignore[index]
            for number, branch in enumerate(plan.branches)
        ]

    def closing(self, plan: CellPlan) -> Float[Tensor, "C Ce 1 1"]:
        """The weight of the closing convolution of a plan's loose ends."""
        return torch.cat([self.ends[node] for node in plan.loose_ends], dim=1)


class SharedImageNetwork(nn.Module):
    """Every image network of a space, with shared weights.

    Attributes:
        settings: What the network was built for.
        progress: The share of the training that is done, in [0, 1]; drop path follows it.

    Raises:
        InputError: The settings do not fit, or there is no such operation.
    """

    def __init__(
        self,
        nodes: int,
        names: Sequence[str],
        settings: ImageSettings,
        operations: Mapping[str, OperationBuilder] = OPERATIONS,
    ) -> None:
        super().__init__()
        check_settings(settings)
        check_shared(nodes, names, settings)
        self.settings, self.operations, self.progress = settings, operations, 0.0
        channels = settings.channels
        self.stem = STEMS[settings.stem](settings.image, channels)
        before, last = self.stem.sizes
        self.reductions = (settings.cells, 2 * settings.cells + 1)
        self.cells = nn.ModuleList()
        self.auxiliary: AuxiliaryHead | None = None
        for index in range(3 * settings.cells + 2):
            reduce = index in self.reductions
            channels *= 2 if reduce else 1
            cell = SharedCell(nodes, names, before, last, channels, operations, reduction=reduce)
            self.cells.append(cell)
            before, last = last, cell.output
            if settings.auxiliary and index == self.reductions[1]:
                self.auxiliary = AuxiliaryHead(last, settings.classes)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(1 - settings.dropout_keep)
        self.classifier = nn.Linear(last.channels, settings.classes)
        initialise(self)

    def forward(
        self, images: Float[Tensor, "B C H W"], plan: tuple[CellPlan, CellPlan]
    ) -> Float[Tensor, "B K"] | tuple[Float[Tensor, "B K"], Float[Tensor, "B K"]]:
        """The logits of the cells of a plan (normal, reduction); see `ImageNetwork.forward`."""
        before, last = (FeatureMap(values) for values in self.stem(images))
        auxiliary_logits = None
        for index, cell in enumerate(self.cells):
            which = plan[index in self.reductions]
            before, last = last, cell(before, last, which, self.keep(index))
            if self.training and self.auxiliary is not None and index == self.reductions[1]:
                auxiliary_logits = self.auxiliary(last.values)
        logits: Tensor = self.classifier(self.dropout(self.pool(last.values).flatten(1)))
        return logits if auxiliary_logits is None else (logits, auxiliary_logits)

    def keep(self, index: int) -> float:
        """The probability of keeping a branch of cell `index`; see `ImageNetwork.keep`."""
        depth = (index + 1) / len(self.cells)
        return 1 - self.progress * depth * (1 - self.settings.drop_path_keep)

    def network(self, plan: tuple[CellPlan, CellPlan]) -> ImageNetwork:
        """The network of a plan by itself, with copies of the weights that it uses here."""
        check_operations(*plan, self.operations)
        alone = ImageNetwork(*plan, replace(self.settings, squeeze=True), self.operations)
        for name in ("stem", "classifier", "auxiliary"):
            if (part := getattr(self, name)) is not None:
                getattr(alone, name).load_state_dict(part.state_dict())
        for index, (cell, own) in enumerate(zip(self.cells, alone.cells, strict=True)):
            _copy(cell, own, plan[index in self.reductions])  # type: ignore[arg-type]
        alone.train(self.training)
        return alone


def _copy(shared: SharedCell, own: nn.Module, plan: CellPlan) -> None:
    """Copies what a shared cell uses of a plan into a cell of that plan."""
    pairs = [
        (shared.calibration, own.calibration),
        *zip(shared.sampled(plan), own.branches, strict=True),  # type: ignore[arg-type]
        *((shared.shortcuts[name], part) for name, part in own.shortcuts.items()),  # type: ignore[union-attr, operator]
        (shared.normalise, own.squeeze[1]),  # type: ignore[index]
    ]
    for part, copy in pairs:
        copy.load_state_dict(part.state_dict())
    with torch.no_grad():
        own.squeeze[0].weight.copy_(shared.closing(plan))  # type: ignore[index, union-attr]


def check_shared(nodes: int, names: Sequence[str], settings: ImageSettings) -> None:
    """Raises InputError where a shared network of this size has more operations than any needs."""
    count = 2 * len(names) * sum(INPUTS + node for node in range(nodes))
    total = count * (3 * settings.cells + 2)
    if total > MOST_OPTIONS:
        raise InputError(
            f"a shared network has at most {MOST_OPTIONS:,} operations, not {total:,}: give fewer "
            "cells, nodes or operations"
        )


MOST_OPTIONS = 20_000
"""Operations of one shared network: the published one has 2,200 (5 nodes, 5 operations, N = 3)."""
