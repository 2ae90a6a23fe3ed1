"""The memory that a network needs: the tensors that its operations make, until each is freed.

A training step runs on the meta device, where nothing is allocated or computed. The count has what
operations hold at one time: results, what the backward pass keeps, gradients and the optimizer's
state. It leaves out what a library uses inside one operation.
"""

from __future__ import annotations

import copy
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


def weight_bytes(network: nn.Module, *, auxiliary: bool = True) -> int:
    """The size of parameters and buffers; `auxiliary` says whether the auxiliary head counts."""
    named = (*network.named_parameters(), *network.named_buffers())
    return _bytes(*(t for name, t in named if auxiliary or not name.startswith("auxiliary.")))


def _bytes(*tensors: Tensor) -> int:
    return sum([tensor.numel() * tensor.element_size() for tensor in tensors])


@torch.no_grad()
def inference_bytes(network: nn.Module, image: tuple[int, int, int]) -> int:
    """The peak memory of the intermediate results of one image; several images take a multiple."""
    images = torch.zeros(1, *image)
    with _LiveMemory() as memory:
        network.eval()(images)
    return int(memory.peak)


def training_bytes(network: nn.Module, image: tuple[int, int, int], batch: int) -> int:
    """The peak memory of a training: weights, images and everything in a step of SGD."""
    network = copy.deepcopy(network).to("meta").train()
    bare: Any = network
    if hasattr(bare, "progress"):
        bare.progress = 1.0  # drop path at its fullest
    optimizer = torch.optim.SGD(
        network.parameters(), 0.1, momentum=0.9, weight_decay=5e-4, foreach=True
    )
    images = torch.empty(batch, *image, device="meta")
    labels = torch.zeros(batch, dtype=torch.long, device="meta")

    def forward() -> tuple[Tensor, object]:
        outputs = network(images)
        heads = (outputs,) if isinstance(outputs, Tensor) else outputs
        loss = torch.stack([F.cross_entropy(logits, labels) for logits in heads]).sum()
        return loss, outputs

    momentum = _bytes(*network.parameters())
    peak = peak_of_a_step(optimizer, forward, momentum)
    return peak + weight_bytes(network) + _bytes(images)


def peak_of_a_step(
    optimizer: torch.optim.Optimizer,
    forward: Callable[[], tuple[Tensor, object]],
    state: int,
) -> int:
    """The peak memory in bytes of one step, without weights and inputs.

    Args:
        optimizer: An optimizer that has made no step yet.
        forward: A function that gives the loss, and what is held until the gradients are computed.
        state: The bytes that the optimizer keeps from the first step on.
    """
    with _LiveMemory() as memory:
        loss, held = forward()
        torch.autograd.backward(loss)
        passes = int(memory.peak) + state
        del loss, held
        optimizer.step()
    return max(passes, int(memory.peak))


class _LiveMemory(TorchDispatchMode):
    """Adds up the storages that operations make, until each is freed.

    Attributes:
        now: The bytes that are held now.
        peak: The most bytes that were held at one time.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # torch leaves it untyped
        self.known: weakref.WeakSet[torch.UntypedStorage] = weakref.WeakSet()
        self.now = self.peak = 0

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        del types
        outputs = func(*args, **(kwargs or {}))
        given = {id(t.untyped_storage()) for t in tree_leaves(args) if isinstance(t, Tensor)}
        for output in tree_leaves(outputs):
            if isinstance(output, Tensor) and id(output.untyped_storage()) not in given:
                self._add(output.untyped_storage())
        return outputs

    def _add(self, storage: torch.UntypedStorage) -> None:
        if storage in self.known:
            return
        self.known.add(storage)
        size = storage.nbytes()
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._freed, size).atexit = False

    def _freed(self, size: int) -> None:
        self.now -= size
