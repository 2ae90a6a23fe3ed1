"""Published cells by name, each with its source and its published results.

All results are the authors' own; none was measured by this project.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from naokit.base import InputError, unknown_name
from naokit.space import Architecture, Space, taken_over
from naokit.spaces.published.genotype import Genotype
from naokit.spaces.published.images import IMAGE_NETWORKS, Size
from naokit.spaces.published.language import LANGUAGE_MODELS, TextSize

__all__ = [
    "GENOTYPES",
    "IMAGE_NETWORKS",
    "LANGUAGE_MODELS",
    "Genotype",
    "Size",
    "TextSize",
    "genotype",
    "written_in",
]

GENOTYPES: Mapping[str, Genotype[Size | TextSize]] = {**IMAGE_NETWORKS, **LANGUAGE_MODELS}


def genotype(name: str) -> Genotype[Size | TextSize]:
    """The published cells of this name; raises InputError with the nearest names."""
    if name not in GENOTYPES:
        raise unknown_name("published network", name, GENOTYPES)
    return GENOTYPES[name]


def written_in(space: Space) -> dict[str, Architecture]:
    """The published architectures that a space holds, by name.

    They are those whose text means the same in it: with as many nodes, the same operations and, of
    recurrent cells, the same table of activations.
    """
    found: dict[str, Architecture] = {}
    for name, published in GENOTYPES.items():
        with suppress(InputError):
            if architecture := taken_over(published.architecture, space):
                found[name] = architecture
    return found
