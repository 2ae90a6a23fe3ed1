"""Perplexity is that of the whole text, however many columns it is read in."""

import itertools
import math

import numpy as np
import pytest
import torch

from naokit.base import LanguageSettings
from naokit.networks import LanguageModel, RecurrentCell, RecurrentPlan
from naokit.training.device import seeded
from naokit.training.text import perplexity as module
from naokit.training.text.perplexity import perplexity

CPU = torch.device("cpu")
IDS = np.random.default_rng(0).integers(0, 12, 2503)


def model() -> LanguageModel:
    """With weights so large that the state matters and is kept for a while."""
    plan = RecurrentPlan(((0, "tanh"), (1, "relu"), (1, "sigmoid"), (0, "identity")))
    with seeded(1):
        network = LanguageModel(RecurrentCell(plan, 8, 8), LanguageSettings(12, 8))
        for weight in network.parameters():
            torch.nn.init.normal_(weight, std=0.5)
    return network


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


def test_the_number_of_columns_alters_nothing() -> None:
    network = model()
    alone = perplexity(network, IDS, device=CPU, batch=1)
    for batch in (2, 10, 32):
        assert perplexity(network, IDS, device=CPU, batch=batch) == pytest.approx(alone, rel=1e-6)


def test_without_warming_up_it_would(monkeypatch: pytest.MonkeyPatch) -> None:
    """So the test above can fail: this network's state matters."""
    network = model()
    alone = perplexity(network, IDS, device=CPU, batch=1)
    monkeypatch.setattr(module, "_warm", lambda network, text, starts: None)
    assert perplexity(network, IDS, device=CPU, batch=10) != pytest.approx(alone, rel=1e-5)


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
