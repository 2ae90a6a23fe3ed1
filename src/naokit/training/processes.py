"""Several processes train one network: each takes a share of every batch (DDP through Fabric).

Batch statistics are those of the whole batch, so that as many processes as you like train the same
network, within rounding: what differs is the random draws of augmentation, dropout and drop path,
which each process makes for its own images.

Shapes: B batch, C channels, H and W height and width.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from naokit.training.device import Device, Precision, make_fabric


def in_processes(
    processes: int,
    device: Device,
    precision: Precision,
    function: Callable[..., Any],
    *arguments: Any,
) -> Any:
    """The result of `function(fabric, *arguments)` in the first of `processes` new processes.

    Function and arguments are pickled for them; each has its own Python. Fabric looks for tensors
    in what comes back, and refuses frozen dataclasses.
    """
    fabric = make_fabric(device, precision, processes)
    try:
        return fabric.launch(Share(function, arguments))
    except KeyboardInterrupt:  # else this process would wait for them to the end
        for child in multiprocessing.active_children():
            child.terminate()
        raise


@dataclass(frozen=True)
class Share:
    """One process's share: `function(fabric, *arguments)`, after which it leaves the group.

    One that ends within its group may abort: gloo's threads are still there (pytorch issue 190489).
    After an error it stays in, as others may be waiting in the middle of a sum. The arguments are
    bound, as Fabric would walk through them and refuses frozen dataclasses among them.
    """

    function: Callable[..., Any]
    arguments: tuple[Any, ...] = ()

    def __call__(self, fabric: Fabric) -> Any:
        """What the function returns."""
        found = self.function(fabric, *self.arguments)
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()
        return found


def share_statistics(network: nn.Module, fabric: Fabric) -> nn.Module:
    """The network with normalisations that see the whole batch; as it is in one process."""
    if fabric.world_size == 1:
        return network
    if fabric.device.type == "cuda":
        converted: nn.Module = nn.SyncBatchNorm.convert_sync_batchnorm(network)
        return converted
    for module in list(network.modules()):
        if type(module) is nn.BatchNorm2d:
            module.__class__ = SharedBatchNorm
    return network


class SharedBatchNorm(nn.BatchNorm2d):
    """Batch normalisation over the images of all processes; torch's own needs a GPU."""

    def forward(self, x: Tensor) -> Tensor:
        """The normalised map (B, C, H, W)."""
        if not self.training:
            return super().forward(x)
        count = torch.tensor([x.numel() / x.shape[1]], dtype=x.dtype)
        sums = _over_all(torch.cat([x.sum((0, 2, 3)), count]))
        mean, count = sums[:-1] / sums[-1], sums[-1].detach()
        centred = x - mean.view(1, -1, 1, 1)
        variance = _over_all(centred.square().sum((0, 2, 3))) / count
        self._track(mean.detach(), variance.detach() * count / (count - 1))
        scale = torch.rsqrt(variance + self.eps) * self.weight
        return centred * scale.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)

    @torch.no_grad()
    def _track(self, mean: Tensor, variance: Tensor) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        self.running_mean.lerp_(mean, self.momentum or 0.0)
        self.running_var.lerp_(variance, self.momentum or 0.0)
        self.num_batches_tracked += 1


class _SumOverProcesses(torch.autograd.Function):
    """The sum of what the processes have; so is its gradient."""

    @staticmethod
    def forward(ctx: Any, mine: Tensor) -> Tensor:
        del ctx
        total = mine.clone()
        torch.distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return _SumOverProcesses.forward(ctx, gradient)


def _over_all(sums: Tensor) -> Tensor:
    total: Tensor = _SumOverProcesses.apply(sums)  # type: ignore[no-untyped-call]
    return total
