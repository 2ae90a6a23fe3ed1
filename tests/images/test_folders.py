"""Folders of pictures as users have them: what is read, what is refused, what is said."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from naokit.base import InputError
from naokit.images.loading import load_images
from naokit.images.predicting import find_pictures
from naokit.images.reading.folders import listing_of
from naokit.training.part_names import told
from naokit.training.tree import grown


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAOKIT_CACHE", str(tmp_path / "cache"))


def folders(root: Path, *names: str) -> Path:
    """A folder with these in it: each of four pictures, or none where its name ends in a slash."""
    generator = np.random.default_rng(0)
    for name in names:
        (root / name).mkdir(parents=True)
        for number in range(0 if name.endswith("/") else 4):
            pixels = generator.integers(0, 256, (6, 6, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / name / f"{number}.png")
    return root


def below(parts: str, classes: str = "a b") -> tuple[str, ...]:
    return tuple(f"{part}/{name}" for part in parts.split(";") for name in classes.split())


@pytest.mark.parametrize(
    ("names", "sizes"),
    [
        (below("train_set;test_set"), (6, 2, 8)),
        (below("training;testing"), (6, 2, 8)),
        (below("trainval;test"), (6, 2, 8)),
        (below("Train;Test"), (6, 2, 8)),
        (below("TRAINING SET;VALIDATION SET;TEST SET"), (8, 8, 8)),
        (below("train;testing"), (6, 2, 8)),
        (below("train;eval"), (8, 8, 0)),
        (below("train-images;val-images"), (8, 8, 0)),
        (below("birds_train;birds_test"), (6, 2, 8)),
        (below("data/train;data/dev;data/test"), (8, 8, 8)),
        (below("train/images;test/images"), (6, 2, 8)),
        (below("train;val", "a/images b/images"), (8, 8, 0)),
        (("dataset/a", "dataset/b"), (6, 2, 0)),
        (("x/y/a", "x/y/b", "notes/"), (6, 2, 0)),
        (("a/images", "b/images"), (6, 2, 0)),
        (("a", "a/more", "b", "b/other"), (13, 3, 0)),
    ],
    ids=lambda value: "+".join(map(str, value)),
)
def test_the_classes_are_found(tmp_path: Path, names: tuple[str, ...], sizes: tuple) -> None:
    data = load_images(folders(tmp_path / "set", *names))
    assert data.class_names == ("a", "b")
    found = (len(data.train), len(data.validation), len(data.test))
    assert found == sizes or (sum(found) == sum(sizes) and len(names) == 4 and not data.remarks)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (below("fold1;fold2"), r"fold1, fold2 \(fold1 has a, b\); give the folder .*set/fold1"),
        (below("a;b", "train test"), "put the parts above the classes: test/a instead of a/test"),
        (("a", "b", "extra/a", "extra/b"), r"hold no images but folders of them: extra"),
        (("a/x", "b/y"), "hold no images but folders of them: a, b"),
        (("train", "test"), "set/train holds no folders; set has the parts test, train, and each"),
        (("Train", "Training"), "two folders for the train part, Train and Training"),
        (below("train;test;testing"), "two folders for the test part, test and testing"),
        (below("train;val;valid"), "two folders for the validation part, val and valid"),
        (below("train;trainval;test"), "two folders for the train part, train and trainval"),
        (below("trainA;trainB;testA;testB"), "two folders for the .* part, .*A and .*B"),
        (below("testing;val"), "has testing and val, but no train folder"),
        (("dataset/a",), "one class only .a."),
        (("a", "b", "c/"), "class folders without images: c"),
    ],
    ids=str,
)
def test_what_cannot_be_told_is_refused(tmp_path: Path, names: tuple, message: str) -> None:
    path = folders(tmp_path / "set", *names)
    with pytest.raises(InputError) as caught:
        load_images(path)
    said = str(caught.value).replace(str(path), "set")
    assert re.search(message, said), said


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    path = folders(tmp_path / "set", *below("train"), "test", "extra/a")
    Image.new("RGB", (6, 6)).save(path / "train" / "beside.png")
    said = "\n".join(load_images(path).remarks).replace(str(path), "set")
    assert "set: train from train" in said
    assert "set/test is left out: its pictures are not in class folders" in said
    assert "left out, as they are no names of parts: extra" in said
    assert "set/train: left out 1 picture beside the folders" in said


def test_which_folder_is_which_part_is_said(tmp_path: Path) -> None:
    path = folders(tmp_path / "set", *below("all/Training;all/eval"))
    assert load_images(path).remarks == (
        f"{path}: train from all/Training, validation from all/eval",
    )


JUNK = ("__MACOSX", ".ipynb_checkpoints", ".git", "@eaDir", "lost+found", "$RECYCLE.BIN", ".cache")


@pytest.mark.parametrize("junk", JUNK)
def test_what_systems_leave_behind_is_no_class(tmp_path: Path, junk: str) -> None:
    path = folders(tmp_path / "set", "a", "b", f"{junk}/a", f"a/{junk}")
    for name in ("._0.png", ".DS_Store", "Thumbs.db", "desktop.ini"):
        (path / name).write_bytes(b"junk")
        (path / "a" / name).write_bytes(b"junk")
    data = load_images(path)
    assert (data.class_names, len(data.train) + len(data.validation)) == (("a", "b"), 8)
    assert len(find_pictures([path])) == 8


def test_an_archive_made_on_a_mac(tmp_path: Path) -> None:
    path = folders(tmp_path / "set", *below("pics/train;pics/test"), *below("__MACOSX/pics/train"))
    assert load_images(path).class_names == ("a", "b")


def _nowhere(path: Path) -> None:
    path.symlink_to("/no/such/picture.png")


def _round(path: Path) -> None:
    path.symlink_to(path.name)


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("make", [_nowhere, _round, _pipe, _empty])
@pytest.mark.parametrize("size", [None, 6])
def test_what_is_no_file_is_named_or_left_out(tmp_path: Path, make, size: int | None) -> None:
    path = folders(tmp_path / "set", "a", "b")
    make(path / "a" / "bad.png")
    with pytest.raises(InputError, match=r"bad\.png") as caught:
        load_images(path, size=size)
    assert "\n" not in str(caught.value)
    data = load_images(path, size=size, skip_bad=True)
    assert len(data.train) + len(data.validation) == 8
    assert data.skipped == (str(path / "a" / "bad.png"),)


def test_links_to_folders_are_followed(tmp_path: Path) -> None:
    real = folders(tmp_path / "real", "cats", "dogs", "dogs/more")
    path = folders(tmp_path / "set", "fish")
    (path / "cat").symlink_to(real / "cats")
    (path / "dog").mkdir()
    (path / "dog" / "all").symlink_to(real / "dogs")
    Image.new("RGB", (6, 6)).save(path / "dog" / "one.png")
    (path / "fish" / "none").symlink_to("/no/such/folder")
    data = load_images(path)
    assert data.class_names == ("cat", "dog", "fish")
    assert len(data.train) + len(data.validation) == 4 + 9 + 4


def test_a_link_that_leads_back_is_refused(tmp_path: Path) -> None:
    path = folders(tmp_path / "set", "a", "b")
    (path / "a" / "again").symlink_to(path)
    with pytest.raises(InputError, match=r"a/again cannot be read: it is a link to a folder that"):
        load_images(path)
    assert load_images(path, skip_bad=True).skipped == (str(path / "a" / "again"),)


def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch) -> None:
    path = folders(tmp_path / "set", "a", "a/closed", "b")
    scandir = os.scandir

    def refusing(folder: Path):
        if Path(folder).name == "closed":
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refusing)
    with pytest.raises(InputError, match="a/closed cannot be read: Permission denied"):
        load_images(path)
    assert load_images(path, skip_bad=True).skipped == (str(path / "a" / "closed"),)


def test_folders_a_thousand_deep_are_refused(tmp_path: Path) -> None:
    path = folders(tmp_path / "set", "a", "b", "a/" + "x/" * 100)
    with pytest.raises(InputError, match="it lies 64 folders deep"):
        load_images(path)


@pytest.mark.parametrize("name", ["a\nb", "a\u2028b", "a\x85b", 'quote"\\', "é", " "])
def test_any_name_of_a_class_is_read_back_from_the_cache(tmp_path: Path, name: str) -> None:
    path = folders(tmp_path / "set", name, "~")
    first = load_images(path)
    assert load_images(path).class_names == first.class_names == tuple(sorted((name, "~")))
    assert load_images(path).fingerprint == first.fingerprint


def test_a_name_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    path = folders(tmp_path / "set", "a", "b")
    (path / os.fsdecode(b"caf\xe9")).symlink_to(path / "a")
    with pytest.raises(InputError, match=r"class folder caf\\xe9, whose name is not UTF-8"):
        load_images(path)


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", "a/" + "y" * 3000])
def test_what_can_be_no_path_is_nowhere(name: str) -> None:
    with pytest.raises(InputError, match="there is no file or folder"):
        load_images(name)


FUZZED = ("a", "b", "train", "Test set", "val", "eval", "images", "__MACOSX", "set", "x\ny", ".h")


@pytest.mark.parametrize("seed", range(80))
def test_any_layout_is_read_or_refused_in_words(tmp_path: Path, seed: int) -> None:
    generator = np.random.default_rng(seed)
    for _ in range(generator.integers(1, 9)):
        folder = tmp_path.joinpath("set", *generator.choice(FUZZED, generator.integers(1, 4)))
        folder.mkdir(parents=True, exist_ok=True)
        for name in generator.choice(["1.png", "2.JPG", "._1.png", "a.txt"], 2):
            (folder / name).touch()
    try:
        found = listing_of(grown(tmp_path / "set"))
    except InputError:
        return
    assert "train" in found.parts
    assert not {"__MACOSX", ".h"} & {*found.class_names}
    assert len({part for name in found.class_names if (part := told(name).part)}) < 2
    if len(found.parts) > 1:
        assert found.remarks
