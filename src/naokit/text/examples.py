"""A text that a trained language model writes, for people to judge."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from naokit.export import network_folder
from naokit.export.bundle import read
from naokit.kind import Examples
from naokit.text.bundle import LanguageBundle
from naokit.text.generating import generate

TOKENS, TEMPERATURE, SEED = 120, 0.8, 0


@dataclass(frozen=True)
class TextExamples(Examples):
    """A text that a network wrote, and how.

    Attributes:
        text: The text.
        tokens: How many tokens it has.
        temperature: What logits were divided by.
        seed: The seed of the choices.
    """

    section, title = "text", "What it writes"

    text: str
    tokens: int
    temperature: float
    seed: int


def text_examples(network: Path) -> TextExamples:
    """A text of a trained network, without a prompt.

    Raises:
        InputError: There is no network, or it is damaged.
    """
    bundle = read(LanguageBundle, network_folder(network))
    found = generate(
        bundle.network, bundle.vocabulary, "", TOKENS, temperature=TEMPERATURE, seed=SEED
    )
    return TextExamples(found.text, len(found.ids), TEMPERATURE, SEED)
