"""Pictures are found, decoded as training pictures are, and brought to the network's size."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from naokit.base import InputError
from naokit.images.interface import Interface
from naokit.images.pictures.crops import centre_view
from naokit.images.predicting import find_pictures, fit_picture, predict


def saved(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def test_a_picture_that_fits_is_used_as_it_is(tmp_path: Path) -> None:
    pixels = noise(6, 8, 3)
    picture = fit_picture(saved(tmp_path / "a.png", pixels), (3, 6, 8))
    assert np.array_equal(picture.pixels, pixels.transpose(2, 0, 1))
    assert not picture.resized
    assert not picture.recoloured


@pytest.mark.parametrize("tall", [False, True])
def test_the_shorter_side_is_scaled_and_the_centre_kept(tmp_path: Path, tall: bool) -> None:
    pixels = np.zeros((16, 48), dtype=np.uint8)
    pixels[:, 16:32] = 200  # the central square
    picture = fit_picture(saved(tmp_path / "a.png", pixels.T if tall else pixels), (1, 8, 8))
    assert picture.resized
    assert np.all(picture.pixels[:, 2:6, 2:6] == 200)
    assert picture.pixels.min() > 150  # the edge is smoothed; what is outside is black


def test_a_network_of_streamed_pictures_sees_what_it_was_judged_on(tmp_path: Path) -> None:
    """The middle 224 of 256, as the evaluation of a stream shows it."""
    pixels = noise(90, 60)
    path = saved(tmp_path / "class" / "a.png", pixels)
    saved(tmp_path / "class" / "b.png", noise(90, 60))
    picture = fit_picture(path, (1, 28, 28), streamed=True)
    assert np.array_equal(picture.pixels[0], centre_view(pixels[..., None], 28)[..., 0])
    assert not np.array_equal(picture.pixels, fit_picture(path, (1, 28, 28)).pixels)


def test_grey_becomes_colour_and_colour_grey(tmp_path: Path) -> None:
    grey = fit_picture(saved(tmp_path / "g.png", noise(8, 8)), (3, 8, 8))
    assert grey.recoloured
    assert not grey.resized
    assert np.array_equal(grey.pixels, np.broadcast_to(noise(8, 8), (3, 8, 8)))
    red = np.zeros((8, 8, 3), dtype=np.uint8)
    red[..., 0] = 255
    colour = fit_picture(saved(tmp_path / "c.png", red), (1, 8, 8))
    assert colour.recoloured
    assert np.array_equal(colour.pixels, np.full((1, 8, 8), 76))


def test_a_network_of_two_channels_takes_no_pictures(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="takes 2 channels; a picture has 1 or 3"):
        fit_picture(saved(tmp_path / "a.png", noise(8, 8)), (2, 8, 8))


def test_folders_are_searched_in_order(tmp_path: Path) -> None:
    for name in ("b/2.png", "a/1.png", "b/.hidden.png"):
        saved(tmp_path / name, noise(8, 8))
    (tmp_path / "b" / "notes.txt").write_text("no picture")
    found = find_pictures([tmp_path, tmp_path / "b" / "2.png"])
    names = [str(path.relative_to(tmp_path)) for path in found]
    assert names == ["a/1.png", "b/2.png", "b/2.png"]


def network(images: torch.Tensor) -> torch.Tensor:
    """Dark pictures are of class 0, bright ones of class 1."""
    bright = images.float().mean(dim=(1, 2, 3)) / 255
    return torch.stack([1 - bright, bright, torch.zeros(len(images))], dim=1) * 20


SHADES = Interface((1, 4, 4), ("dark", "bright", "odd"), (0.5,), (0.2,), streamed=False)


def test_rows_are_in_order_and_bad_ones_left_out(tmp_path: Path) -> None:
    shades = (0, 255, 200)
    files = [
        saved(tmp_path / f"{shade}.png", np.full((4, 4), shade, dtype=np.uint8)) for shade in shades
    ]
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    found = predict(network, SHADES, [files[0], bad, *files[1:]], top=2, skip_bad=True)
    assert [row.labels[0] for row in found.rows] == ["dark", "bright", "bright"]
    assert [row.file for row in found.rows] == files
    assert found.rows[1].probabilities[0] == pytest.approx(1, abs=1e-6)
    assert all(sum(row.probabilities) <= 1 + 1e-6 for row in found.rows)
    assert (found.resized, found.recoloured, len(found.skipped)) == (0, 0, 1)
    assert f"{bad} cannot be decoded" in found.skipped[0]
    with pytest.raises(InputError, match=f"{bad} cannot be decoded.*`skip_bad=True`"):
        predict(network, SHADES, [bad])


def test_when_every_picture_is_bad_there_are_no_rows(tmp_path: Path) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    found = predict(network, SHADES, [bad], skip_bad=True)
    assert found.rows == ()
