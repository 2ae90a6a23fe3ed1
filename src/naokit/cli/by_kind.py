"""What commands show of a network, by what it reads: the command line's one table of the kinds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from naokit.base import unknown_name
from naokit.cli.asked import Measuring, Profiling
from naokit.cli.image_figures import evaluate_images
from naokit.cli.profile_image import show_image_network
from naokit.cli.profile_language import show_language_model
from naokit.cli.text_figures import evaluate_text

if TYPE_CHECKING:
    from naokit.kind import Examples


@dataclass(frozen=True)
class Shown:
    """What commands show of a kind of network."""

    evaluate: Callable[[Measuring], None]
    profile: Callable[[Profiling], None]
    examples: Callable[[Path], Examples]


def _image_examples(network: Path) -> Examples:
    from naokit.images.examples import image_examples

    return image_examples(network)


def _text_examples(network: Path) -> Examples:
    from naokit.text.examples import text_examples

    return text_examples(network)


_SHOWN: Mapping[str, Shown] = {
    "images": Shown(evaluate_images, show_image_network, _image_examples),
    "text": Shown(evaluate_text, show_language_model, _text_examples),
}


def shown(reads: str) -> Shown:
    """What commands show of networks that read this; raises InputError for a user's own kind."""
    if reads not in _SHOWN:
        raise unknown_name("kind of data that this command measures", reads, _SHOWN)
    return _SHOWN[reads]
