"""Which part of a picture is shown: torchvision's random boxes, and the centre."""

import numpy as np
import pytest
from PIL import Image

from naokit.images.pictures.crops import centre_view, random_box, random_view


def gradient(height: int, width: int, channels: int = 3) -> np.ndarray:
    """Brighter from left to right and from top to bottom."""
    rows, columns = np.mgrid[:height, :width]
    level = (rows / height + columns / width) * 127
    return np.repeat(level[..., None], channels, axis=2).astype(np.uint8)


def test_random_boxes_have_the_areas_and_ratios_of_torchvision() -> None:
    generator = np.random.default_rng(0)
    boxes = np.array([random_box(400, 400, generator) for _ in range(2000)])
    top, left, height, width = boxes.T
    assert top.min() >= 0
    assert left.min() >= 0
    assert (top + height).max() <= 400
    assert (left + width).max() <= 400
    areas, ratios = height * width / 160_000, width / height
    assert 0.078 < areas.min() < 0.1
    assert 0.9 < areas.max() <= 1
    assert 0.73 < ratios.min() < 0.78
    assert 1.28 < ratios.max() < 1.36
    assert np.log(ratios).mean() == pytest.approx(0, abs=0.02)
    # The sides and places are spread, not piled at an edge.
    assert (top / np.maximum(400 - height, 1)).mean() == pytest.approx(0.5, abs=0.03)
    assert (left / np.maximum(400 - width, 1)).mean() == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(("sides", "box"), [((4, 400), (0, 197, 4, 5)), ((400, 4), (197, 0, 5, 4))])
def test_a_picture_in_which_no_box_fits_gives_its_centre(sides: tuple, box: tuple) -> None:
    assert {random_box(*sides, np.random.default_rng(seed)) for seed in range(5)} == {box}


def test_a_box_is_never_larger_than_the_picture() -> None:
    for seed in range(200):
        generator = np.random.default_rng(seed)
        height, width = generator.integers(1, 5, 2)
        top, left, h, w = random_box(int(height), int(width), generator)
        assert 0 < h <= height - top
        assert 0 < w <= width - left


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("sides", [(30, 40), (256, 300), (7, 5)])
def test_views_have_the_size_asked_for(sides: tuple[int, int], channels: int) -> None:
    picture = gradient(*sides, channels)
    for view in (
        random_view(picture, 16, np.random.default_rng(0)),
        centre_view(picture, 16),
    ):
        assert view.shape == (16, 16, channels)
        assert view.dtype == np.uint8


def test_the_centre_is_that_of_the_whole_picture() -> None:
    view = centre_view(gradient(64, 128), 56)
    assert view.mean() == pytest.approx(gradient(64, 128).mean(), abs=1.5)
    assert int(view[-1, -1, 0]) - int(view[0, 0, 0]) == pytest.approx(
        127 * (56 / 64 + 56 / 128), abs=4
    )


def test_a_random_view_is_the_crop_resized() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (50, 60, 3), dtype=np.uint8)
    top, left, height, width = random_box(50, 60, np.random.default_rng(3))
    crop = Image.fromarray(picture[top : top + height, left : left + width].copy())
    wanted = np.asarray(crop.resize((24, 24), Image.Resampling.BILINEAR))
    np.testing.assert_array_equal(random_view(picture, 24, np.random.default_rng(3)), wanted)
