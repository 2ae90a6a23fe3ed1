"""Shared networks: what a sampled cell computes, which weights it touches, how many there are."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from naokit.base import InputError
from naokit.networks import count_parameters
from naokit.settings import ImageSettings, LanguageSettings
from naokit.space import Architecture, Space
from naokit.spaces import (
    Activation,
    ConvCells,
    NasBench201,
    Operation,
    RecurrentCells,
    TransNasMicro,
)

IMAGES = ImageSettings(3, 4, 1, (1, 8, 8), auxiliary=True, drop_path_keep=0.8)
EDGES = ImageSettings(3, 4, 1, (1, 8, 8))
TEXT = LanguageSettings(11, 6, output_dropout=0.2, state_dropout=0.2)


def own_convolution(channels: int, stride: int) -> nn.Module:
    return nn.Conv2d(channels, channels, 3, stride, 1)


OWN = ConvCells(2, (Operation("own", own_convolution), "identity"), "mine")
OWN_TEXT = RecurrentCells(nodes=3, activations=("tanh", Activation("soft", nn.functional.silu)))
CASES: list[tuple[Space, Any]] = [
    (ConvCells.small(nodes=3), IMAGES),
    (ConvCells.large(nodes=2), IMAGES),
    (OWN, IMAGES),
    (NasBench201(), EDGES),
    (RecurrentCells(nodes=5), TEXT),
    (OWN_TEXT, TEXT),
]
NAMES = [
    "conv-small",
    "conv-large",
    "own operation",
    "nas-bench-201",
    "recurrent",
    "own activation",
]


def inputs(space: Space, batch: int = 6) -> torch.Tensor:
    generator = torch.Generator().manual_seed(batch)
    if space.reads == "text":
        return torch.randint(11, (7, batch), generator=generator)
    return torch.randn(batch, 1, 8, 8, generator=generator)


def shared_of(space: Space, settings: Any) -> Any:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return space.build_shared(settings)


def run(network: nn.Module, x: torch.Tensor, *plan: object) -> list[torch.Tensor]:
    """Every output; dropout and drop path draw the same numbers each time."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        found = network(x, None, *plan) if x.dtype == torch.int64 else network(x, *plan)
    return [found] if isinstance(found, torch.Tensor) else list(found)


def sampled(space: Space, amount: int) -> list[Architecture]:
    generator = np.random.default_rng(0)
    return [space.sample(generator) for _ in range(amount)]


@pytest.mark.parametrize(("space", "settings"), CASES, ids=NAMES)
@pytest.mark.parametrize("training", [False, True])
def test_a_cell_by_itself_computes_what_it_does_in_the_shared_network(
    space: Space, settings: Any, training: bool
) -> None:
    shared = shared_of(space, settings)
    if hasattr(shared, "progress"):
        shared.progress = 0.7
    for architecture in sampled(space, 3):
        plan = space.plan(architecture)
        alone = shared.network(plan)
        if hasattr(shared, "progress"):
            alone.progress = 0.7
        x = inputs(space)
        pairs = zip(
            run(shared.train(training), x, plan), run(alone.train(training), x), strict=True
        )
        assert all(torch.allclose(one, other, atol=1e-6) for one, other in pairs)


@pytest.mark.parametrize(("space", "settings"), CASES, ids=NAMES)
def test_gradients_reach_what_was_sampled_and_nothing_else(space: Space, settings: Any) -> None:
    shared = shared_of(space, settings).train()
    plans = [space.plan(architecture) for architecture in sampled(space, 30)]
    alive = [plan for plan in plans if "none" not in str(plan)]  # that cuts others off
    for plan in alive[:3]:
        shared.zero_grad(set_to_none=True)
        sum(output.square().mean() for output in run(shared, inputs(space), plan)).backward()
        touched = sum(p.numel() for p in shared.parameters() if p.grad is not None)
        alone = shared.network(plan)
        assert touched == sum(p.numel() for p in alone.parameters())
        copy = alone.train()
        sum(output.square().mean() for output in run(copy, inputs(space))).backward()
        dead = [name for name, p in copy.named_parameters() if p.grad is None]
        assert not dead


def test_the_copied_weights_are_copies() -> None:
    space = ConvCells.small(nodes=2)
    shared = shared_of(space, IMAGES)
    plan = space.plan(sampled(space, 1)[0])
    before = [p.clone() for p in shared.parameters()]
    alone = shared.network(plan)
    with torch.no_grad():
        for parameter in alone.parameters():
            parameter.zero_()
    assert all(map(torch.equal, before, shared.parameters()))


@pytest.mark.parametrize(("space", "settings"), [CASES[0], CASES[3], CASES[4]], ids=["c", "e", "r"])
def test_any_architecture_of_the_space_runs(space: Space, settings: Any) -> None:
    shared = shared_of(space, settings).eval()
    x = inputs(space, 2)
    with torch.no_grad():
        for architecture in sampled(space, 300):
            (logits, *_) = run(shared, x, space.plan(architecture))
            assert logits.isfinite().all()


def test_the_weights_of_a_shared_cell_are_counted_by_hand() -> None:
    """Two nodes, one separable convolution and an identity; C channels in every cell."""
    settings = ImageSettings(3, 4, 1, (1, 8, 8))
    space = ConvCells(2, ("sep_conv_3x3", "identity"), "mine")
    shared = shared_of(space, settings)

    def convolution(c: int) -> int:  # twice: depthwise, pointwise, normalisation
        return 2 * (9 * c + c * c + 2 * c)

    def reduce(c_in: int, c: int) -> int:
        return c_in * c + 2 * c

    def cell(c: int, reduction: bool) -> int:
        branches = 2 * (2 + 3)  # x and y of two nodes, each of as many as there are to read
        halving = 2 * (2 + 2) * reduce(c, c) if reduction else 0  # identities of the inputs
        ends = 4 * c * c + 2 * c + (2 * reduce(c, c) if reduction else 0)
        return branches * convolution(c) + halving + ends

    calibrations = [
        2 * (12 * 4 + 8),  # the stem's 3F channels to F, both inputs
        (12 * 8 + 16) + (4 * 8 + 16),  # the reduction's inputs have 3F and F, it has 2F
        reduce(4, 8) + 0,  # the size of the cell before is twice as large
        (8 * 16 + 16 * 2) * 2,
        reduce(8, 16),
    ]
    cells = sum(cell(c, r) for c, r in ((4, False), (8, True), (8, False), (16, True), (16, False)))
    stem, head = 9 * 12 + 24, 16 * 3 + 3
    assert count_parameters(shared) == stem + sum(calibrations) + cells + head


def test_a_shared_recurrent_cell_has_a_weight_for_each_choice() -> None:
    shared = shared_of(RecurrentCells(nodes=11), LanguageSettings(100, 10))
    assert count_parameters(shared) == 100 * 10 + 100 + 20 * 20 + 66 * 4 * 10 * 20


@pytest.mark.parametrize(
    ("operation", "parameters"), [("nor_conv_3x3", 1_531_546), ("skip_connect", 73_306)]
)
def test_networks_of_nas_bench_201_have_the_published_size(operation: str, parameters: int) -> None:
    space = NasBench201()
    text = space.spell((space.operations.index(operation),) * 6)
    network = space.build(space.parse(text), ImageSettings(10, 16, 5, (3, 32, 32)))
    assert count_parameters(network) == parameters


def test_maps_of_an_odd_side_pass_through_nas_bench_201() -> None:
    space = NasBench201()
    network = space.build(sampled(space, 1)[0], ImageSettings(3, 4, 1, (1, 7, 9)))
    assert network(torch.randn(2, 1, 7, 9)).shape == (2, 3)


def test_spaces_without_a_shared_network_say_so() -> None:
    with pytest.raises(InputError, match="transnas-micro has no shared network; conv-small"):
        TransNasMicro().build_shared(EDGES)
    with pytest.raises(InputError, match="needs ImageSettings"):
        ConvCells.small().build_shared(TEXT)
    with pytest.raises(InputError, match="have no auxiliary head"):
        NasBench201().build_shared(IMAGES)
    with pytest.raises(InputError, match="at most 20,000 operations"):
        ConvCells.large(nodes=12).build_shared(ImageSettings(cells=9))
