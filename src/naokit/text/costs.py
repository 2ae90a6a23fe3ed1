"""What a language model costs: parameters, multiply-accumulates, latency, memory."""

from __future__ import annotations

import copy
from dataclasses import asdict, dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from naokit.networks import LanguageModel, count_parameters, step_latencies_ms, step_macs
from naokit.profiling.latency import SECONDS, Latency
from naokit.profiling.memory import peak_of_a_step, weight_bytes

BATCH, STEPS = 20, 35
"""Of the step whose cost is measured."""


@dataclass(frozen=True)
class LanguageCounts:
    """What is counted of a language model.

    Attributes:
        parameters: The number of parameters.
        macs: The multiply-accumulates of matrix products for one token.
        weights_mb: The size of the parameters, in megabytes.
        training_mb: The most that a training on such batches holds at one time, in megabytes.
        batch: The number of sequences.
        steps: The number of tokens of each sequence.
    """

    parameters: int
    macs: int
    weights_mb: float
    training_mb: float
    batch: int
    steps: int


@dataclass(frozen=True)
class LanguageProfile(LanguageCounts):
    """Costs of using one language model on this machine: what is counted, and its time.

    Attributes:
        latency_ms: The median time of one token, in milliseconds.
        latency_spread_ms: Half the distance between the quartiles of that time, in milliseconds.
        latency_batch_ms: The median time of `batch` sequences of `steps` tokens, in milliseconds.
        latency_batch_spread_ms: Half the distance between the quartiles of that time, in
            milliseconds.
        threads: The number of threads that torch used.
    """

    latency_ms: float
    latency_spread_ms: float
    latency_batch_ms: float
    latency_batch_spread_ms: float
    threads: int


def measure_language(model: LanguageModel) -> LanguageProfile:
    """Costs of the model in eval mode on the CPU, and of a step of training."""
    model.eval()
    one, many = (_latency(model, batch, steps) for batch, steps in ((1, 1), (BATCH, STEPS)))
    return LanguageProfile(
        **asdict(count_language(model)),
        latency_ms=one.median_ms,
        latency_spread_ms=one.spread_ms,
        latency_batch_ms=many.median_ms,
        latency_batch_spread_ms=many.spread_ms,
        threads=torch.get_num_threads(),
    )


def count_language(model: LanguageModel) -> LanguageCounts:
    """What is counted, also of a model without weights."""
    return LanguageCounts(
        parameters=count_parameters(model),
        macs=step_macs(model),
        weights_mb=weight_bytes(model) / 1e6,
        training_mb=language_training_bytes(model, BATCH, STEPS) / 1e6,
        batch=BATCH,
        steps=STEPS,
    )


def _latency(model: LanguageModel, batch: int, steps: int) -> Latency:
    timings = step_latencies_ms(model, batch=batch, steps=steps, seconds=SECONDS)
    return Latency.of(batch, timings)


def language_training_bytes(model: LanguageModel, batch: int, steps: int) -> int:
    """The most that a training holds at one time: weights, text, everything of a step of SGD.

    Without the mean of the weights, which is as large as the weights, once it is taken.
    """
    model = copy.deepcopy(model).to("meta").train()
    tokens = torch.zeros(steps, batch, dtype=torch.int64, device="meta")

    def forward() -> tuple[Tensor, object]:
        spoken = model(tokens, model.start(batch))
        return F.cross_entropy(spoken.logits.flatten(0, 1), tokens.flatten()), spoken

    optimizer = torch.optim.SGD(model.parameters(), 1.0, weight_decay=8e-7, foreach=True)
    peak = peak_of_a_step(optimizer, forward, state=0)
    return peak + weight_bytes(model) + 2 * tokens.numel() * tokens.element_size()
