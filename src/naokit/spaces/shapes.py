"""Checks by one tiny forward pass that a user's own parts keep the shapes that they promise.

A part that changes a shape may still be added to others by broadcasting, and would then train as
something else.

Shapes: B batch, C channels, H hidden units.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import torch
from torch import nn

from naokit.base import InputError
from naokit.networks.operations import OperationBuilder

SIDE = 8
"""Height and width of the map that an operation is tried on."""


def check_activation(name: str, function: Callable[[torch.Tensor], object], hidden: int) -> None:
    """Raises InputError if the activation does not map (B, H) to (B, H)."""
    _check(f"the activation {name}", function, (3, hidden), (3, hidden))


def checked_operation(name: str, build: OperationBuilder) -> OperationBuilder:
    """A builder that tries the first module that it builds for each stride.

    It raises InputError if the module does not map (B, C, height, width) to
    (B, C, height / stride, width / stride).
    """
    tried: set[int] = set()

    def checked(channels: int, stride: int) -> nn.Module:
        module = build(channels, stride)
        if stride not in tried:
            tried.add(stride)
            side = SIDE // stride
            what = f"the operation {name} with stride {stride}"
            training = module.training
            module.eval()  # running averages stay as they are
            _check(what, module, (2, channels, SIDE, SIDE), (2, channels, side, side))
            module.train(training)
        return module

    return checked


def _check(
    what: str,
    part: Callable[[torch.Tensor], object],
    given: tuple[int, ...],
    expected: tuple[int, ...],
) -> None:
    made: object = None
    # A part that raises here (it may need a GPU) is reported when it is used.
    with suppress(Exception), torch.no_grad(), torch.random.fork_rng(devices=[]):
        made = part(torch.zeros(given))
    if made is None:
        return
    found = tuple(made.shape) if isinstance(made, torch.Tensor) else type(made).__name__
    if found != expected:
        raise InputError(f"{what} makes {found} of {given}; it must give {expected}: mend it")
