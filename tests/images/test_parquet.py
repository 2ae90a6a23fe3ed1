"""Parquet files as users have them: columns, labels, names of files; what is refused and said."""

import io
import json
import os
from collections import namedtuple
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet as pq

from naokit.base import InputError
from naokit.images.loading import load_images
from naokit.images.subject import ImageSubject


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAOKIT_CACHE", str(tmp_path / "cache"))


def png(number: int) -> bytes:
    file = io.BytesIO()
    pixels = np.random.default_rng(number).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


PICTURES = [png(number) for number in range(12)]


def table(path: Path, labels: Any, *, image: str = "image", label: str = "label", **others) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    found = pa.table({image: PICTURES[: len(labels)], label: labels, **others})
    pq.write_table(found, path)
    return path


def said(path: Path, **options: Any) -> str:
    return "\n".join(load_images(path, **options).remarks)


NAMES = ["cat", "dog", "cow"] * 4
NUMBERS = [0, 1, 2] * 4


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (NAMES, ("cat", "cow", "dog")),
        (pa.array(NAMES, pa.large_string()), ("cat", "cow", "dog")),
        (pa.array(NAMES).dictionary_encode(), ("cat", "cow", "dog")),
        (pa.array(NUMBERS).dictionary_encode(), ("0", "1", "2")),
        ([False, True] * 6, ("False", "True")),
        (["01", "1"] * 6, ("01", "1")),
        (NUMBERS, ("0", "1", "2")),
        (pa.array(NUMBERS, pa.uint8()), ("0", "1", "2")),
    ],
    ids=str,
)
@pytest.mark.parametrize("size", [None, 6])
def test_labels_are_numbers_or_names(tmp_path: Path, labels, classes, size: int | None) -> None:
    data = load_images(table(tmp_path / "a.parquet", labels), size=size, hold_out=False)
    assert data.class_names == classes
    told = [str(value) for value in pa.array(labels).to_pylist()]
    assert [classes[label] for label in data.train.labels] == told


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.arange(12.0), r"column 'label' holds double; convert it, or choose another"),
        ([b"cat", b"dog"] * 6, "column 'label' holds binary"),
        ([[1], [2]] * 6, "column 'label' holds list"),
        (["cat", None, "dog"] * 4, r"4 rows without a label .*the first is row 1"),
        ([1, None, 0] * 4, "4 rows without a label"),
        (["cat", "dog", ""] * 4, "4 rows without a label"),
        ([None] * 12, "12 rows without a label"),
        ([-1, 0, 1] * 4, "labels run from -1"),
        (pa.array([2**64 - 1, 0] * 6, pa.uint64()), r"labels beyond 2\^63"),
        ([0, 10**9] * 6, "labels run up to 1000000000"),
    ],
    ids=str,
)
def test_what_are_no_labels_is_refused(tmp_path: Path, labels, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        load_images(table(tmp_path / "a.parquet", labels))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("image", "label"),
    [
        ("image", "Label"),
        ("Image", "target"),
        ("IMG", "y"),
        ("img", "class"),
        ("picture", "Class Name"),
        ("image_bytes", "classId"),
        ("jpg", "labels"),
        ("content", "category"),
    ],
)
def test_usual_names_in_any_case(tmp_path: Path, image: str, label: str) -> None:
    others = {"id": NUMBERS, "score": np.arange(12.0), "note": NAMES}
    path = table(tmp_path / "a.parquet", NAMES, image=image, label=label, **others)
    assert f"pictures from column '{image}', labels from '{label}'" in said(path)


def test_pictures_may_be_a_struct(tmp_path: Path) -> None:
    rows = [{"bytes": content, "path": "x.png"} for content in PICTURES]
    pq.write_table(pa.table({"image": rows, "label": NAMES}), tmp_path / "a.parquet")
    assert load_images(tmp_path / "a.parquet").classes == 3


MASK = {"mask_image": PICTURES}


@pytest.mark.parametrize(
    ("names", "others", "message"),
    [
        ({}, MASK, "2 image columns, image, mask_image; choose one with `image_column=image`"),
        ({}, {"target": NUMBERS}, "2 label columns, label, target; choose one with `label_column="),
        ({}, {"class": NAMES, "y": NUMBERS}, "3 label columns, label, class, y"),
        ({"image": "a"}, {"b": PICTURES}, "2 image columns, a, b"),
        ({"label": "species"}, {}, "it has image, species: name the label column with `label_"),
        ({"image": "x", "label": "species"}, {}, "name the label column"),
    ],
)
def test_two_columns_are_a_choice(tmp_path: Path, names: dict, others: dict, message: str) -> None:
    path = table(tmp_path / "a.parquet", NAMES, **names, **others)
    with pytest.raises(InputError, match=message):
        load_images(path)


def test_the_choice_is_kept(tmp_path: Path) -> None:
    others = {**MASK, "target": NUMBERS, "species": NAMES[::-1]}
    path = table(tmp_path / "a.parquet", NAMES, **others)
    chosen = {"image_column": "mask_image", "label_column": "species"}
    data = load_images(path, **chosen, hold_out=False)
    assert [data.class_names[label] for label in data.train.labels] == NAMES[::-1]
    results = ImageSubject(path, 2, 1, **chosen).results()
    assert {name: results[name] for name in chosen} == chosen
    again = ImageSubject(path, 2, 1, **chosen).again({"channels": 4})
    assert {name: again.results()[name] for name in chosen} == chosen


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"image_column": "imgae"}, "`image_column`: .* no column 'imgae'; .*did you mean image"),
        ({"label_column": "lable"}, "`label_column`: .* no column 'lable'; .*did you mean label"),
        ({"image_column": "label"}, "column 'label' holds string, not pictures"),
        ({"label_column": "image"}, "column 'image' holds binary; convert it"),
        ({"label_column": ""}, "`label_column`: .* no column ''"),
    ],
)
def test_a_wrong_choice_is_told(tmp_path: Path, chosen: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_images(table(tmp_path / "a.parquet", NAMES), **chosen)


def test_columns_are_of_tables_only(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="`label_column` are for parquet files"):
        load_images("digits", label_column="label")
    for name in ("a", "b"):
        (tmp_path / "set" / name).mkdir(parents=True)
        for number in range(2):
            (tmp_path / "set" / name / f"{number}.png").write_bytes(PICTURES[number])
    with pytest.raises(InputError, match="`label_column` are for parquet files"):
        load_images(tmp_path / "set", image_column="image")


@pytest.mark.parametrize(
    "image", [["a.png"] * 12, [[1, 2]] * 12, NUMBERS], ids=["string", "list", "int64"]
)
def test_what_are_no_pictures_is_told(tmp_path: Path, image: list, request) -> None:
    pq.write_table(pa.table({"image": image, "label": NAMES}), tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"column 'image' holds .*, not pictures; expected the by"):
        load_images(tmp_path / "a.parquet")


@pytest.mark.parametrize(
    ("files", "sizes"),
    [
        (("TRAIN.PARQUET", "Test.Parquet"), (12, 12)),
        (("train.pq", "testing.pq"), (12, 12)),
        (("data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet"), (24, 0)),
        (("default/train/0.parquet", "default/test/0.parquet"), (12, 12)),
        (("train.parquet/part-0.parquet", "train.parquet/part-1.parquet"), (24, 0)),
        (("a/b/c.parquet",), (12, 0)),
        (("train.parquet", ".cache/train.parquet", "_delta_log/x.parquet"), (12, 0)),
        (("part-0.parquet", "part-1.parquet"), (24, 0)),
        (("label=0/train.parquet",), (12, 0)),
    ],
    ids=str,
)
def test_files_are_found(tmp_path: Path, files: tuple[str, ...], sizes: tuple[int, int]) -> None:
    for file in files:
        table(tmp_path / "set" / file, NAMES)
    data = load_images(tmp_path / "set", hold_out=False)
    assert (len(data.train), len(data.test)) == sizes


def test_a_folder_may_be_called_as_a_file_is(tmp_path: Path) -> None:
    table(tmp_path / "all.parquet" / "part-0.parquet", NAMES)
    (tmp_path / "all.parquet" / "_SUCCESS").touch()
    assert load_images(tmp_path / "all.parquet").classes == 3


def test_which_file_is_which_part_is_said(tmp_path: Path) -> None:
    for file in ("train-0.parquet", "Testing-0.parquet", "extra.parquet"):
        table(tmp_path / "set" / file, NAMES)
    told = said(tmp_path / "set")
    assert "train from train-0.parquet, test from Testing-0.parquet" in told
    assert "left out, as their names tell of no part: extra.parquet" in told


def test_parts_have_the_classes_of_train(tmp_path: Path) -> None:
    table(tmp_path / "set" / "train.parquet", NAMES)
    table(tmp_path / "set" / "test.parquet", ["cat", "cow"])
    assert load_images(tmp_path / "set").test.labels.tolist() == [0, 1]
    table(tmp_path / "set" / "test.parquet", ["cat", "horse"])
    with pytest.raises(InputError, match="train and test parts differ in classes: horse"):
        load_images(tmp_path / "set")
    table(tmp_path / "set" / "test.parquet", [0, 1])
    with pytest.raises(InputError, match="names in one file and numbers in another"):
        load_images(tmp_path / "set")
    table(tmp_path / "set" / "test.parquet", [None, None])
    assert "test part has no labels, and is left out" in said(tmp_path / "set")


def features(labels: str, **others: object) -> dict[bytes, bytes]:
    """The hub's metadata."""
    named = {
        "image": {"_type": "Image"},
        labels: {"_type": "ClassLabel", "names": ["x", "y", "z"]},
        **others,
    }
    return {b"huggingface": json.dumps({"info": {"features": named}}).encode()}


def test_cifar_100_means_its_fine_labels(tmp_path: Path) -> None:
    columns = {"image": PICTURES, "coarse_label": NUMBERS, "fine_label": NUMBERS[::-1]}
    for metadata in (
        {},
        features("fine_label", coarse_label={"_type": "ClassLabel", "names": ["a"]}),
    ):
        found = pa.table(columns).replace_schema_metadata(metadata)
        pq.write_table(found, tmp_path / "a.parquet")
        assert "labels from 'fine_label'" in said(tmp_path / "a.parquet")


@pytest.mark.parametrize(
    "metadata",
    [b"", b"junk", b"[]", b"{}", b'{"info": null}', b'{"info": {"features": {"label": 3}}}'],
)
def test_damaged_metadata_say_nothing(tmp_path: Path, metadata: bytes) -> None:
    found = pa.table({"image": PICTURES, "label": NAMES})
    found = found.replace_schema_metadata({b"huggingface": metadata})
    pq.write_table(found, tmp_path / "a.parquet")
    assert load_images(tmp_path / "a.parquet").class_names == ("cat", "cow", "dog")


def test_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    pictures, labels = pa.array(PICTURES), pa.array(NAMES)
    found = pa.Table.from_arrays([pictures, labels, labels], ["image", "label", "label"])
    pq.write_table(found, tmp_path / "a.parquet")
    with pytest.raises(InputError, match="has two columns 'label'; rename one"):
        load_images(tmp_path / "a.parquet")


@pytest.mark.parametrize("name", ["brids.parquet", "Birds.Parquet", "bird.parq"])
def test_a_mistyped_file_is_told(tmp_path: Path, name: str) -> None:
    table(tmp_path / "birds.parquet", NAMES)
    with pytest.raises(InputError, match=r"no file or folder .*did you mean .*birds\.parquet\?"):
        load_images(tmp_path / name)


@pytest.mark.parametrize("name", ["a.npz", "a.parquet", "a.png"])
def test_a_pipe_is_no_file(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(InputError, match="is no regular file"):
        load_images(tmp_path / name)


def test_what_unpacks_to_more_than_the_memory_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An archive and a table of a few kilobytes that say they hold gigabytes."""
    free = namedtuple("Free", "available")(50_000)
    images = np.zeros((100, 3, 64, 64), np.uint8)
    np.savez_compressed(tmp_path / "bomb.npz", images=images, labels=np.arange(100) % 2)
    picture = io.BytesIO()
    Image.fromarray(images[0, 0]).save(picture, "BMP")
    cells = pa.table({"image": [picture.getvalue()] * 100, "label": [n % 2 for n in range(100)]})
    pq.write_table(cells, tmp_path / "bomb.parquet", compression="zstd", use_dictionary=False)
    for name in ("bomb.npz", "bomb.parquet"):
        assert (tmp_path / name).stat().st_size < 30_000
        load_images(tmp_path / name)
        monkeypatch.setattr("psutil.virtual_memory", lambda: free)
        with pytest.raises(InputError, match=rf"{name} takes 0.0 GB of memory, and 0.0 are free"):
            load_images(tmp_path / name)
        monkeypatch.undo()
