"""What the performance model sees of a row of parameters.

    one block per parameter   ordered: its place, 0 to 1; the middle where it is not asked for
                              categorical: one column per choice; zeros where it is not asked for
                              conditional: a further column says whether it is asked for
    one further block         all of these together, for interactions of parameters

As in `naokit.method.features`, each block is divided by its root mean square distance over random
pairs, columns stay raw, and a block that is constant is left out. On the functions of
benchmarks/optuna_sampler.py this found better values than one block for ordered and one for
categorical parameters. Where all parameters are categorical it found the same values.

Shapes: N rows, P parameters.
"""

from __future__ import annotations

import numpy as np

from naokit.method.features import SAMPLE, Blocks, typical_distances
from naokit.optuna_sampler.parameters import Category, ParameterSpace
from naokit.optuna_sampler.presence import Presence

MIDDLE = 0.5


class ParameterFeatures:
    """Turns settled rows of one space into blocks of numbers.

    Args:
        space: The space of the parameters.
        presence: The presence, which says which parameters are asked for.
        generator: The generator of the sample from which typical distances are read.
    """

    def __init__(
        self, space: ParameterSpace, presence: Presence, generator: np.random.Generator
    ) -> None:
        self.space = space
        self.conditional = set(presence.conditional)
        sample = presence(space.draw(generator, SAMPLE))
        blocks = {place: self._block(place, sample) for place in range(len(space.parameters))}
        self.scales = typical_distances(blocks, generator)

    def __call__(self, settled: np.ndarray) -> Blocks:
        """The scaled blocks, each (N, columns), of rows with NaN for what is not asked for."""
        blocks = [self._block(place, settled) / scale for place, scale in self.scales.items()]
        if len(blocks) == 1:
            return blocks
        return [*blocks, np.concatenate(blocks, axis=1) / len(blocks) ** 0.5]

    def _block(self, place: int, settled: np.ndarray) -> np.ndarray:
        """The raw block of one parameter."""
        column, parameter = settled[:, place, None], self.space.parameters[place]
        asked = ~np.isnan(column)
        if isinstance(parameter, Category):
            block = 1.0 * (column == parameter.everything())
        else:
            block = np.where(asked, column, MIDDLE)
        return np.concatenate([block, asked], axis=1) if place in self.conditional else block
