"""Compares a learned encoder of graphs with the features that `nao` reads off them.

    OMP_NUM_THREADS=1 python -m benchmarks.graph_encoder FOLDER-OF-TABLES [TABLE ...]

The encoder passes messages along the edges of the reduced graphs, both ways, and is trained without
labels to predict each vertex's operation and every edge from the vertices' states (as arch2vec
does, arXiv 2006.06936). Two questions, on the tables the optimiser was tuned on:

    ranking   of all other architectures, with 30 and 100 random ones known: Spearman's correlation
              of the Gaussian process on the features, on the embedding, and on both; of a predictor
              on the embedding trained on the known values alone, and on the process's means
    queries   until `nao` finds the best: with the features, and with the embedding as a further
              block of its kernel

Shapes: A architectures, V vertices, D width.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.special import ndtr
from scipy.stats import spearmanr
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.record import write
from benchmarks.tables import benchmarks
from naokit.doors import Observation
from naokit.evaluators import Tabular
from naokit.graphs import canonical
from naokit.method.features import Blocks, Features, typical_distances
from naokit.method.nao import Nao
from naokit.method.posterior import Everything, Posterior
from naokit.method.surrogate import one_blas_thread, rank_gauss
from naokit.space import Architecture, Space

WIDTH, ROUNDS = 32, 4
EXAMPLES, STEPS, BATCH, RATE = 3000, 600, 64, 2e-3
TRAINING_STEPS, TRAINING_RATE, MORE = 200, 1e-3, 300
KNOWN, RANKINGS = (30, 100), 5
SEARCHES = {"c10": 150, "scene": 150, "arxiv": 80}
MOST = 300


def main() -> None:
    """Measures the named tables, or all."""
    torch.set_num_threads(1)
    folder, names = Path(sys.argv[1]).resolve(), sys.argv[2:] or list(SEARCHES)
    found: dict[str, Any] = {"width": WIDTH, "rounds": ROUNDS, "steps": STEPS}
    for name in names:
        table = benchmarks(folder)[name].table.load()
        everything = table.space.everything(50_000)
        assert everything is not None
        graphs = Graphs(table.space, everything)
        with one_blas_thread():
            found[name] = {
                "reconstruction": graphs.reconstruction,
                "ranking": ranking(table, everything, graphs),
                "queries": queries(table, everything, graphs, SEARCHES[name]),
            }
        print(name, found[name], flush=True)
    write("graph_encoder", found)


class Encoder(nn.Module):
    """Passes messages along edges in both directions; predicts operations and edges from states."""

    def __init__(self, labels: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(labels, WIDTH)
        self.rounds = nn.ModuleList(nn.Linear(3 * WIDTH, WIDTH) for _ in range(ROUNDS))
        self.norms = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in range(ROUNDS))
        self.label = nn.Linear(WIDTH, labels)
        self.edge = nn.Bilinear(WIDTH, WIDTH, 1)
        self.predictor = nn.Sequential(nn.Linear(WIDTH, 64), nn.ReLU(), nn.Linear(64, 1))

    def forward(self, labels: Tensor, edges: Tensor) -> Tensor:
        """The states (A, V, D) of vertices (A, V) and edges (A, V, V); label 0 is no vertex."""
        there = (labels > 0).unsqueeze(-1)
        states: Tensor = self.embedding(labels) * there
        for mix, norm in zip(self.rounds, self.norms, strict=True):
            seen = torch.cat([states, edges.transpose(1, 2) @ states, edges @ states], dim=-1)
            states = norm(states + F.relu(mix(seen))) * there
        return states

    def loss(self, labels: Tensor, edges: Tensor) -> tuple[Tensor, float]:
        """The loss for operations and edges, and the share of graphs without a wrong prediction."""
        states, there = self(labels, edges), labels > 0
        told = self.label(states)
        sources, targets = torch.triu_indices(labels.shape[1], labels.shape[1], 1)
        pairs = there[:, sources] & there[:, targets]
        edge = self.edge(states[:, sources].contiguous(), states[:, targets].contiguous())[..., 0]
        real = (edges[:, sources, targets] > 0).float()
        loss = F.cross_entropy(told[there], labels[there])
        loss = loss + F.binary_cross_entropy_with_logits(edge[pairs], real[pairs])
        wrong = ((told.argmax(-1) != labels) & there).any(1)
        wrong |= (((edge > 0).float() != real) & pairs).any(1)
        return loss, 1 - float(wrong.float().mean())


class Graphs:
    """The encoder of a space, trained without labels, and the embedding of everything."""

    def __init__(self, space: Space, everything: Sequence[Architecture]) -> None:
        self.names: dict[str, int] = {}
        self.vertices = max(len(canonical(a.graphs[0]).labels) for a in everything)
        self.places = {architecture.key: i for i, architecture in enumerate(everything)}
        self.all = self.tensors(everything)
        generator = np.random.default_rng(0)
        examples = self.tensors([space.sample(generator) for _ in range(EXAMPLES)])
        torch.manual_seed(0)
        self.encoder = Encoder(len(self.names) + 1)
        optimizer = torch.optim.Adam(self.encoder.parameters(), RATE)
        for _ in range(STEPS):
            rows = torch.randint(EXAMPLES, (BATCH,))
            loss, _ = self.encoder.loss(*(part[rows] for part in examples))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            rows = torch.randperm(len(everything))[:1000]
            self.reconstruction = self.encoder.loss(*(part[rows] for part in self.all))[1]
            self.embedding = self.embed(self.encoder, self.all).numpy()

    def tensors(self, architectures: Sequence[Architecture]) -> tuple[Tensor, Tensor]:
        """The labels (A, V), 0 for no vertex, and the edges (A, V, V)."""
        labels = torch.zeros(len(architectures), self.vertices, dtype=torch.int64)
        edges = torch.zeros(len(architectures), self.vertices, self.vertices)
        for row, architecture in enumerate(architectures):
            graph = canonical(architecture.graphs[0])
            for vertex, label in enumerate(graph.labels):
                name = "output" if vertex in graph.outputs else label
                labels[row, vertex] = self.names.setdefault(name, len(self.names) + 1)
            for source, target, count in graph.edges:
                edges[row, source, target] = count
        return labels, edges

    @staticmethod
    def embed(encoder: Encoder, graphs: tuple[Tensor, Tensor]) -> Tensor:
        """The sum of the states of each graph, (A, D)."""
        parts = zip(*(part.split(4096) for part in graphs), strict=True)
        return torch.cat([encoder(*part).sum(1) for part in parts])

    def predicted(self, rows: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """All values, predicted from the embedding by a network trained on some of them."""
        torch.manual_seed(0)
        encoder = Encoder(len(self.names) + 1)
        encoder.load_state_dict(self.encoder.state_dict())
        optimizer = torch.optim.Adam(encoder.parameters(), TRAINING_RATE, weight_decay=1e-4)
        wanted = torch.tensor(targets, dtype=torch.float32)
        some = tuple(part[torch.from_numpy(rows)] for part in self.all)
        for _ in range(TRAINING_STEPS):
            chosen = torch.randperm(len(rows))[:BATCH]
            embedding = self.embed(encoder, (some[0][chosen], some[1][chosen]))
            loss = F.mse_loss(encoder.predictor(embedding).squeeze(-1), wanted[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            values: np.ndarray = (
                encoder.predictor(self.embed(encoder, self.all)).squeeze(-1).numpy()
            )
        return values


class Chosen(Features):
    """The features, the embedding, or both."""

    def __init__(self, space: Space, graphs: Graphs, *, features: bool, embedding: bool) -> None:
        super().__init__(space)
        self.graphs, self.with_features = graphs, features
        generator = np.random.default_rng(0)
        sample = graphs.embedding[generator.integers(0, len(graphs.embedding), 500)]
        self.scale = typical_distances({"graph": sample}, generator)["graph"]
        logits = [*self.logits] if features else []
        self.logits = np.array([*logits, *([0.0] if embedding else [])])
        self.with_embedding = embedding

    def __call__(self, architectures: Sequence[Architecture]) -> Blocks:
        blocks = list(super().__call__(architectures)) if self.with_features else []
        if self.with_embedding:
            rows = [self.graphs.places[a.key] for a in architectures]
            blocks.append(self.graphs.embedding[rows] / np.float32(self.scale))
        return blocks


def ranking(
    table: Tabular, everything: Sequence[Architecture], graphs: Graphs
) -> dict[str, dict[str, list[float]]]:
    """Spearman's correlation with the values of all others, mean and standard error."""
    values = np.array([table.values[a.key] for a in everything])
    kinds = {
        "features": {"features": True, "embedding": False},
        "embedding": {"features": False, "embedding": True},
        "both": {"features": True, "embedding": True},
    }
    read = {name: Chosen(table.space, graphs, **which) for name, which in kinds.items()}
    there = {name: Everything(everything, features) for name, features in read.items()}
    found: dict[str, dict[str, list[float]]] = {}
    for amount in KNOWN:
        rows: dict[str, list[float]] = {}
        for seed in range(RANKINGS):
            order = np.random.default_rng(seed).permutation(len(everything))
            known, others = order[:amount], order[amount:]
            targets = rank_gauss(values[known])
            architectures = [everything[place] for place in known]
            told = {}
            for name, features in read.items():
                posterior = Posterior(features, there[name], architectures, targets)
                told[name] = posterior.process.predict(targets)[0]
            told["predictor, labels"] = graphs.predicted(known, targets)
            some = order[: amount + MORE]
            told["predictor, distilled"] = graphs.predicted(some, ndtr(told["features"][some]))
            for name, means in told.items():
                correlation = spearmanr(means[others], values[others]).statistic
                rows.setdefault(name, []).append(float(correlation))
        found[str(amount)] = {name: _mean(each) for name, each in rows.items()}
    return found


def queries(
    table: Tabular, everything: Sequence[Architecture], graphs: Graphs, seeds: int
) -> dict[str, Any]:
    """The number of evaluations until the best is found, with the same seeds for both."""
    best = max(table.values[a.key] for a in everything)
    found: dict[str, list[float]] = {}
    for name in ("features", "both"):
        features = Chosen(table.space, graphs, features=True, embedding=name == "both")
        there = Everything(everything, features)
        found[name] = []
        for seed in range(seeds):
            method = Nao(table.space, seed, MOST)
            method.features, method.everything = features, there
            history: list[Observation] = []
            while len(history) < MOST and (not history or history[-1].value != best):
                architecture = method.propose(history).architecture
                value = table.values[architecture.key]
                history.append(Observation(architecture, value))
            found[name].append(float(len(history)))
    pairs = zip(found["both"], found["features"], strict=True)
    return {
        **{name: _mean(each) for name, each in found.items()},
        "difference": _mean([after - before for after, before in pairs]),
        "seeds": seeds,
    }


def _mean(each: Sequence[float]) -> list[float]:
    """Mean and standard error."""
    return [
        round(statistics.fmean(each), 4),
        round(statistics.stdev(each) / len(each) ** 0.5, 4),
    ]


if __name__ == "__main__":
    main()
