"""The perplexity of a language model on a text.

Shapes: N tokens.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch

from naokit.base import InputError
from naokit.networks import LanguageModel
from naokit.text.data import TextData
from naokit.text.perplexity import EVALUATION_BATCH, perplexity
from naokit.training.parts import part_named


@dataclass(frozen=True)
class TextMeasured:
    """How well a language model predicts a text.

    Attributes:
        tokens: The number of tokens of the text (N); all but the first are predicted.
        unknown: The number of them that are not in the vocabulary; they are predicted as `<unk>`.
        perplexity: The exponential of the mean negative log-likelihood of a token in nats.
        bits_per_token: The binary logarithm of the perplexity.
    """

    tokens: int
    unknown: int
    perplexity: float
    bits_per_token: float


def measure_text(
    network: LanguageModel,
    data: TextData,
    part: str,
    *,
    batch: int | None = None,
    on_step: Callable[[int], None] | None = None,
) -> TextMeasured:
    """The figures of a part, its state carried from token to token.

    Args:
        network: The network, on the processor.
        data: The data in the network's vocabulary.
        part: The part: train, validation or test, as for `text_part`.
        batch: The number of columns that are read at once. If None, as `perplexity` does.
        on_step: Called as by `perplexity`.

    Raises:
        InputError: The network gives values that are not finite.
    """
    ids = getattr(data, part)
    columns = EVALUATION_BATCH if batch is None else batch
    cpu = torch.device("cpu")
    found = perplexity(network, ids, device=cpu, batch=columns, on_step=on_step)
    if not math.isfinite(found):
        raise InputError("the network gives values that are not finite; was it trained?")
    return TextMeasured(len(ids), data.unknown[part], found, math.log2(found))


def text_part(data: TextData, name: str | None = None) -> str:
    """The part asked for, else the test part or what stands in for it.

    Raises:
        InputError: There is no part of this name, or it is too short.
    """
    return part_named(data, name, fewest=2)
