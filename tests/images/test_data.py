"""Readers find images, sizes and classes; bad input is explained."""

import dataclasses
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from naokit.base import InputError
from naokit.images.data import ImageData, Split, class_weights
from naokit.images.loading import held_out, load_images
from naokit.images.reading import listing
from naokit.images.recipes import recipe
from naokit.images.subject import ImageSubject

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


def parquet(path: Path, amount: int = 12, names: str = "abc", change=None) -> Path:
    """A file in the hub's schema; `change` appends one image to its rows."""
    import datasets

    path.parent.mkdir(exist_ok=True)
    features = datasets.Features(
        {"img": datasets.Image(), "label": datasets.ClassLabel(names=list(names))}
    )
    rows: dict[str, list] = {"img": [Image.fromarray(p) for p in pictures(amount)]}
    if change is not None:
        change(rows)
    rows["label"] = [n % len(names) for n in range(len(rows["img"]))]
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
    (entry,) = (cache).glob("images-*/*")
    assert load_images(tmp_path / "set").fingerprint == first.fingerprint
    next(entry.glob("*images.npy")).write_bytes(b"broken")
    assert load_images(tmp_path / "set").fingerprint == first.fingerprint


@pytest.mark.parametrize(
    ("files", "sizes"),
    [
        (("validation-0.parquet",), (9, 3, 0)),
        (("part-0.parquet", "test-0.parquet"), (9, 3, 12)),
        (("training-0.parquet", "dev.parquet", "test.parquet"), (12, 12, 12)),
        (("data/train-0.parquet", "data/test-0.parquet"), (9, 3, 12)),
    ],
)
def test_no_image_of_another_part_trains(
    tmp_path: Path, files: tuple[str, ...], sizes: tuple[int, ...]
) -> None:
    (tmp_path / "set").mkdir()
    for file in files:
        parquet(tmp_path / "set" / file)
    data = load_images(tmp_path / "set" / files[0] if len(files) == 1 else tmp_path / "set")
    assert tuple(len(split) for split in (data.train, data.validation, data.test)) == sizes


def test_an_empty_validation_part_is_none(tmp_path: Path) -> None:
    empty = {"x_val": pictures(0), "y_val": np.zeros(0, int)}
    np.savez(tmp_path / "a.npz", x_train=pictures(20), y_train=np.arange(20) % 2, **empty)
    assert len(load_images(tmp_path / "a.npz").validation) == 2


def test_grey_pictures_among_colour_ones_become_colour(tmp_path: Path) -> None:
    class_folders(tmp_path / "set")
    Image.fromarray(pictures(1)[0][..., 0]).save(tmp_path / "set" / "cat" / "0.png")
    data = load_images(tmp_path / "set")
    assert data.image == (3, 6, 6)
    everything = np.concatenate([data.train.images, data.validation.images])
    assert sum(bool((image == image[:1]).all()) for image in everything) == 1


def test_hidden_folders_are_no_classes_and_a_class_may_be_called_train(tmp_path: Path) -> None:
    class_folders(tmp_path / "set", ("plane", "train"))
    (tmp_path / "set" / ".ipynb_checkpoints").mkdir()
    assert load_images(tmp_path / "set").class_names == ("plane", "train")


def test_images_of_ones_own_are_checked() -> None:
    data = load_images("digits")
    assert load_images(data) is data
    floats = Split(data.train.images / 255, data.train.labels)
    with pytest.raises(InputError, match="images must be bytes"):
        load_images(dataclasses.replace(data, train=floats))
    with pytest.raises(InputError, match=r"`data` is of type ndarray; .*ImageData of arrays"):
        load_images(data.train.images)


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


def _class_without_images(path: Path) -> Path:
    class_folders(path)
    (path / "cow").mkdir()
    return path


def _no_train_folder(path: Path) -> Path:
    class_folders(path / "test")
    class_folders(path / "val")
    return path


def _cut_npz(path: Path) -> Path:
    np.savez_compressed(path.with_suffix(".npz"), images=pictures(9), labels=np.arange(9) % 3)
    whole = path.with_suffix(".npz").read_bytes()
    path.with_suffix(".npz").write_bytes(whole[: len(whole) // 2])
    return path.with_suffix(".npz")


def _damaged_npz(path: Path) -> Path:
    np.savez(path.with_suffix(".npz"), images=pictures(9), labels=np.arange(9) % 3)
    content = bytearray(path.with_suffix(".npz").read_bytes())
    content[300:400] = bytes(100)
    path.with_suffix(".npz").write_bytes(content)
    return path.with_suffix(".npz")


def _test_files_only(path: Path) -> Path:
    path.mkdir()
    parquet(path / "test-0.parquet")
    parquet(path / "validation-0.parquet")
    return path


def _other_classes_in_test(path: Path) -> Path:
    path.mkdir()
    parquet(path / "train.parquet")
    parquet(path / "test.parquet", names="axc")
    return path


def _no_image(path: Path) -> Path:
    return parquet(path.with_suffix(".parquet"), change=lambda rows: rows["img"].append(None))


def _no_picture(path: Path) -> Path:
    junk = {"bytes": b"junk", "path": "x.png"}
    return parquet(path.with_suffix(".parquet"), change=lambda rows: rows["img"].append(junk))


def _one_image_a_class(path: Path) -> Path:
    return parquet(path.with_suffix(".parquet"), 3)


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
        (_several_sizes, "several sizes .6 x 6, 9 x 9.; .*`naokit search` and `train` do"),
        (_unreadable, r"bad\.png cannot be decoded"),
        (_empty, "holds no images"),
        (_bad_parquet, "not readable as parquet"),
        (_npz(x=np.zeros(3)), "expected arrays images and labels"),
        (_npz(images=pictures(3), labels=np.zeros(2, int)), "one label for each of 3 images"),
        (_npz(images=pictures(3), labels=np.eye(3, dtype=int)), "one label for each of 3 images"),
        (_npz(images=np.uint8(3), labels=np.int64(3)), r"images must be \(N, H, W\)"),
        (_npz(x_train=pictures(3)), "expected arrays"),
        (_npz(x_train=pictures(3), y_train=np.arange(3), x_test=pictures(3)), "but no y_test"),
        (_cut_npz, "no whole zip archive"),
        (_damaged_npz, "not a readable .npz"),
        (_class_without_images, "class folders without images: cow"),
        (_no_train_folder, "has test and val, but no train folder"),
        (_test_files_only, r"has no train\*\.parquet; it has test-0\.parquet, validation"),
        (_other_classes_in_test, "train and test parts differ in classes: b, x"),
        (_no_image, "row 12 has no image"),
        (_no_picture, "row 12 cannot be decoded"),
        (_one_image_a_class, "no class of two images"),
        (_npz(images=pictures(3) / 255, labels=np.zeros(3, int)), "must be bytes"),
        (_npz(images=pictures(3), labels=np.zeros(3)), "labels must be integers"),
        (_npz(images=pictures(0), labels=np.zeros(0, int)), "no training images"),
        (_npz(images=pictures(3), labels=np.array([-1, 0, 1])), "labels run from -1"),
        (_npz(images=pictures(3), labels=np.array([0, 1, 10**9])), "labels run up to 1000000000"),
        (
            _npz(images=pictures(3).transpose(0, 3, 1, 2)[..., :4, :4], labels=np.arange(3)),
            r"\(3, 3, 4, 4\) may be \(N, C, H, W\) or \(N, H, W, C\)",
        ),
        (_not_npz, "not a readable .npz"),
        (_text, "neither a folder nor"),
        (lambda path: path.with_suffix(".npz"), "there is no file"),
        (lambda path: "nobody/has-this-data-set", "no such data set could be loaded"),
        (
            lambda path: "digts",
            r"no file or folder 'digts'; did you mean digits\? Else give a path",
        ),
        (lambda path: "no/such/folder", "no file or folder 'no/such/folder'; give a path"),
        (lambda path: "photos/mine.zip", "no file or folder 'photos/mine.zip'; give a path"),
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


def test_the_held_out_rows_are_recorded(tmp_path: Path) -> None:
    images, labels = pictures(20), np.arange(20) % 2
    np.savez(tmp_path / "a.npz", images=images, labels=labels)
    data = load_images(tmp_path / "a.npz")
    assert data.held_out is not None
    np.testing.assert_array_equal(
        data.validation.images, images.transpose(0, 3, 1, 2)[list(data.held_out)]
    )
    assert load_images("digits").held_out is None


def test_labels_that_leave_most_classes_without_an_image_are_no_classes(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=pictures(30), labels=np.arange(30) % 3 * 100)
    subject = ImageSubject(tmp_path / "a.npz", channels=2, cells=1)
    with pytest.raises(InputError, match="3 different labels run up to 200, which makes 201 class"):
        subject.check_data(recipe("quick"))
    np.savez(tmp_path / "b.npz", images=pictures(30), labels=np.arange(30) % 2 * 3)
    ImageSubject(tmp_path / "b.npz", channels=2, cells=1).check_data(recipe("quick"))
    named = ImageData("x", *[load_images(tmp_path / "a.npz").train] * 3, ("many",) * 201)
    ImageSubject(named, channels=2, cells=1).check_data(recipe("quick"))


def test_class_weights_are_those_of_scikit_learn() -> None:
    from sklearn.utils.class_weight import compute_class_weight

    labels = np.repeat([0, 1, 2], [50, 10, 3])
    weights = class_weights(labels, 3)
    wanted = compute_class_weight("balanced", classes=np.arange(3), y=labels)
    np.testing.assert_allclose(weights, wanted)
    assert weights[labels].mean() == pytest.approx(1)
    absent = class_weights(labels, 4)
    assert absent[3] == 0
    assert absent[labels].mean() == pytest.approx(1)


def test_batches_follow_the_order_and_may_be_written_to(tmp_path: Path) -> None:
    data = load_images(parquet(tmp_path / "train.parquet"))
    order = [np.array([3, 1]), np.array([0, 2, 3])]
    found = list(data.train.batches(order, seed=7, decoders=2))
    for rows, (images, labels) in zip(order, found, strict=True):
        np.testing.assert_array_equal(images, data.train.images[rows])
        np.testing.assert_array_equal(labels, data.train.labels[rows])
        images += 1


def test_class_folders_are_decoded_once(tmp_path: Path, monkeypatch) -> None:
    folder = class_folders(tmp_path / "set")
    first = load_images(folder)
    with monkeypatch.context() as patch:
        patch.setattr(listing, "decoded", lambda *_, **__: pytest.fail("decoded again"))
        assert load_images(folder).fingerprint == first.fingerprint
    Image.fromarray(pictures(1)[0] // 7).save(folder / "cat" / "0.png")
    assert load_images(folder).fingerprint != first.fingerprint
    (folder / "cow").mkdir()
    with pytest.raises(InputError, match="class folders without images: cow"):
        load_images(folder)


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
