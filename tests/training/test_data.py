"""Readers find images, sizes and classes; bad input is explained."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from naokit.base import InputError
from naokit.training.data import Split, held_out, load_images

SHARED = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NAOKIT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def pictures(amount: int, side: int = 6) -> np.ndarray:
    generator = np.random.default_rng(0)
    return generator.integers(0, 256, (amount, side, side, 3), dtype=np.uint8)


def class_folders(path: Path, names: tuple[str, ...] = ("cat", "dog"), side: int = 6) -> Path:
    for label, name in enumerate(names):
        (path / name).mkdir(parents=True)
        for number, pixels in enumerate(pictures(10, side)):
            Image.fromarray(pixels // (label + 1)).save(path / name / f"{number}.png")
    return path


def test_the_digits_come_with_scikit_learn() -> None:
    data = load_images("digits")
    assert data.image == (1, 8, 8)
    assert data.classes == 10
    assert [len(s) for s in (data.train, data.validation, data.test)] == [900, 450, 447]
    assert data.train.images.max() == 255


def test_class_folders(tmp_path: Path) -> None:
    data = load_images(class_folders(tmp_path / "set"))
    assert data.image == (3, 6, 6)
    assert data.class_names == ("cat", "dog")
    assert (len(data.train), len(data.validation), len(data.test)) == (18, 2, 0)
    assert sorted(data.validation.labels) == [0, 1]


def test_class_folders_below_train_and_test(tmp_path: Path) -> None:
    class_folders(tmp_path / "train")
    class_folders(tmp_path / "val")
    class_folders(tmp_path / "test")
    data = load_images(tmp_path)
    assert [len(s) for s in (data.train, data.validation, data.test)] == [20, 20, 20]


def test_classes_must_be_the_same_in_every_part(tmp_path: Path) -> None:
    class_folders(tmp_path / "train")
    class_folders(tmp_path / "test", ("cat", "cow"))
    with pytest.raises(InputError, match="differ in classes: cow, dog"):
        load_images(tmp_path)


@pytest.mark.parametrize("layout", ["NHWC", "NCHW", "NHW"])
def test_npz(tmp_path: Path, layout: str) -> None:
    images = pictures(20)
    wanted = images.transpose(0, 3, 1, 2)
    arrays = {"NHWC": images, "NCHW": wanted, "NHW": images[..., 0]}[layout]
    labels = np.arange(20) % 4
    np.savez(tmp_path / "a.npz", x_train=arrays, y_train=labels, x_test=arrays, y_test=labels)
    data = load_images(tmp_path / "a.npz")
    assert data.classes == 4
    np.testing.assert_array_equal(data.test.images, wanted[:, :1] if layout == "NHW" else wanted)


def parquet(path: Path, amount: int = 12, classes: int = 3) -> Path:
    import datasets

    features = datasets.Features(
        {"img": datasets.Image(), "label": datasets.ClassLabel(names=["a", "b", "c"][:classes])}
    )
    rows = {
        "img": [Image.fromarray(p) for p in pictures(amount)],
        "label": [n % classes for n in range(amount)],
    }
    datasets.Dataset.from_dict(rows, features=features).to_parquet(path)
    return path


def test_parquet_in_the_hubs_schema_is_decoded_once(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "set").mkdir()
    parquet(tmp_path / "set" / "train-0.parquet")
    parquet(tmp_path / "set" / "test-0.parquet", 6)
    first = load_images(tmp_path / "set")
    assert first.class_names == ("a", "b", "c")
    assert (len(first.train) + len(first.validation), len(first.test)) == (12, 6)
    np.testing.assert_array_equal(first.test.images[0], pictures(6)[0].transpose(2, 0, 1))
    (entry,) = (cache / "images").iterdir()
    assert load_images(tmp_path / "set").fingerprint == first.fingerprint
    next(entry.glob("*images.npy")).write_bytes(b"broken")
    assert load_images(tmp_path / "set").fingerprint == first.fingerprint


def test_a_cache_that_cannot_be_written_costs_nothing(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("NAOKIT_CACHE", str(tmp_path / "file"))
    assert load_images(parquet(tmp_path / "train.parquet")).classes == 3


def _one_class(path: Path) -> Path:
    return class_folders(path, ("only",))


def _several_sizes(path: Path) -> Path:
    class_folders(path)
    Image.fromarray(pictures(1, 9)[0]).save(path / "cat" / "large.png")
    return path


def _unreadable(path: Path) -> Path:
    class_folders(path)
    (path / "dog" / "bad.png").write_bytes(b"not a picture")
    return path


def _empty(path: Path) -> Path:
    path.mkdir()
    return path


def _bad_parquet(path: Path) -> Path:
    path.mkdir()
    (path / "train.parquet").write_bytes(b"PAR1 but not really")
    return path


def _npz(**arrays: np.ndarray):
    def make(path: Path) -> Path:
        np.savez(path.with_suffix(".npz"), **arrays)
        return path.with_suffix(".npz")

    return make


def _not_npz(path: Path) -> Path:
    path.with_suffix(".npz").write_bytes(b"nothing")
    return path.with_suffix(".npz")


def _text(path: Path) -> Path:
    path.with_suffix(".txt").write_text("hello")
    return path.with_suffix(".txt")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_one_class, "one class only .only."),
        (_several_sizes, "several sizes .6 x 6 x 3, 9 x 9 x 3."),
        (_unreadable, r"cannot be decoded .*bad\.png"),
        (_empty, "holds no images"),
        (_bad_parquet, "not readable as parquet"),
        (_npz(x=np.zeros(3)), "expected arrays images and labels"),
        (_npz(images=pictures(3), labels=np.zeros(2, int)), "not as many labels"),
        (_npz(images=pictures(3) / 255, labels=np.zeros(3, int)), "must be bytes"),
        (_npz(images=pictures(3), labels=np.zeros(3)), "labels must be integers"),
        (_npz(images=pictures(0), labels=np.zeros(0, int)), "no training images"),
        (_npz(images=pictures(3), labels=np.array([-1, 0, 1])), "labels run from -1"),
        (_not_npz, "not a readable .npz"),
        (_text, "neither a folder nor"),
        (lambda path: path.with_suffix(".npz"), "there is no file"),
        (lambda path: "nobody/has-this-data-set", "no such data set could be loaded"),
    ],
)
def test_bad_input_is_one_line_that_says_what_to_do(tmp_path: Path, make, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        load_images(make(tmp_path / "set"))
    assert "\n" not in str(caught.value)


def test_the_held_out_part_is_a_tenth_of_each_class() -> None:
    labels = np.repeat([0, 1, 2], [100, 50, 1])
    held = held_out(labels, 0.1, seed=0)
    assert np.bincount(labels[held], minlength=3).tolist() == [10, 5, 0]
    assert (held == held_out(labels, 0.1, seed=0)).all()
    assert (held != held_out(labels, 0.1, seed=1)).any()


def test_the_fingerprint_follows_the_content() -> None:
    data = load_images("digits")
    images = data.train.images.copy()
    images[0, 0, 0, 0] ^= 1
    changed = type(data)(
        "digits", Split(images, data.train.labels), data.validation, data.test, data.class_names
    )
    assert changed.fingerprint != data.fingerprint


@pytest.mark.shared
@pytest.mark.skipif(not (SHARED / "cifar100-subset").exists(), reason="no shared data here")
def test_real_parquet() -> None:
    data = load_images(SHARED / "cifar100-subset")
    assert data.image == (3, 32, 32)
    assert (data.classes, len(data.test)) == (100, 2000)
    assert os.environ["NAOKIT_CACHE"]
