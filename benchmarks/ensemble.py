"""BANANAS's predictor: five networks, in numpy (White et al. 2021, arXiv 1910.11858).

Ten hidden layers of 20 with ReLU, mean absolute error, Adam, 150 epochs in batches of 32: the
settings of naszilla's code ("standard"). All five are trained at once, as stacks of matrices.

Shapes: M networks, n results, N architectures, F features, B of a batch.
"""

from __future__ import annotations

import itertools

import numpy as np

NETWORKS, LAYERS, WIDTH = 5, 10, 20
EPOCHS, BATCH = 150, 32
RATE, DECAYS, SMALL = 0.01, (0.9, 0.99), 1e-7


class Ensemble:
    """M networks that differ in their first weights and in the order of their batches."""

    def __init__(self, features: int, generator: np.random.Generator) -> None:
        sizes = [features, *[WIDTH] * LAYERS, 1]
        self.shapes = [
            shape
            for into, out in itertools.pairwise(sizes)
            for shape in ((NETWORKS, into, out), (NETWORKS, 1, out))
        ]
        self.flat = np.zeros(sum(map(np.prod, self.shapes)), dtype=np.float32)
        self.parts = self._views(self.flat)
        for weights in self.parts[::2]:
            bound = (6 / sum(weights.shape[1:])) ** 0.5  # Glorot and Bengio 2010, as Keras does
            weights[:] = generator.uniform(-bound, bound, weights.shape)

    def _views(self, flat: np.ndarray) -> list[np.ndarray]:
        """The weights and biases of each layer, as parts of one array."""
        ends = np.cumsum([np.prod(shape) for shape in self.shapes])[:-1]
        return [
            part.reshape(shape)
            for part, shape in zip(np.split(flat, ends), self.shapes, strict=True)
        ]

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """The predictions (M, N) of each network for features (N, F)."""
        predicted: np.ndarray = self._layers(rows)[-1][:, :, 0]
        return predicted

    def _layers(self, rows: np.ndarray) -> list[np.ndarray]:
        """The inputs of each layer, and the outputs of the last, for rows (N, F) or (M, B, F)."""
        states = [rows]
        for weights, bias in zip(self.parts[::2], self.parts[1::2], strict=True):
            state = states[-1] @ weights
            state += bias
            if weights.shape[2] > 1:
                np.maximum(state, 0, out=state)
            states.append(state)
        return states

    def fit(self, rows: np.ndarray, targets: np.ndarray, generator: np.random.Generator) -> None:
        """Trains on features (n, F) and values (n,)."""
        slopes, first, second = (np.zeros_like(self.flat) for _ in range(3))
        views = self._views(slopes)
        targets = targets.astype(np.float32)
        step = 0
        for _ in range(EPOCHS):
            order = generator.permuted(np.tile(np.arange(len(rows)), (NETWORKS, 1)), axis=1)
            for start in range(0, len(rows), BATCH):
                some = order[:, start : start + BATCH]
                self._slopes(rows[some], targets[some], views)
                step += 1
                first += (1 - DECAYS[0]) * (slopes - first)
                second += (1 - DECAYS[1]) * (slopes * slopes - second)
                rate = RATE * (1 - DECAYS[1] ** step) ** 0.5 / (1 - DECAYS[0] ** step)
                self.flat -= rate * first / (np.sqrt(second) + SMALL)

    def _slopes(self, rows: np.ndarray, targets: np.ndarray, views: list[np.ndarray]) -> None:
        """Writes the slope of the mean absolute error of (M, B, F) and (M, B) into `views`."""
        states = self._layers(rows)
        back = np.sign(states[-1] - targets[:, :, None]) / np.float32(targets.shape[1])
        for layer in range(LAYERS, -1, -1):
            np.matmul(states[layer].transpose(0, 2, 1), back, out=views[2 * layer])
            np.sum(back, axis=1, keepdims=True, out=views[2 * layer + 1])
            if layer:
                back = back @ self.parts[2 * layer].transpose(0, 2, 1)
                back *= states[layer] > 0
