"""Text that a language model writes: one token after another, its state carried along.

Shapes: L tokens.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor

from naokit.base import InputError
from naokit.networks import LanguageModel
from naokit.text.vocabulary import Vocabulary


@dataclass(frozen=True)
class Generated:
    """The text that was written.

    Attributes:
        text: The prompt as it was given, and the text that follows.
        ids: The tokens that follow.
        unknown: The number of tokens of the prompt that are not in the vocabulary.
    """

    text: str
    ids: tuple[int, ...]
    unknown: int


def generate(
    network: LanguageModel,
    vocabulary: Vocabulary,
    prompt: str,
    tokens: int,
    *,
    temperature: float = 1.0,
    seed: int = 0,
) -> Generated:
    """A text that begins with the prompt.

    An unknown word of the prompt is read as `<unk>`, which is never written. Without a prompt the
    text begins as a new line does.

    Args:
        network: The network, in eval mode.
        vocabulary: The network's tokens.
        prompt: The beginning, which may be empty.
        tokens: The number of tokens that are written after it.
        temperature: The number that logits are divided by; 0 always takes the likeliest token.
        seed: The seed of the choices.

    Raises:
        InputError: The temperature is negative or infinite, the seed too large, the network gives
            values that are not finite, or there is nothing to begin with.
    """
    if not 0 <= temperature < math.inf:
        raise InputError(f"the temperature must be 0 or above, and finite, not {temperature}")
    read, unknown = vocabulary.look_up(prompt)
    begun = read if len(read) else vocabulary.encode("\n")
    if not len(begun):
        raise InputError("this vocabulary has no line end to begin after; give a prompt")
    generator = choices_of(seed)
    never = [vocabulary.unknown] if vocabulary.unknown >= 0 else []
    following = continuation(network, torch.from_numpy(begun), temperature, generator, never)
    written = tuple(islice(following, tokens))
    whole = vocabulary.decode([*read.tolist(), *written])
    return Generated(continued(prompt, vocabulary.decode(read), whole), written, unknown)


def choices_of(seed: int) -> torch.Generator:
    """The generator of the choices; raises InputError where torch takes no such seed."""
    if not -(2**63) <= seed < 2**64:
        raise InputError(f"the seed must be from -2^63 to 2^64 - 1, not {seed}")
    return torch.Generator().manual_seed(seed)


def continued(prompt: str, read: str, whole: str) -> str:
    """The prompt as it was given, unknown words and all, and what follows it.

    Args:
        prompt: The prompt as it was given.
        read: The prompt as the vocabulary has it.
        whole: The prompt as the vocabulary has it, and the text that follows.
    """
    if not whole.startswith(read):  # a tokenizer may write the two together otherwise
        return whole
    rest = whole[len(read) :]
    spaced = prompt[-1:].isspace() and not read[-1:].isspace()
    return prompt + (rest.removeprefix(" ") if spaced else rest)


@torch.no_grad()
def continuation(
    network: LanguageModel,
    ids: Tensor,
    temperature: float,
    generator: torch.Generator,
    never: Sequence[int] = (),
) -> Iterator[int]:
    """The ids that follow `ids` (L,), without an end; some ids are never chosen.

    Raises InputError where the network gives values that are not finite.
    """
    spoken = network(ids[:, None], network.start(1))
    while True:
        logits = spoken.logits[-1, 0].double()
        if not logits.isfinite().all():
            raise InputError("the network gives values that are not finite; was it trained?")
        logits[list(never)] = -math.inf
        if temperature:  # without the largest, no logit is too large at any temperature
            shares = ((logits - logits.max()) / temperature).softmax(dim=0)
            chosen = torch.multinomial(shares, 1, generator=generator)
        else:
            chosen = logits.argmax()[None]
        yield int(chosen)
        spoken = network(chosen[None], spoken.state)
