"""CPU seconds of one update of the controller: ours against the paper's schedule, in one run.

    python -m benchmarks.controller [--epochs 1000]

600 architectures of conv-small (40 tokens) with a made-up score of graph depth, operations and
noise; 500 more are held out. The paper's schedule is written out here: 1,000 epochs, batch 100,
Adam 1e-3, and a Python step per token in the decoder although the true tokens are known.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.record import write
from naokit.method.fit import FitSettings, fit, normalise, quality, respell
from naokit.method.model import Model, ModelSettings, joint_loss, pool
from naokit.spaces import ConvCells

SPACE = ConvCells.small()
WORTH = {"sep_conv_3x3": 1.0, "sep_conv_5x5": 0.8, "avg_pool_3x3": -0.5, "max_pool_3x3": 0.1}
TRAINED, HELD_OUT = 600, 500


def architectures() -> tuple[np.ndarray, np.ndarray]:
    """The tokens (N, L) and scores (N,) of random architectures."""
    generator = np.random.default_rng(0)
    tokens, scores = [], []
    for _ in range(TRAINED + HELD_OUT):
        architecture = SPACE.sample(generator)
        tokens.append(SPACE.grammar.tokens(architecture.choices))
        score = 0.5 * generator.normal()
        for weight, graph in zip((1.0, 0.5), architecture.graphs, strict=True):
            depth = [0] * len(graph.labels)
            for source, target, _ in graph.edges:
                depth[target] = max(depth[target], depth[source] + 1)
            worth = sum(WORTH.get(label, 0.0) for label in graph.labels)
            score += weight * (worth + 0.6 * max(depth))
        scores.append(score)
    return np.array(tokens), np.array(scores)


def stepwise(model: Model, tokens: Tensor, states: Tensor) -> Tensor:
    """The decoder's log-probabilities, a Python step per token (B, L, V)."""
    decoder = model.decoder
    embedding = pool(states).unsqueeze(0)
    memory = (embedding, embedding)
    previous = F.pad(tokens[:, :-1], (1, 0))
    steps = []
    for place in range(tokens.shape[1]):
        embedded = decoder.embedding(previous[:, place : place + 1])
        output, memory = decoder.lstm(embedded, memory)
        steps.append(F.log_softmax(decoder._logits(output, states), dim=-1))
    return torch.cat(steps, dim=1)


def published(tokens: np.ndarray, values: np.ndarray, epochs: int) -> tuple[Model, int]:
    """Fits by the paper's schedule."""
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    model = Model(SPACE.grammar, ModelSettings())
    inputs = torch.as_tensor(tokens)
    targets = torch.as_tensor(normalise(values), dtype=torch.float32)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3, weight_decay=1e-4)
    updates = 0
    for _ in range(epochs):
        for rows in torch.randperm(len(inputs), generator=generator).split(100):
            batch = respell(inputs[rows], SPACE.grammar, generator)
            states = model.encoder(batch)
            scores, log_probabilities = (
                model.predictor(pool(states)),
                stepwise(model, batch, states),
            )
            loss = joint_loss(scores, log_probabilities, targets[rows], batch, 0.8)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
            updates += 1
    return model, updates


def held_out(model: Model, tokens: np.ndarray, values: np.ndarray) -> dict[str, float]:
    """Ranking and reconstruction of architectures that were not trained on."""
    unseen = torch.as_tensor(tokens[TRAINED:])
    targets = torch.as_tensor(values[TRAINED:], dtype=torch.float32)
    found = quality(model, unseen, targets)
    exact = (model.improve(unseen, 0.0) == unseen).all(dim=1).float().mean()
    return {"pairwise_accuracy": found.pairwise_accuracy, "exact_reconstruction": float(exact)}


def main() -> None:
    """Runs both and writes the ratio."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=1000, help="of the paper's schedule")
    epochs = parser.parse_args().epochs
    torch.set_num_threads(1)
    tokens, values = architectures()
    rows: dict[str, Any] = {}
    began = time.process_time()
    ours = fit(
        SPACE.grammar,
        tokens[:TRAINED],
        values[:TRAINED],
        model_settings=ModelSettings(),
        settings=FitSettings(),
        seed=0,
    )
    seconds = time.process_time() - began
    rows["ours"] = {"cpu_seconds": seconds, "updates": ours.updates}
    rows["ours"] |= held_out(ours.model, tokens, values)
    began = time.process_time()
    model, updates = published(tokens[:TRAINED], values[:TRAINED], epochs)
    paper = time.process_time() - began
    rows["published"] = {"cpu_seconds": paper, "updates": updates, "epochs": epochs}
    rows["published"] |= held_out(model, tokens, values)
    began = time.process_time()
    ours.model.improve(torch.as_tensor(tokens[:100]), 10.0)
    rows["milliseconds_per_architecture"] = {
        "batch of 100": 10 * (time.process_time() - began),
    }
    began = time.process_time()
    ours.model.improve(torch.as_tensor(tokens[:1]), 10.0)
    rows["milliseconds_per_architecture"]["one alone"] = 1000 * (time.process_time() - began)
    rows["times_less"] = paper / seconds
    write("controller", rows)


if __name__ == "__main__":
    main()
