"""Pictures of every mode: the same bytes for training in memory, streams and predictions."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from naokit.base import InputError
from naokit.images.loading import load_images
from naokit.images.pictures.decoding import decoded, header, reduced
from naokit.images.predicting import fit_picture

DEEP = np.array([[0, 128, 129], [257, 25_700, 65_535]], dtype=np.uint16)  # (H, W)
BYTES = np.array([[0, 0, 1], [1, 100, 255]], dtype=np.uint8)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAOKIT_CACHE", str(tmp_path / "cache"))


def pgm(path: Path) -> None:
    path.write_bytes(b"P5 3 2 65535\n" + DEEP.astype(">u2").tobytes())


def big_endian(path: Path) -> None:
    Image.frombytes("I;16B", (3, 2), DEEP.astype(">u2").tobytes()).save(path)


DEEP_FILES = {
    "grey.png": lambda path: Image.fromarray(DEEP).save(path),
    "grey.tif": lambda path: Image.fromarray(DEEP).save(path),
    "big.tif": big_endian,
    "whole.tif": lambda path: Image.fromarray(DEEP.astype(np.int32)).save(path),
    "grey.pgm": pgm,
    "fractions.tif": lambda path: Image.fromarray((BYTES / 255).astype(np.float32)).save(path),
    "eight.png": lambda path: Image.fromarray(BYTES).save(path),
}


@pytest.mark.parametrize("name", DEEP_FILES)
def test_sixteen_bits_are_scaled_the_same_everywhere(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    DEEP_FILES[name](path)
    found = decoded((name, path))
    np.testing.assert_array_equal(found.pixels, BYTES[None])
    assert header((name, path))[:3] == (2, 3, 1)
    np.testing.assert_array_equal(reduced((name, path), (2, 3, 1))[..., 0], BYTES)
    shown = reduced((name, path), (2, 3, 3))
    np.testing.assert_array_equal(shown, np.repeat(BYTES[..., None], 3, axis=2))
    np.testing.assert_array_equal(fit_picture(path, (1, 2, 3)).pixels, BYTES[None])


@pytest.mark.parametrize(
    ("pixels", "message"),
    [
        (np.full((2, 3), 70_000, np.int32), "run from 0 to 70000, expected 0 to 65,535"),
        (np.full((2, 3), -5, np.int32), "run from -5 to 0"),
        (np.full((2, 3), 200, np.float32), "run from 0 to 200, expected 0 to 1"),
        (np.full((2, 3), np.nan, np.float32), "run from nan to nan"),
    ],
)
def test_other_ranges_are_refused(tmp_path: Path, pixels: np.ndarray, message: str) -> None:
    Image.fromarray(pixels).save(tmp_path / "a.tif")
    with pytest.raises(InputError, match=message):
        decoded(("a.tif", tmp_path / "a.tif"))


def deep_folders(path: Path, times: int) -> Path:
    generator = np.random.default_rng(0)
    for name in ("a", "b"):
        (path / name).mkdir(parents=True)
        for number in range(4):
            pixels = generator.integers(0, 256, (6, 6), dtype=np.uint16) * times
            Image.fromarray(pixels.astype(np.uint16)).save(path / name / f"{number}.png")
    return path


@pytest.mark.parametrize("size", [None, 6])
@pytest.mark.parametrize(("times", "dark"), [(257, False), (16, True)])
def test_it_is_said_once(tmp_path: Path, size: int | None, times: int, dark: bool) -> None:
    path = deep_folders(tmp_path / "set", times)
    for _ in range(2):  # decoded, and from the cache
        data = load_images(path, size=size)
        assert data.image == (1, 6, 6)
        assert sum("8 pictures of 16 bits" in line for line in data.remarks) == 1
        assert any("the brightest of these pixels is 16 of 255" in r for r in data.remarks) == dark


def test_arrays_of_sixteen_bits(tmp_path: Path) -> None:
    images = np.tile(DEEP, (20, 2, 2))
    np.savez(tmp_path / "a.npz", images=images, labels=np.arange(20) % 2)
    data = load_images(tmp_path / "a.npz")
    np.testing.assert_array_equal(data.train.images[0, 0], np.tile(BYTES, (2, 2)))
    assert "20 pictures of 16 bits" in data.remarks[0]


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


COLOUR = Image.fromarray(np.arange(0, 240, 10, dtype=np.uint8).reshape(2, 4, 3))
GREY = Image.fromarray(np.array([[0, 50, 100, 150], [200, 250, 30, 60]], dtype=np.uint8))
CLEAR = COLOUR.copy()
CLEAR.putalpha(Image.new("L", (4, 2), 0))
TURNED = Image.Exif()
TURNED[0x0112] = 6


@pytest.mark.parametrize(
    ("content", "expected", "said"),
    [
        (encoded(CLEAR, "PNG"), COLOUR, "transparency"),
        (encoded(CLEAR, "TIFF"), COLOUR, "transparency"),
        (encoded(Image.merge("LA", (GREY, GREY)), "PNG"), GREY, "transparency"),
        (encoded(COLOUR.convert("P", palette=Image.Palette.ADAPTIVE), "PNG"), COLOUR, ""),
        (encoded(GREY.point(lambda level: 255 * (level > 99)).convert("1"), "PNG"), None, ""),
        (encoded(COLOUR, "PNG", exif=TURNED), COLOUR.transpose(Image.Transpose.ROTATE_270), "EXIF"),
        (
            encoded(COLOUR, "TIFF", tiffinfo={274: 6}),
            COLOUR.transpose(Image.Transpose.ROTATE_270),
            "EXIF",
        ),
        (encoded(COLOUR, "TIFF", save_all=True, append_images=[CLEAR]), COLOUR, "first is used"),
        (encoded(GREY, "GIF", save_all=True, append_images=[GREY.rotate(180)]), None, "first is"),
        (encoded(Image.new("CMYK", (4, 2), (0, 255, 255, 0)), "TIFF"), None, ""),
    ],
    ids=["RGBA", "RGBA tiff", "LA", "P", "1", "EXIF", "EXIF tiff", "pages", "frames", "CMYK"],
)
def test_no_mode_is_read_wrong_without_a_word(
    tmp_path: Path, content: bytes, expected: Image.Image | None, said: str
) -> None:
    found = decoded(("x", content))
    if expected is not None:
        pixels = np.asarray(expected)
        pixels = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
        np.testing.assert_array_equal(found.pixels, pixels)
    channels, height, width = found.pixels.shape
    assert header(("x", content))[:3] == (height, width, channels)
    shown = reduced(("x", content), (height, width, channels)).transpose(2, 0, 1)
    np.testing.assert_array_equal(shown, found.pixels)
    for name in ("a", "b"):
        (tmp_path / "set" / name).mkdir(parents=True)
        for number in range(2):
            (tmp_path / "set" / name / f"{number}.png").write_bytes(content)
    for size in (None, 2):
        remarks = load_images(tmp_path / "set", size=size).remarks
        assert any(said in remark for remark in remarks) == bool(said)


def test_one_bit_and_cmyk_are_white_and_red() -> None:
    white = encoded(Image.new("1", (2, 2), 1), "PNG")
    assert decoded(("x", white)).pixels.tolist() == [[[255, 255], [255, 255]]]
    red = encoded(Image.new("CMYK", (1, 1), (0, 255, 255, 0)), "TIFF")
    assert decoded(("x", red)).pixels.ravel().tolist() == [255, 0, 0]


def test_damaged_exif_says_nothing(tmp_path: Path) -> None:
    content = encoded(COLOUR, "PNG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")
    np.testing.assert_array_equal(decoded(("x", content)).pixels[0], np.asarray(COLOUR)[..., 0])
