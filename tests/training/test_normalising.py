"""The statistics of batch normalisation are those of the weights of today."""

import dataclasses
from pathlib import Path

import pytest
import torch
from tests.training.older import without_statistics
from torch import nn

import naokit
from naokit.base import InputError
from naokit.images.recipes import ImageRecipe, recipe
from naokit.images.subject import ImageSubject
from naokit.training.device import make_fabric
from naokit.training.loop import train
from naokit.training.normalising import take_statistics

PLAIN = ImageRecipe("plain", 1, 64, learning_rate=0.1, crop_padding=0, flip=False, train_images=400)


def test_they_are_the_means_of_the_batches_weighed_by_their_examples() -> None:
    network = nn.Sequential(nn.Conv2d(1, 3, 1), nn.BatchNorm2d(3), nn.Dropout(0.9))
    images = torch.randn(40, 1, 5, 5, generator=torch.Generator().manual_seed(0))
    batches = images.split(16)  # the last one has 8
    network[1].running_mean.fill_(100)  # of weights that are gone
    take_statistics(network, batches)
    shown = network[0](images)
    variances = torch.stack([network[0](one).var((0, 2, 3)) for one in batches])
    expected = (torch.tensor([16.0, 16.0, 8.0]) / 40) @ variances
    torch.testing.assert_close(network[1].running_mean, shown.mean((0, 2, 3)))
    torch.testing.assert_close(network[1].running_var, expected)


def test_layers_are_as_before_otherwise_and_the_network_is_in_eval_mode() -> None:
    drop, normalise = nn.Dropout(0.9), nn.BatchNorm1d(2, momentum=0.3)
    drop.register_forward_hook(lambda module, _, out: seen.append((module.training, out)))
    seen: list[tuple[bool, torch.Tensor]] = []
    network = nn.Sequential(normalise, drop).train()
    with pytest.raises(RuntimeError, match="running_mean"):
        take_statistics(network, [torch.randn(4, 2), torch.randn(4, 3)])
    assert normalise.momentum == 0.3
    assert not any(module.training for module in network.modules())
    assert not seen[0][0]
    assert not seen[0][1].requires_grad


def test_without_such_layers_no_batch_is_read() -> None:
    network = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2, track_running_stats=False)).train()
    take_statistics(network, (pytest.fail("read") for _ in range(1)))
    assert not network.training


def test_a_training_measures_by_them_and_keeps_them() -> None:
    """Nothing else of the training changes; by the running ones the first epoch is worse."""
    subject, space = ImageSubject("digits", 4, 1), naokit.spaces.ConvCells.small(1)
    cell, found = space.parse("0 0 1 3 0 1 1 4"), {}
    for batches in (None, 3):
        by, fabric = dataclasses.replace(PLAIN, statistics_batches=batches), make_fabric("cpu")
        network = subject.network(cell, by, 0)
        task = subject.task(by, fabric)
        trained = train(network, task, seed=0, fabric=fabric)
        assert trained.best == task.measure(network)
        found[batches] = trained.best, network.state_dict()
    (running, before), (taken, after) = found[None], found[3]
    assert taken > running + 5
    told = [name for name in before if not before[name].equal(after[name])]
    assert told
    assert all(name.endswith(("running_mean", "running_var", "batches_tracked")) for name in told)


def test_a_checkpoint_of_a_version_that_had_none_goes_on(tmp_path: Path) -> None:
    subject, fabric = ImageSubject("digits", 4, 1), make_fabric("cpu")
    cell, by = naokit.spaces.ConvCells.small(1).parse("0 0 1 3 0 1 1 4"), PLAIN
    network = subject.network(cell, by, 0)
    train(network, subject.task(by, fabric), seed=0, fabric=fabric, checkpoint=tmp_path)
    without_statistics(tmp_path / "last.safetensors")
    again = train(network, subject.task(by, fabric), seed=0, fabric=fabric, checkpoint=tmp_path)
    assert again.complete
    other = dataclasses.replace(by, statistics_batches=2)
    with pytest.raises(InputError, match=r"recipe has statistics_batches None, this one 2"):
        train(network, subject.task(other, fabric), seed=0, fabric=fabric, checkpoint=tmp_path)


def test_the_recipes_of_the_paper_measure_as_it_did() -> None:
    assert recipe("cifar10-2018").statistics_batches is None
    assert recipe("search-2018").statistics_batches is None
    with pytest.raises(InputError, match="statistics_batches of a recipe must be 1 or more, not 0"):
        dataclasses.replace(PLAIN, statistics_batches=0)
