"""Perplexity is that of the whole text, however many columns it is read in."""

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from naokit.kinds import build
from naokit.networks import LanguageModel, RecurrentCell, RecurrentPlan
from naokit.settings import LanguageSettings
from naokit.text import perplexity as module
from naokit.text.perplexity import perplexity
from naokit.training.device import seeded

CPU = torch.device("cpu")
IDS = np.random.default_rng(0).integers(0, 12, 2503)
LONG = np.random.default_rng(1).integers(0, 12, 2021).cumsum() // 7 % 12
"""A text that can be learnt: numbers rise."""


def model() -> LanguageModel:
    """With weights so large that the state matters and is kept for a while."""
    plan = RecurrentPlan(((0, "tanh"), (1, "relu"), (1, "sigmoid"), (0, "identity")))
    with seeded(1):
        network = LanguageModel(RecurrentCell(plan, 8, 8), LanguageSettings(12, 8))
        for weight in network.parameters():
            torch.nn.init.normal_(weight, std=0.5)
    return network


def published(cell: str) -> LanguageModel:
    """Of a published cell, as it begins."""
    with seeded(1):
        network = build(cell, vocabulary=12, hidden=8)
    assert isinstance(network, LanguageModel)
    return network


def trained(network: LanguageModel) -> None:
    """By some updates."""
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    streams = torch.from_numpy(LONG[:2000].reshape(20, 100)).T
    for start in range(0, 75, 5):
        tokens, following = streams[start : start + 20], streams[start + 1 : start + 21]
        optimizer.zero_grad()
        logits = network(tokens).logits
        cross_entropy(logits.flatten(0, 1), following.flatten()).backward()
        optimizer.step()


def large(network: LanguageModel) -> None:
    """So large that the state matters, and is kept for a while."""
    with torch.no_grad():
        for weight in network.parameters():
            weight *= 16


def chaotic(network: LanguageModel) -> None:
    """So large that, in some cells, two states never come together."""
    with seeded(1):
        for weight in network.parameters():
            torch.nn.init.normal_(weight, std=2)


@pytest.fixture
def _short_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """A short text has twenty of them."""
    monkeypatch.setattr(module, "COLUMN", 100)
    monkeypatch.setattr(module, "STEPS", 25)


def plainly(network: LanguageModel, ids: np.ndarray) -> float:
    """Token by token."""
    network.eval()
    state, total = None, 0.0
    with torch.no_grad():
        for token, following in itertools.pairwise(ids):
            spoken = network(torch.tensor([[token]]), state)
            state = spoken.state
            total -= float(spoken.logits[0, 0].log_softmax(0)[following])
    return math.exp(total / (len(ids) - 1))


def test_one_column_is_reading_token_by_token() -> None:
    network = model()
    assert perplexity(network, IDS[:400], device=CPU, batch=1) == pytest.approx(
        plainly(network, IDS[:400]), rel=1e-5
    )


@pytest.mark.usefixtures("_short_columns")
@pytest.mark.parametrize("cell", ["nao-rnn", "darts-rnn", "lstm"])
@pytest.mark.parametrize("weights", [trained, large, chaotic])
def test_the_number_of_columns_alters_nothing(
    cell: str, weights: Callable[[LanguageModel], None]
) -> None:
    network = published(cell)
    weights(network)
    alone = perplexity(network, LONG, device=CPU, batch=1)
    for batch in (8, 20):
        assert perplexity(network, LONG, device=CPU, batch=batch) == pytest.approx(alone, rel=1e-6)


@pytest.mark.usefixtures("_short_columns")
def test_without_looking_at_the_states_it_would(monkeypatch: pytest.MonkeyPatch) -> None:
    """So the test above can fail: what came before a column matters."""
    network = published("darts-rnn")
    chaotic(network)
    alone = perplexity(network, LONG, device=CPU, batch=1)
    monkeypatch.setattr(module, "TOLERANCE", math.inf)
    assert perplexity(network, LONG, device=CPU, batch=8) != pytest.approx(alone, rel=1e-3)


@pytest.mark.usefixtures("_short_columns")
@pytest.mark.parametrize(("weights", "times"), [(trained, 1), (chaotic, 2)])
def test_one_column_reads_again_only_where_many_remember_too_long(
    weights: Callable[[LanguageModel], None], times: int
) -> None:
    network = published("darts-rnn")
    weights(network)
    seen: list[int] = []
    perplexity(network, LONG, device=CPU, batch=8, on_step=seen.append)
    assert seen.count(len(LONG) - 1) == times


def test_a_model_that_knows_nothing_has_the_vocabulary_as_perplexity() -> None:
    network = model()
    with torch.no_grad():
        network.embedding.zero_()
        network.bias.zero_()
    assert perplexity(network, IDS, device=CPU) == pytest.approx(12, rel=1e-6)


def test_a_text_of_two_tokens_has_one() -> None:
    network = model()
    assert perplexity(network, IDS[:2], device=CPU) == pytest.approx(
        plainly(network, IDS[:2]), rel=1e-5
    )


def test_beyond_a_float_it_is_infinite() -> None:
    network = model()
    with torch.no_grad():
        network.bias[0] = 1e5
    assert perplexity(network, np.ones(50, dtype=np.int64), device=CPU) == math.inf
