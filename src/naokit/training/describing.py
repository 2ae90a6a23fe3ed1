"""What is measured on an untrained network, to say something of what training will make of it.

    ridge            how well a linear map of its last features tells the answers of examples that
                     the map was not fitted to
    early_loss       the loss on these after a few updates of the recipe's own loop
    early_accuracy   the share of these that it then gets right

All examples are training examples. What the numbers say of the network depends on data and recipe:
after a short training the best networks learn fast, after a long one not always.

Shapes: E examples, H features, K classes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.nn import functional as F

from naokit.training.clock import PASSES
from naokit.training.failures import memory_failures
from naokit.training.loop import train
from naokit.training.normalising import batch_statistics
from naokit.training.task import Task

PENALTY = 0.1
"""Of the ridge regression: in features of unit variance, for each example that it is fitted to."""

RIDGE, LOSS, ACCURACY = "ridge", "early_loss", "early_accuracy"


class Probe(ABC):
    """Training examples that untrained networks are looked at with, fetched once.

    Attributes:
        names: The descriptors that are measured.
        task: A few updates by the recipe, as its first epoch; next to nothing is held out.
        answers: The class of each example (E,), on the processor.
        fitted: To how many of the examples, the first ones, the regression is fitted; the others
            judge.
    """

    names: ClassVar[tuple[str, ...]] = (RIDGE, LOSS, ACCURACY)
    task: Task[Any, Any]
    answers: Tensor
    fitted: int

    @abstractmethod
    def look(self, network: nn.Module, *, judge: bool) -> tuple[Tensor, Tensor]:
        """The last features (E, H) and logits (E, K) of all examples, or of those that judge."""

    @property
    def passes(self) -> int:
        """How many examples pass through a network forward, as far as time counts."""
        taught: int = sum(update.size for update in self.task.plan(0, 0))
        return 2 * len(self.answers) - self.fitted + PASSES * taught


def describe(network: nn.Module, probe: Probe, fabric: Fabric, seed: int) -> Mapping[str, float]:
    """The descriptors of an untrained network; it is trained a little by that.

    Raises:
        EvaluationFailed: The loss is not finite, or memory ran out.
    """
    with one_thread(), memory_failures():
        network = network.to(fabric.device)
        features, _ = _seen(network, probe, fabric, judge=False)
        train(network, probe.task, seed=seed, fabric=fabric, until=1)
        _, logits = _seen(network, probe, fabric, judge=True)
        answers = probe.answers[probe.fitted :]
        found = {
            RIDGE: ridge_score(features, probe.answers, probe.fitted),
            LOSS: float(F.cross_entropy(logits, answers)),
            ACCURACY: float((logits.argmax(dim=1) == answers).double().mean()),
        }
    return {name: found[name] for name in probe.names}


@torch.no_grad()
def _seen(
    network: nn.Module, probe: Probe, fabric: Fabric, *, judge: bool
) -> tuple[Tensor, Tensor]:
    """What a probe sees, on the processor.

    Layers normalise by the batch: the running statistics of so few updates are worth nothing.
    """
    with batch_statistics(network), fabric.autocast():
        features, logits = probe.look(network, judge=judge)
    return features.float().cpu(), logits.float().cpu()


def ridge_score(features: Tensor, answers: Tensor, fitted: int) -> float:
    """The share of the variance of one-hot answers that a ridge regression explains.

    It is fitted to the first examples and judged on the others: 1 where it tells all, 0 where it
    tells no more than the frequencies of the answers do.

    Args:
        features: The features of the examples (E, H).
        answers: The class of each example (E,).
        fitted: How many of the examples it is fitted to.
    """
    inputs = features.double()
    inputs = inputs - inputs[:fitted].mean(dim=0)
    inputs = inputs / inputs[:fitted].std().clamp(min=1e-12)
    targets = (answers[:, None] == answers.unique()).double()
    targets = targets - targets[:fitted].mean(dim=0)
    known, new = inputs[:fitted], inputs[fitted:]
    kernel = known @ known.T + PENALTY * fitted * torch.eye(fitted, dtype=torch.float64)
    left = targets[fitted:] - new @ known.T @ torch.linalg.solve(kernel, targets[:fitted])
    return 1 - float(left.square().sum() / targets[fitted:].square().sum())


def with_last_features(network: nn.Module, inputs: Tensor) -> tuple[Tensor, Tensor]:
    """What the last linear layer of a classifier reads (B, H), and its logits (B, K).

    A network without linear layers has no other features than its logits.
    """
    read: list[Tensor] = []
    layers = [module for module in network.modules() if isinstance(module, nn.Linear)]
    hooks = [layer.register_forward_pre_hook(lambda _, x: read.append(x[0])) for layer in layers]
    try:
        logits: Tensor = network(inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return (read or [logits])[-1].flatten(1), logits


@contextmanager
def one_thread() -> Iterator[None]:
    """Holds torch to one thread, because sums over several are rounded otherwise."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
