"""The published networks to the exact parameter, and what each part computes."""

import pytest
import torch

from naokit.base import ImageSettings, InputError
from naokit.networks import OPERATIONS, Branch, CellPlan, count_macs, count_parameters
from naokit.networks.cell import drop_path
from naokit.spaces import ConvCells

NAONET_A = "0 7 1 15 2 8 1 7 0 6 1 7 0 8 4 7 1 5 0 7 0 7 1 13 0 6 0 14 0 9 1 10 0 14 2 6 1 11 0 7"


def network(settings: ImageSettings, text: str = NAONET_A, space: ConvCells | None = None):
    space = space or ConvCells.large()
    return space.build(space.parse(text), settings)


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
    """Section 5.2; the last auxiliary count is 664,842 + 90 outputs of 769."""
    with torch.device("meta"):
        built = network(ImageSettings(classes, channels, 6, auxiliary=True))
    assert count_parameters(built) == parameters
    assert count_parameters(built, auxiliary=True) - parameters == auxiliary


def test_naonet_a_has_the_multiply_accumulates_of_the_official_code() -> None:
    """Section 5.2: 1,673.8 M at F = 36."""
    with torch.device("meta"):
        built = network(ImageSettings(10, 36, 6))
    assert round(count_macs(built, (3, 32, 32)) / 1e6, 1) == 1673.8
    assert built.training


@pytest.mark.parametrize("side", [4, 7, 8, 15, 28, 32])
@pytest.mark.parametrize("text", [NAONET_A, " ".join(["0 5 1 5"] * 10)])
def test_any_image_size_works(side: int, text: str) -> None:
    built = network(ImageSettings(3, 4, 1, (1, side, side), auxiliary=True), text)
    logits, auxiliary = built(torch.randn(2, 1, side, side))
    assert logits.shape == auxiliary.shape == (2, 3)
    assert built.eval()(torch.randn(2, 1, side, side)).shape == (2, 3)


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("side", [8, 7])
def test_operations_keep_channels_and_halve_maps(name: str, stride: int, side: int) -> None:
    output = OPERATIONS[name](6, stride)(torch.randn(2, 6, side, side))
    assert output.shape == (2, 6, -(-side // stride), -(-side // stride))


def test_pools_count_the_padding_as_their_space_says() -> None:
    ones = torch.ones(1, 1, 3, 3)
    assert OPERATIONS["avg_pool_3x3"](1, 1)(ones)[0, 0, 0, 0] == 1
    assert OPERATIONS["avg_pool_3x3_padded"](1, 1)(ones)[0, 0, 0, 0] == pytest.approx(4 / 9)
    assert OPERATIONS["avg_pool_2x2_padded"](1, 1)(ones)[0, 0, 2, 2] == pytest.approx(1 / 4)
    assert OPERATIONS["max_pool_2x2"](1, 1)(-ones)[0, 0, 2, 2] == 0


def test_a_factorized_reduction_reads_every_second_pixel_of_both_grids() -> None:
    reduce = OPERATIONS["identity"](2, 2).eval()
    x = torch.randn(1, 2, 4, 4)
    even = reduce.even.weight[:, :, 0, 0] @ x[0, :, 0::2, 0::2].flatten(1)
    odd = reduce.odd.weight[:, :, 0, 0] @ x[0, :, 1::2, 1::2].flatten(1)
    expected = torch.cat([even, odd])
    scale = 1 / (1 + 1e-5) ** 0.5  # batch normalisation, before it has seen anything
    torch.testing.assert_close(reduce(x).flatten(2)[0], expected * scale)


def test_loose_ends_are_what_no_branch_reads() -> None:
    plan = CellPlan(((Branch(0, "identity"), Branch(0, "identity")),) * 2)
    assert plan.loose_ends == (1, 2, 3)


def test_gradients_reach_every_parameter() -> None:
    built = network(ImageSettings(3, 4, 1, (1, 8, 8), auxiliary=True, drop_path_keep=0.9))
    built.progress = 0.5
    logits, auxiliary = built(torch.randn(8, 1, 8, 8))
    (logits.sum() + auxiliary.sum()).backward()
    without = [name for name, p in built.named_parameters() if p.grad is None]
    assert without == []


def test_drop_path_zeroes_samples_and_keeps_the_expectation() -> None:
    torch.manual_seed(0)
    dropped = drop_path(torch.ones(4000, 1, 1, 1), 0.75)
    assert sorted({round(v, 4) for v in dropped.flatten().tolist()}) == [0.0, 1.3333]
    assert float(dropped.mean()) == pytest.approx(1, abs=0.05)


def test_drop_path_grows_with_depth_and_progress_and_is_absent_in_eval() -> None:
    built = network(ImageSettings(3, 4, 1, (1, 8, 8), drop_path_keep=0.6))
    assert built.keep(4) == 1.0
    built.progress = 1.0
    assert built.keep(4) == pytest.approx(0.6)
    assert built.keep(0) == pytest.approx(1 - 0.4 / 5)
    built.eval()
    images = torch.randn(2, 1, 8, 8)
    assert torch.equal(built(images), built(images))


def test_channels_last_gives_the_same() -> None:
    built = network(ImageSettings(3, 4, 1, (3, 16, 16))).eval()
    images = torch.randn(2, 3, 16, 16)
    expected = built(images)
    built.to(memory_format=torch.channels_last)
    found = built(images.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (ImageSettings(channels=5), "channels must be even"),
        (ImageSettings(cells=0), "at least 1"),
        (ImageSettings(classes=1), "at least 2 classes"),
        (ImageSettings(image=(3, 2, 2)), "4 pixels a side"),
        (ImageSettings(drop_path_keep=0.0), "keep probabilities"),
    ],
)
def test_settings_that_cannot_be_built_are_explained(settings, message: str) -> None:
    with pytest.raises(InputError, match=message):
        network(settings)


def test_an_unknown_operation_is_named() -> None:
    space = ConvCells(1, ("conv_3x3", "conv_9x9"), "mine")
    with pytest.raises(InputError, match="no operation 'conv_9x9'"):
        network(ImageSettings(), "0 1 0 1 0 0 0 0", space)
