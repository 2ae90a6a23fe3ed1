"""What a network costs: parameters, multiply-accumulates and milliseconds.

Shapes of text: L steps, B batch.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode
from torch.utils.flop_counter import FlopCounterMode

from naokit.networks.language import LanguageModel

WARM_UP = 3
"""How many runs precede the timed ones."""


SHAPE_KEEPING = {F.batch_norm, F.relu}
FILLING = {torch.Tensor.uniform_, torch.Tensor.normal_, torch.Tensor.zero_, torch.Tensor.fill_}


@contextmanager
def without_weights() -> Iterator[None]:
    """Networks made inside are on the meta device: shapes without values."""
    with torch.device("meta"), _Untouched(_fills):
        yield


def _fills(func: Any) -> bool:
    """Whether a function sets values: on meta tensors that took two thirds of making a network."""
    return func in FILLING or getattr(func, "__module__", "") == "torch.nn.init"


def _keeps_shape(func: Any) -> bool:
    """Whether it keeps a tensor's shape: to "compute" such functions took most of a count."""
    return func in SHAPE_KEEPING


class _Untouched(TorchFunctionMode):
    """Returns meta tensors as they are in place of what some functions would make of them.

    Args:
        concerned: Whether a function is one of these.
    """

    def __init__(self, concerned: Callable[[Any], bool]) -> None:
        super().__init__()
        self.concerned = concerned

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """The tensor itself, or what the function returns."""
        del types
        kwargs = kwargs or {}
        if self.concerned(func):
            tensor = args[0] if args else kwargs.get("tensor")
            if tensor is not None and tensor.is_meta:
                return tensor
        return func(*args, **kwargs)


def count_parameters(network: nn.Module, *, auxiliary: bool = False) -> int:
    """The number of parameters; those of an auxiliary head count only if `auxiliary` is set."""
    return sum(
        parameter.numel()
        for name, parameter in network.named_parameters()
        if auxiliary or not name.startswith("auxiliary.")
    )


def count_macs(network: nn.Module, image: tuple[int, int, int]) -> int:
    """Multiply-accumulates of convolutions and linear layers for one image, in eval mode.

    Every module gets its own mode back afterwards. On the meta device nothing is computed.
    """
    modes = {module: module.training for module in network.modules()}
    parameter = next(network.parameters())
    network.eval()
    try:
        images = torch.zeros(1, *image, device=parameter.device, dtype=parameter.dtype)
        return _counted(lambda: network(images))
    finally:
        for module, training in modes.items():
            module.training = training


def step_macs(model: LanguageModel) -> int:
    """Multiply-accumulates of the matrix products for one token: cell and logits.

    They are counted on the meta device, where nothing is computed and an LSTM consists of matrix
    products.
    """
    model = copy.deepcopy(model).to("meta").eval()
    token = torch.zeros(1, 1, dtype=torch.int64, device="meta")
    return _counted(lambda: model(token, model.start(1)))


@torch.no_grad()
def _counted(run: Callable[[], object]) -> int:
    with _Untouched(_keeps_shape), FlopCounterMode(display=False) as counter:
        run()
    return int(counter.get_total_flops()) // 2  # two FLOPs a multiply-accumulate


@torch.inference_mode()
def latencies_ms(
    network: nn.Module,
    image: tuple[int, int, int],
    repeats: int = 20,
    *,
    batch: int = 1,
    seconds: float = math.inf,
) -> list[float]:
    """Milliseconds of each run on a batch of images (C, H, W) on the CPU, after the warm-up."""
    images = torch.randn(batch, *image)
    return timings_ms(lambda: network(images), repeats, seconds)


@torch.inference_mode()
def step_latencies_ms(
    model: LanguageModel,
    repeats: int = 20,
    *,
    batch: int = 1,
    steps: int = 1,
    seconds: float = math.inf,
) -> list[float]:
    """Milliseconds of each run over tokens (L, B) on the CPU, after the warm-up."""
    tokens = torch.zeros(steps, batch, dtype=torch.int64)
    state = model.start(batch)
    return timings_ms(lambda: model(tokens, state), repeats, seconds)


def timings_ms(run: Callable[[], object], repeats: int, seconds: float = math.inf) -> list[float]:
    """Milliseconds of each call after the warm-up.

    Args:
        run: The function that is timed.
        repeats: The number of calls after the warm-up.
        seconds: The time limit, after which no further call is made. Two calls are always timed. If
            there was only time for a few calls, those of the warm-up are included.
    """
    found: list[float] = []
    began = time.perf_counter()
    for call in range(WARM_UP + repeats):
        if call >= 2 and time.perf_counter() - began > seconds:
            break
        before = time.perf_counter()
        run()
        found.append(1000 * (time.perf_counter() - before))
    return found[WARM_UP:] if len(found) > 2 * WARM_UP - 1 else found
