"""The paper's model: golden sizes, shapes, and what decoding can produce."""

import numpy as np
import pytest
import torch

from naokit.method.model import Model, ModelSettings, joint_loss, token_mask
from naokit.spaces import ConvCells, NasBench201

GRAMMAR = ConvCells.small().grammar


def parameters(settings: ModelSettings) -> int:
    return sum(p.numel() for p in Model(GRAMMAR, settings).parameters())


def test_has_the_parameters_of_the_official_code() -> None:
    """Measured on the official PyTorch controller."""
    searched = ModelSettings(48, 96, predictor_layers=3, predictor_width=200)
    trained = ModelSettings(32, 64)
    assert (GRAMMAR.vocabulary, GRAMMAR.length) == (12, 40)
    assert parameters(searched) == 279_533
    assert parameters(trained) == 80_845


@pytest.mark.parametrize("space", [ConvCells.small(), ConvCells.large(3), NasBench201()])
def test_every_decode_is_valid_whatever_the_weights(space) -> None:
    """Untrained, with all logits far below zero: the mask alone decides what may come out."""
    torch.manual_seed(0)
    model = Model(space.grammar, ModelSettings(8, 8)).eval()
    torch.nn.init.constant_(model.decoder.output.bias, -100.0)
    generator = np.random.default_rng(0)
    tokens = torch.tensor(
        [space.grammar.tokens(space.sample(generator).choices) for _ in range(20)]
    )
    for row in model.improve(tokens, 1e4).tolist():
        space.architecture(space.grammar.choices(row))


def test_the_mask_allows_exactly_the_grammar() -> None:
    mask = token_mask(GRAMMAR)
    assert mask.shape == (40, 12)
    assert mask[0].nonzero().flatten().tolist() == [1, 2]  # node 2 reads node 0 or 1
    assert mask[16].nonzero().flatten().tolist() == [1, 2, 3, 4, 5, 6]
    assert mask[1].nonzero().flatten().tolist() == [7, 8, 9, 10, 11]
    assert mask.sum(dim=1).tolist() == list(GRAMMAR.counts)


def test_teacher_forcing_equals_decoding_step_by_step() -> None:
    """Golden by construction: a decode re-scored in one call is the argmax at every place."""
    torch.manual_seed(1)
    model = Model(GRAMMAR, ModelSettings(8, 16)).eval()
    generator = np.random.default_rng(0)
    space = ConvCells.small()
    tokens = torch.tensor([GRAMMAR.tokens(space.sample(generator).choices) for _ in range(5)])
    with torch.no_grad():
        states = model.encoder(tokens)
        decoded = model.decoder.decode(states)
        log_probabilities = model.decoder(decoded, states)
    masked = log_probabilities.masked_fill(~model.decoder.mask, -torch.inf)
    assert torch.equal(masked.argmax(dim=-1), decoded)


def test_states_and_embedding_have_unit_length() -> None:
    model = Model(GRAMMAR, ModelSettings(8, 16)).eval()
    tokens = torch.tensor([GRAMMAR.tokens([0] * 40)])
    states = model.encoder(tokens)
    assert states.shape == (1, 20, 16)
    torch.testing.assert_close(states.norm(dim=-1), torch.ones(1, 20))


def test_a_step_raises_the_predicted_score() -> None:
    """The gradient is taken with respect to every state and points uphill."""
    from torch.nn import functional as F

    from naokit.method.model import pool

    torch.manual_seed(2)
    model = Model(GRAMMAR, ModelSettings(8, 16)).eval()
    states = model.encoder(torch.tensor([GRAMMAR.tokens([0] * 40)])).detach().requires_grad_()
    score = model.predictor(pool(states))
    (slope,) = torch.autograd.grad(score.sum(), states)
    assert (slope.abs().sum(dim=-1) > 0).all()
    moved = F.normalize(states.detach() + 10 * slope, dim=-1)
    assert model.predictor(pool(moved)) > score


def test_the_loss_is_the_papers() -> None:
    scores, targets = torch.tensor([0.5]), torch.tensor([1.0])
    log_probabilities = torch.log(torch.tensor([[[0.25, 0.75]]]))
    loss = joint_loss(scores, log_probabilities, targets, torch.tensor([[0]]), 0.8)
    assert float(loss) == pytest.approx(0.8 * 0.25 + 0.2 * -np.log(0.25))
