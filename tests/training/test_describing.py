"""What is measured on untrained networks, whatever they read."""

import pytest
import torch
from torch import Tensor, nn

from naokit.training.describing import one_thread, ridge_score, with_last_features
from naokit.training.normalising import batch_statistics


def examples(amount: int = 300, classes: int = 3) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    answers = torch.randint(classes, (amount,), generator=generator)
    noise = torch.randn(amount, 20, generator=generator)
    return noise, answers


def test_a_ridge_regression_tells_what_is_there_to_be_told() -> None:
    noise, answers = examples()
    hint = torch.zeros_like(noise)
    hint[:, :3] = torch.eye(3)[answers]
    told, half, nothing = (
        ridge_score(features, answers, 200) for features in (hint, 3 * hint + noise, noise)
    )
    assert told > 0.7
    assert told > half > 0.1 > nothing


def test_its_score_has_no_scale_and_knows_constant_features() -> None:
    noise, answers = examples()
    assert ridge_score(1000 * noise + 5, answers, 200) == pytest.approx(
        ridge_score(noise, answers, 200), rel=1e-3
    )
    assert ridge_score(torch.ones(300, 4), answers, 200) == pytest.approx(0, abs=0.05)


def test_the_last_features_are_what_the_last_linear_layer_reads() -> None:
    network = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3))
    inputs = torch.randn(5, 4)
    features, logits = with_last_features(network, inputs)
    assert features.equal(network[:2](inputs))
    assert logits.equal(network(inputs))
    assert not network[2]._forward_pre_hooks


def test_without_a_linear_layer_they_are_the_logits() -> None:
    network = nn.Sequential(nn.Conv2d(1, 3, 2), nn.Flatten())
    features, logits = with_last_features(network, torch.randn(5, 1, 2, 2))
    assert features.equal(logits)


def test_the_number_of_threads_is_put_back() -> None:
    before = torch.get_num_threads()
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before


def test_batch_statistics_leave_no_trace() -> None:
    layer = nn.BatchNorm1d(3)
    before = {name: value.clone() for name, value in layer.state_dict().items()}
    inputs = 5 + torch.randn(8, 3)
    with batch_statistics(layer), torch.no_grad():
        assert layer(inputs).mean().abs() < 1e-5
    assert all(before[name].equal(value) for name, value in layer.state_dict().items())
    assert not layer.training
