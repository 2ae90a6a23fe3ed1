"""Weight sharing in the one loop: which cells are drawn, and that a training resumes with them."""

import dataclasses
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from naokit.images.recipes import RECIPES
from naokit.images.subject import ImageSubject
from naokit.settings import ImageSettings
from naokit.spaces import ConvCells
from naokit.text.recipes import RECIPES as TEXT_RECIPES
from naokit.text.subject import TextSubject
from naokit.training.device import make_fabric, seeded
from naokit.training.loop import train
from naokit.training.sharing import Fair, Largest, SharedTask, Uniform, Weighted

SPACE = ConvCells.small(nodes=2)
POOL = [SPACE.sample(np.random.default_rng(n)) for n in range(4)]
RECIPE = dataclasses.replace(RECIPES["quick"], epochs=2, train_images=256)
SUBJECT = ImageSubject("digits", 4, 1)


def test_uniform_draws_each_of_the_pool_about_as_often() -> None:
    drawn = Counter(Uniform(POOL).draw(4000, np.random.default_rng(0)))
    assert set(drawn) == set(POOL)
    assert all(900 < count < 1100 for count in drawn.values())


def test_weighted_draws_in_proportion() -> None:
    drawn = Counter(Weighted(POOL, (1, 1, 1, 5)).draw(4000, np.random.default_rng(0)))
    assert 2350 < drawn[POOL[3]] < 2650


def test_largest_draws_from_the_largest_quarter_alone() -> None:
    five = [*POOL, SPACE.sample(np.random.default_rng(4))]
    drawn = Counter(Largest(five, (3, 1, 9, 2, 0)).draw(2000, np.random.default_rng(0)))
    assert set(drawn) == {POOL[2], POOL[0]}  # a quarter of five, rounded up
    assert 900 < drawn[POOL[0]] < 1100


def test_fair_draws_every_choice_equally_often() -> None:
    counts = SPACE.grammar.counts
    amount = int(np.lcm.reduce(counts)) * 3
    drawn = Fair(SPACE).draw(amount, np.random.default_rng(0))
    for position, count in enumerate(counts):
        found = Counter(architecture.choices[position] for architecture in drawn)
        assert set(found.values()) == {amount // count}
    assert len(Fair(SPACE).draw(7, np.random.default_rng(0))) == 7


def shared() -> torch.nn.Module:
    with seeded(0):
        return SPACE.build_shared(ImageSettings(10, 4, 1, (1, 8, 8)))


@pytest.mark.parametrize("epochs", [0.3, 1.4])
def test_a_shared_training_resumes_bit_for_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, epochs: float
) -> None:
    fabric = make_fabric("cpu")

    def run(folder: Path, ends: float = 9.0) -> torch.nn.Module:
        def stepped(done: float) -> None:
            if done > ends:
                raise KeyboardInterrupt

        network = shared()
        task = SharedTask(SUBJECT.task(RECIPE, fabric), SPACE, Uniform(POOL))
        train(network, task, seed=3, fabric=fabric, checkpoint=folder, on_step=stepped)
        return network

    whole = run(tmp_path / "whole")
    with monkeypatch.context() as patch:
        patch.setattr("naokit.training.loop.SAVE_EVERY", -1.0)
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "parts", epochs)
    continued = run(tmp_path / "parts")
    pairs = zip(whole.state_dict().values(), continued.state_dict().values(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)


def test_a_shared_training_learns_and_trains_only_what_was_drawn() -> None:
    network, fabric = shared(), make_fabric("cpu")
    before = {name: value.clone() for name, value in network.named_parameters()}
    losses: list[float] = []
    task = SharedTask(SUBJECT.task(RECIPE, fabric), SPACE, Uniform(POOL[:1]))
    train(network, task, seed=0, fabric=fabric, on_epoch=lambda epoch: losses.append(epoch.loss))
    assert losses[-1] < losses[0]
    moved = {n for n, value in network.named_parameters() if not torch.equal(value, before[n])}
    alone = network.network(SPACE.plan(POOL[0]))
    assert sum(before[name].numel() for name in moved) == sum(
        parameter.numel() for parameter in alone.parameters()
    )


def test_a_text_carries_its_state_from_cell_to_cell() -> None:
    from naokit.spaces import RecurrentCells

    space, subject, fabric = RecurrentCells(nodes=2), TextSubject("pydoc", 4), make_fabric("cpu")
    recipe = dataclasses.replace(TEXT_RECIPES["text-quick"], epochs=1, train_tokens=4000)
    pool = [space.sample(np.random.default_rng(n)) for n in range(3)]
    task = SharedTask(subject.task(recipe, fabric), space, Uniform(pool))
    with seeded(0):
        network = space.build_shared(subject.settings(recipe))
    train(network, task, seed=0, fabric=fabric)
    assert set(task.tensors()) <= {"state"}
