"""The first proposals of every method on four kinds of space, under a fixed score."""

import hashlib
import json
from pathlib import Path
from unittest import mock

import numpy as np

from naokit import create_study, spaces
from naokit.doors import Method
from naokit.graphs import canonical
from naokit.method import METHODS as PUBLIC
from naokit.method.nao import Nao
from naokit.space import Architecture, Space
from naokit.spaces import Choice, Choices

RECORDED = Path(__file__).with_name("proposals.json")
PROPOSALS = 40
METHODS = (
    "random",
    "evolution",
    "local-search",
    "nao",
    "nao-candidates",
    "nao-2018",
    "seminas",
    "tpe",
)


def conditional() -> Space:
    """Eight choices, of which three matter only for some values of another."""
    return Choices(
        "conditional",
        (
            Choice("layers", (1, 2, 3, 4)),
            Choice("width", (16, 32, 64, 128)),
            Choice("activation", ("relu", "tanh", "gelu", None)),
            Choice("dropout", (0.0, 0.1, 0.5), when=("width", (64, 128))),
            Choice("optimizer", ("sgd", "adam")),
            Choice("momentum", (0.0, 0.9, 0.99), when=("optimizer", ("sgd",))),
            Choice("beta", (0.9, 0.95), when=("optimizer", ("adam",))),
            Choice("norm", ("batch", "layer", "group")),
        ),
    )


SPACES = {
    "conv-small": lambda: spaces.load("conv-small"),
    "recurrent": lambda: spaces.load("recurrent"),
    "nas-bench-201": lambda: spaces.load("nas-bench-201"),
    "conditional": conditional,
}


def score(architecture: Architecture) -> float:
    """A fixed score of what an architecture computes: its vertices, its edges, a little chance.

    Sums of eighths are exact, whatever their order.
    """
    total = _drawn(architecture.key)
    for graph in map(canonical, architecture.graphs):
        total += sum(map(_drawn, graph.labels))
        total += sum(n * _drawn(graph.labels[a] + graph.labels[b]) for a, b, n in graph.edges)
    return total / 8


def _drawn(text: str) -> int:
    """A whole number from 0 to 15 that follows from a text."""
    return hashlib.sha256(text.encode()).digest()[0] % 16


def proposals(space: str, method: str, count: int = PROPOSALS) -> list[str]:
    """The architectures that a method asks for, first to last, each as a short digest."""
    with mock.patch.dict(PUBLIC, {"nao-candidates": _nao_candidates}):
        study = create_study(SPACES[space](), method=method, seed=0, evaluations=PROPOSALS)
        study.optimize(score, count)
    return [_digest(trial.architecture.choices) for trial in study.trials]


def _nao_candidates(space: Space, seed: int, evaluations: int) -> Method:
    """`nao` that searches for candidates even where the whole space could be scored."""
    return Nao(space, seed, evaluations, whole=False)


def _digest(choices: object) -> str:
    return hashlib.sha256(json.dumps(np.asarray(choices).tolist()).encode()).hexdigest()[:8]
