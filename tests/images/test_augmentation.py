"""Colour jitter and resized crops beside the changes that were there before."""

import dataclasses

import numpy as np
import pytest
import torch

from naokit.base import InputError
from naokit.images.augmentation import Augmentation
from naokit.images.recipes import ImageRecipe

PLAIN = ImageRecipe("plain", epochs=1, crop_padding=0, flip=False)
MEAN, STD = torch.tensor([0.4, 0.5, 0.6]), torch.tensor([0.2, 0.3, 0.4])


def images(channels: int = 3) -> torch.Tensor:
    generator = np.random.default_rng(0)
    return torch.from_numpy(generator.integers(0, 256, (6, channels, 8, 8), dtype=np.uint8))


def augmentation(channels: int = 3, **fields) -> Augmentation:
    recipe = dataclasses.replace(PLAIN, **fields)
    return Augmentation(recipe, (channels, 8, 8), MEAN[:channels], STD[:channels])


def changed(seed: int = 0, **fields) -> torch.Tensor:
    return augmentation(**fields)(images(), torch.Generator().manual_seed(seed))


def pixels(batch: torch.Tensor) -> torch.Tensor:
    """Floats in [0, 1] of a standardised batch."""
    return batch * STD.view(-1, 1, 1) + MEAN.view(-1, 1, 1)


def test_brightness_multiplies_each_image_by_its_own_factor() -> None:
    jittered = pixels(changed(colour_jitter=(0.5, 0, 0, 0)))
    original = images() / 255
    dark = original < 0.6  # brighter ones may be cut at 1
    shares = [
        (one[mask] / other[mask])[other[mask] > 0.05]
        for one, other, mask in zip(jittered, original, dark, strict=True)
    ]
    factors = [float(share.median()) for share in shares]
    for share, factor in zip(shares, factors, strict=True):
        np.testing.assert_allclose(share, factor, rtol=1e-3)
    assert len({round(factor, 4) for factor in factors}) == len(factors)
    assert min(factors) >= 0.499
    assert max(factors) <= 1.501


def test_jitter_stays_within_the_range_and_follows_its_generator() -> None:
    fields = {"colour_jitter": (0.4, 0.4, 0.4, 0.1)}
    first = changed(**fields)
    assert torch.equal(first, changed(**fields))
    assert not torch.equal(first, changed(seed=1, **fields))
    assert float(pixels(first).min()) > -1e-5
    assert float(pixels(first).max()) < 1 + 1e-5


def test_cutout_comes_after_the_jitter() -> None:
    batch = changed(colour_jitter=(0.4, 0.4, 0.4, 0.1), cutout=4)
    assert ((batch == 0).all(dim=1).reshape(6, -1).sum(dim=1) >= 4).all()


def test_cutout_is_the_published_one() -> None:
    """Its centre is any pixel, the border cuts it: DeVries and Taylor 2017."""
    recipe = dataclasses.replace(PLAIN, cutout=16)
    erase = Augmentation(recipe, (3, 32, 32), MEAN, STD)
    white = torch.full((4000, 3, 32, 32), 255, dtype=torch.uint8)
    erased = erase(white, torch.Generator().manual_seed(0)) == 0
    assert torch.equal(erased.any(dim=1), erased.all(dim=1))
    erased = erased[:, 0]
    sizes = erased.sum((1, 2))
    assert (int(sizes.min()), int(sizes.max())) == (64, 256)
    rows, columns = erased.any(dim=2).sum(dim=1), erased.any(dim=1).sum(dim=1)
    assert torch.equal(rows * columns, sizes)  # a rectangle
    share = erased.float().mean(dim=0)
    assert float(share[0, 0]) == pytest.approx((9 / 32) ** 2, abs=0.02)
    assert float(share[31, 31]) == pytest.approx((8 / 32) ** 2, abs=0.02)
    assert float(share[16, 16]) == pytest.approx(0.25, abs=0.03)


def test_resized_crops_are_not_cropped_again() -> None:
    plain = augmentation().standardise(images())
    assert torch.equal(changed(crop_padding=2, resized_crop=True), plain)
    assert not torch.equal(changed(crop_padding=2), plain)


def test_jitter_leaves_the_global_generator_alone() -> None:
    state = torch.get_rng_state()
    changed(colour_jitter=(0.4, 0.4, 0.4, 0.1))
    assert torch.equal(torch.get_rng_state(), state)


def test_a_jitter_of_grey_images_is_refused() -> None:
    with pytest.raises(InputError, match="needs images of 3 channels, not 1"):
        augmentation(1, colour_jitter=(0.4, 0.4, 0.4, 0.1))


def test_a_jitter_survives_json_and_must_be_possible() -> None:
    recipe = dataclasses.replace(PLAIN, colour_jitter=[0.4, 0.4, 0.4, 0.1])
    assert recipe.colour_jitter == (0.4, 0.4, 0.4, 0.1)
    assert recipe.to_json()["colour_jitter"] == [0.4, 0.4, 0.4, 0.1]
    assert ImageRecipe.from_json(recipe.to_json()) == recipe
    for bad in ((0.4, 0.4), (0.4, 0.4, 0.4, 0.6), (-1, 0, 0, 0)):
        with pytest.raises(InputError, match="colour_jitter is four numbers"):
            dataclasses.replace(PLAIN, colour_jitter=bad)
