"""The published networks to the exact parameter, and how the whole behaves."""

import copy
from typing import Any

import pytest
import torch
from torch import nn

from naokit.base import InputError
from naokit.networks import Branch, CellPlan, ImageNetwork, count_macs, count_parameters
from naokit.settings import ImageSettings

from .plans import LOOSE_INPUT, NAONET_A, NAONET_WS, read

PLANS = {"naonet-a": NAONET_A, "naonet-ws": NAONET_WS, "loose-input": LOOSE_INPUT}
every_plan = pytest.mark.parametrize("text", PLANS.values(), ids=PLANS)


def network(text: str = NAONET_A, **settings: Any) -> ImageNetwork:
    tiny = {"classes": 3, "channels": 4, "cells": 1, "image": (1, 8, 8)}
    return ImageNetwork(*read(text), ImageSettings(**{**tiny, **settings}))


def published(**settings: Any) -> ImageNetwork:
    """Without memory for the weights."""
    full = {"classes": 10, "cells": 6, "image": (3, 32, 32)}
    with torch.device("meta"):
        return network(**{**full, **settings})


@pytest.mark.parametrize(
    ("channels", "classes", "parameters", "auxiliary"),
    [
        (36, 10, 11_470_150, 476_426),
        (64, 10, 36_186_058, 533_770),
        (128, 10, 144_576_394, 664_842),
        (128, 100, 144_714_724, 734_052),
    ],
)
def test_naonet_a_has_the_parameters_of_the_official_code(
    channels: int, classes: int, parameters: int, auxiliary: int
) -> None:
    """docs/specification.md, section 5.2; the auxiliary head has 769 for each further class."""
    built = published(classes=classes, channels=channels, auxiliary=True)
    assert count_parameters(built) == parameters
    assert count_parameters(built, auxiliary=True) - parameters == auxiliary


@pytest.mark.parametrize(("channels", "millions"), [(36, 1_673.8), (128, 21_133)])
def test_naonet_a_has_the_multiply_accumulates_of_the_official_code(
    channels: int, millions: float
) -> None:
    """docs/specification.md, section 5.2."""
    macs = count_macs(published(channels=channels, auxiliary=True), (3, 32, 32))
    assert macs / 1e6 == pytest.approx(millions, abs=0.05 if channels == 36 else 0.5)


@pytest.mark.parametrize("side", [4, 5, 7, 8, 15, 28, 32])
@every_plan
def test_any_image_size_works(side: int, text: str) -> None:
    built = network(text, image=(1, side, side + 1), auxiliary=True)
    images = torch.randn(2, 1, side, side + 1)
    logits, auxiliary = built(images)
    assert logits.shape == auxiliary.shape == (2, 3)
    assert built.eval()(images).shape == (2, 3)


def test_maps_halve_and_channels_double_at_both_reductions() -> None:
    built = network(LOOSE_INPUT, cells=2, image=(3, 28, 28))
    outputs = [(cell.output.height, cell.output.channels // 2) for cell in built.cells]
    assert outputs == [(28, 4)] * 2 + [(14, 8)] * 3 + [(7, 16)] * 3


def test_the_auxiliary_head_reads_the_second_reduction() -> None:
    built = network(cells=2, image=(3, 32, 32), auxiliary=True)
    seen: dict[str, torch.Tensor] = {}
    assert built.auxiliary is not None
    built.cells[5].register_forward_hook(lambda _, __, output: seen.update(reduction=output.values))
    built.auxiliary.register_forward_pre_hook(lambda _, given: seen.update(head=given[0]))
    built(torch.randn(2, 3, 32, 32))
    assert seen["head"] is seen["reduction"]
    assert seen["head"].shape[-2:] == (8, 8)


def test_the_auxiliary_pool_is_the_published_one_on_its_own_size() -> None:
    pools = {}
    for side in (32, 28, 24):
        head = network(image=(3, side, side), auxiliary=True).auxiliary
        assert head is not None
        pools[side] = head.features[1]
    for side, stride in ((32, 3), (28, 2)):
        assert isinstance(pools[side], nn.AvgPool2d)
        assert (pools[side].kernel_size, pools[side].stride) == (5, stride)
    assert isinstance(pools[24], nn.AdaptiveAvgPool2d)


def test_large_images_are_halved_three_times_before_the_first_cell() -> None:
    """docs/specification.md, section 1.3: 224 pixels become 56 and 28; after two reductions 7."""
    with torch.device("meta"):
        built = network(image=(3, 224, 224), channels=42, cells=4, stem="large", auxiliary=True)
    before, last = built.stem.sizes
    assert (before.channels, before.height) == (42, 56)
    assert (last.channels, last.height) == (42, 28)
    assert built.cells[-1].output.height == 7
    small = network(image=(3, 32, 40), stem="large", auxiliary=True)
    assert small(torch.randn(2, 3, 32, 40))[1].shape == (2, 3)


def test_the_auxiliary_head_is_laid_out_as_published() -> None:
    """docs/specification.md, section 1.3: ReLU, pool, 1x1 to 128, 2x2 to 768, linear."""
    head = network(image=(3, 32, 32), auxiliary=True).auxiliary
    assert head is not None
    head.eval()
    x = torch.randn(2, head.features[2].in_channels, 8, 8)
    corners = [x.relu()[:, :, i : i + 5, j : j + 5].mean((2, 3)) for i in (0, 3) for j in (0, 3)]
    scale = (1 + 1e-5) ** -0.5  # normalisation, before it has seen anything
    narrow = [(corner @ head.features[2].weight[:, :, 0, 0].T * scale).relu() for corner in corners]
    wide = (
        torch.stack(narrow, -1).flatten(1) @ head.features[5].weight.flatten(1).T * scale
    ).relu()
    torch.testing.assert_close(head(x), head.classifier(wide), atol=1e-4, rtol=1e-4)


def test_features_are_dropped_before_the_classifier_in_training_only() -> None:
    built = network(dropout_keep=0.25)
    given: list[torch.Tensor] = []
    built.classifier.register_forward_pre_hook(lambda _, inputs: given.append(inputs[0]))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        built(torch.randn(64, 1, 8, 8))
        built.eval()(torch.randn(64, 1, 8, 8))
    zeros = [float((features == 0).float().mean()) for features in given]
    assert zeros == pytest.approx([0.75, 0.0], abs=0.05)


def test_weights_are_kaiming_normal() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        built = network(image=(3, 8, 8), channels=64)
    for weight in (built.stem[0].weight, built.classifier.weight):
        fan_in = weight[0].numel()
        assert float(weight.detach().std()) == pytest.approx((2 / fan_in) ** 0.5, rel=0.1)


@every_plan
def test_gradients_reach_every_parameter(text: str) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        built = network(text, auxiliary=True, drop_path_keep=0.9)
        built.progress = 0.5
        logits, auxiliary = built(torch.randn(16, 1, 8, 8))
    (logits.square().sum() + auxiliary.square().sum()).backward()
    without = [
        name
        for name, weight in built.named_parameters()
        if weight.grad is None or not weight.grad.any()
    ]
    assert without == []


def test_drop_path_grows_with_depth_and_progress() -> None:
    built = network(drop_path_keep=0.6)
    assert [built.keep(index) for index in range(5)] == [1.0] * 5
    built.progress = 0.25
    keeps = [1 - 0.25 * (1 - (1 - (index + 1) / 5 * 0.4)) for index in range(5)]
    assert [built.keep(index) for index in range(5)] == pytest.approx(keeps)
    built.progress = 1.0
    assert built.keep(4) == pytest.approx(0.6)


def test_eval_draws_nothing_and_training_does() -> None:
    built = network(drop_path_keep=0.6, dropout_keep=0.5)
    built.progress = 1.0
    images = torch.randn(8, 1, 8, 8)
    with torch.random.fork_rng():
        assert not torch.equal(built(images), built(images))
        built.eval()
        state = torch.random.get_rng_state()
        assert torch.equal(built(images), built(images))
        assert torch.equal(torch.random.get_rng_state(), state)


@every_plan
def test_channels_last_gives_the_same(text: str) -> None:
    built = network(text, image=(3, 16, 16)).eval()
    other = copy.deepcopy(built).to(memory_format=torch.channels_last)
    images = torch.randn(2, 3, 16, 16)
    found = other(images.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(found, built(images), atol=1e-4, rtol=1e-4)


@every_plan
def test_torch_export_takes_any_batch_and_no_drop_path(text: str) -> None:
    built = network(text, auxiliary=True, drop_path_keep=0.6, image=(1, 7, 7)).eval()
    built.progress = 1.0
    program = torch.export.export(
        built, (torch.randn(3, 1, 7, 7),), dynamic_shapes={"images": {0: torch.export.Dim("batch")}}
    )
    images = torch.randn(5, 1, 7, 7)
    torch.testing.assert_close(program.module()(images), built(images))
    assert not [node for node in program.graph.nodes if "bernoulli" in str(node.target)]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"channels": 5}, "channels must be even"),
        ({"channels": 0}, "channels must be even"),
        ({"cells": 0}, "at least 1"),
        ({"classes": 1}, "at least 2 classes"),
        ({"image": (3, 2, 9)}, "4 pixels a side"),
        ({"image": (0, 8, 8)}, "need a channel"),
        ({"image": (3, 31, 31), "stem": "large"}, "32 pixels a side"),
        ({"stem": "huge"}, "no stem 'huge'; there are small, large"),
        ({"drop_path_keep": 0.0}, "keep probabilities"),
        ({"dropout_keep": 1.5}, "keep probabilities"),
        ({"drop_path_keep": float("nan")}, "keep probabilities"),
    ],
)
def test_settings_that_cannot_be_built_are_explained(
    settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        network(**settings)


@pytest.mark.parametrize("place", [0, 1])
def test_an_unknown_operation_is_named_with_the_known_ones(place: int) -> None:
    plans = list(read(NAONET_A))
    plans[place] = CellPlan(((Branch(0, "conv_3x3"), Branch(1, "conv_9x9")),))
    with pytest.raises(InputError, match=r"no operation 'conv_9x9'; known are sep_conv_3x3, "):
        ImageNetwork(*plans, ImageSettings())


def test_a_table_of_ones_own_operations_is_enough() -> None:
    plan = CellPlan(((Branch(0, "mine"), Branch(1, "mine")),))
    table = {"mine": lambda channels, stride: nn.Conv2d(channels, channels, 3, stride, 1)}
    settings = ImageSettings(3, 4, 1, (1, 8, 8))
    assert ImageNetwork(plan, plan, settings, table)(torch.randn(2, 1, 8, 8)).shape == (2, 3)
