"""Fitting the model: targets, respelling, pseudo-labels, and what a fit depends on."""

import numpy as np
import pytest
import torch

from naokit.grammar import Grammar
from naokit.method.fit import FitSettings, PseudoLabels, fit, normalise, pairwise_accuracy, respell
from naokit.method.model import Model, ModelSettings
from naokit.spaces import ConvCells

GRAMMAR = ConvCells.small().grammar


def test_respelling_swaps_one_node_of_each_cell() -> None:
    generator = torch.Generator().manual_seed(0)
    tokens = torch.arange(40).repeat(64, 1)
    swapped = respell(tokens, GRAMMAR, generator)
    moved = swapped != tokens
    assert (moved[:, :20].sum(dim=1) == 4).all()
    assert (moved[:, 20:].sum(dim=1) == 4).all()
    assert len({tuple(row) for row in moved.tolist()}) > 10
    assert torch.equal(swapped.sort(dim=1).values, tokens)


def test_targets_are_minimum_to_maximum() -> None:
    assert normalise(np.array([2.0, 4.0, 3.0])).tolist() == [0.0, 1.0, 0.5]
    assert normalise(np.array([7.0, 7.0])).tolist() == [0.5, 0.5]


def test_pairwise_accuracy_counts_pairs() -> None:
    truth = torch.tensor([1.0, 2.0, 3.0])
    assert pairwise_accuracy(truth, truth) == 1.0
    assert pairwise_accuracy(-truth, truth) == 0.0
    assert pairwise_accuracy(torch.tensor([1.0, 3.0, 2.0]), truth) == pytest.approx(2 / 3)


def synthetic(amount: int) -> tuple[Grammar, np.ndarray, np.ndarray]:
    """Cells of two nodes whose score counts an operation: easy to learn."""
    space = ConvCells.small(nodes=2)
    generator = np.random.default_rng(0)
    architectures = [space.sample(generator) for _ in range(amount)]
    tokens = np.array([space.grammar.tokens(a.choices) for a in architectures])
    values = np.array([float(sum(c == 0 for c in a.choices[1::2])) for a in architectures])
    return space.grammar, tokens, values


def test_a_fit_learns_to_rank_and_to_reconstruct() -> None:
    grammar, tokens, values = synthetic(240)
    fitted = fit(
        grammar,
        tokens[:200],
        values[:200],
        model_settings=ModelSettings(16, 48),
        settings=FitSettings(epochs=100, learning_rate=5e-3),
        seed=0,
    )
    unseen = torch.tensor(tokens[200:])
    scores = fitted.model.scores(unseen)
    assert pairwise_accuracy(scores, torch.tensor(values[200:], dtype=torch.float32)) > 0.8
    assert fitted.quality is not None
    assert fitted.quality.token_accuracy > 0.9


def test_a_fit_is_a_function_of_its_seed_and_leaves_the_global_one_alone() -> None:
    grammar, tokens, values = synthetic(40)

    def weights(seed: int) -> list[torch.Tensor]:
        settings = FitSettings(epochs=3)
        sizes = ModelSettings(8, 16)
        fitted = fit(grammar, tokens, values, model_settings=sizes, settings=settings, seed=seed)
        return list(fitted.model.parameters())

    torch.manual_seed(5)
    before = torch.get_rng_state()
    first, second, third = weights(1), weights(1), weights(2)
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(first, third, strict=True))


def test_an_epoch_counts_the_known_up_sampled_and_the_pseudo_labelled_once() -> None:
    grammar, tokens, values = synthetic(10)
    pseudo = PseudoLabels(torch.tensor(tokens[:7]), torch.full((7,), 0.5), up_sampling=3)
    settings = FitSettings(epochs=2, batch=5, patience=None)
    fitted = fit(
        grammar,
        tokens,
        values,
        model_settings=ModelSettings(8, 8),
        settings=settings,
        seed=0,
        pseudo=pseudo,
    )
    assert fitted.updates == 2 * 8  # ceil((10 * 3 + 7) / 5)


def test_a_fit_leaves_the_model_that_it_goes_on_from_as_it_is() -> None:
    grammar, tokens, values = synthetic(20)
    initial = Model(grammar, ModelSettings(8, 8))
    before = [parameter.clone() for parameter in initial.parameters()]
    settings = FitSettings(epochs=1, learning_rate=1e-6)
    fitted = fit(
        grammar,
        tokens,
        values,
        model_settings=ModelSettings(8, 8),
        settings=settings,
        seed=0,
        initial=initial,
    )
    pairs = list(zip(before, initial.parameters(), fitted.model.parameters(), strict=True))
    assert all(torch.equal(old, now) for old, now, _ in pairs)
    assert all(torch.allclose(old, new, atol=1e-4) for old, _, new in pairs)
    assert not all(torch.equal(old, new) for old, _, new in pairs)


def test_pseudo_labels_teach() -> None:
    """Turned upside down, many of them outweigh twenty true results."""
    grammar, tokens, values = synthetic(160)
    upside_down = torch.tensor(1 - values[20:120] / values.max(), dtype=torch.float32)
    fitted = fit(
        grammar,
        tokens[:20],
        values[:20],
        model_settings=ModelSettings(16, 32),
        settings=FitSettings(epochs=25, learning_rate=1e-2, patience=None),
        seed=0,
        pseudo=PseudoLabels(torch.tensor(tokens[20:120]), upside_down, up_sampling=1),
    )
    truth = torch.tensor(values[120:], dtype=torch.float32)
    assert pairwise_accuracy(fitted.model.scores(torch.tensor(tokens[120:])), truth) < 0.4
