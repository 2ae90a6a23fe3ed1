"""What a language model costs: memory against real steps, time measured on what is asked for."""

import pytest
import torch
from torch.nn import functional as F

from naokit import build
from naokit.networks import LanguageModel
from naokit.profiling import memory
from naokit.text import costs
from naokit.text.costs import measure_language


def real_steps(model: LanguageModel, batch: int, steps: int) -> int:
    """Two steps of SGD on the processor, followed in the same way."""
    tokens = torch.zeros(steps, batch, dtype=torch.int64)
    optimizer = torch.optim.SGD(model.parameters(), 1e-3, weight_decay=8e-7, foreach=True)
    with memory._LiveMemory() as live:
        for _ in range(2):
            optimizer.zero_grad(set_to_none=True)
            spoken = model(tokens, model.start(batch))
            F.cross_entropy(spoken.logits.flatten(0, 1), tokens.flatten()).backward()
            optimizer.step()
    return live.peak + memory.weight_bytes(model) + 2 * 8 * tokens.numel()


def test_the_meta_device_says_what_a_training_needs() -> None:
    model = build("nao-rnn", vocabulary=100, hidden=16).train()
    expected = real_steps(model, 4, 6)
    found = costs.language_training_bytes(model, 4, 6)
    assert found == pytest.approx(expected, rel=0.05)
    assert costs.language_training_bytes(model, 8, 6) > found
    assert next(model.parameters()).device.type == "cpu"


@pytest.mark.parametrize("name", ["nao-rnn", "lstm"])
def test_a_profile_of_a_language_model(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(costs, "BATCH", 4)
    monkeypatch.setattr(costs, "STEPS", 9)
    found = measure_language(build(name, vocabulary=100, hidden=16))
    assert (found.batch, found.steps) == (4, 9)
    assert found.latency_ms > 0
    assert found.latency_batch_ms > 0
    assert 0.9 * (100 * 16 + 26 * 16**2) < found.macs <= 100 * 16 + 26 * 16**2
    assert found.weights_mb == pytest.approx(4e-6 * found.parameters)
