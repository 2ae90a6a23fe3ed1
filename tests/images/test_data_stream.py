"""Pictures of any size, decoded while training: the same whoever decodes them, and when."""

import dataclasses
import multiprocessing
import pickle
import threading
from pathlib import Path

import datasets
import numpy as np
import pytest
import torch
from PIL import Image

from naokit.base import InputError
from naokit.images.data import ImageData
from naokit.images.loading import load_images
from naokit.images.pictures import reduced
from naokit.images.pictures.cache import cache_folder
from naokit.images.pictures.encoded import TableRows
from naokit.images.pictures.stream import Stream
from naokit.images.reading import listing

FORK = "ignore:.*multi-threaded, use of fork:DeprecationWarning"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NAOKIT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def picture(number: int, grey: bool = False) -> Image.Image:
    """A smooth one; no two are of one size."""
    generator = np.random.default_rng(number)
    noise = generator.integers(0, 256, (4, 4) if grey else (4, 4, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((20 + number, 40 - number), Image.Resampling.BICUBIC)


def class_folders(path: Path, amount: int = 10, grey: bool = False) -> Path:
    for label, name in enumerate(("cat", "dog")):
        (path / name).mkdir(parents=True)
        for number in range(amount):
            picture(10 * label + number, grey).save(path / name / f"{number}.jpg")
    return path


def parquet(path: Path, amount: int = 20, junk: bool = False) -> Path:
    path.parent.mkdir(exist_ok=True)
    features = datasets.Features(
        {"image": datasets.Image(), "label": datasets.ClassLabel(names=["cat", "dog"])}
    )
    images: list = [picture(number) for number in range(amount)]
    if junk:
        images[3] = {"bytes": b"junk", "path": None}
    rows = {"image": images, "label": [number // 10 % 2 for number in range(amount)]}
    datasets.Dataset.from_dict(rows, features=features).to_parquet(path, batch_size=6)
    return path


def batches(stream, seed: int | None = 0, decoders: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    order = np.random.default_rng(0).permutation(len(stream))
    found = list(stream.batches(np.array_split(order, 3), seed=seed, decoders=decoders))
    assert [len(labels) for _, labels in found] == [len(r) for r in np.array_split(order, 3)]
    return torch.cat([images for images, _ in found]), torch.cat([labels for _, labels in found])


def test_pictures_of_any_size_are_shown_at_one(tmp_path: Path) -> None:
    data = load_images(class_folders(tmp_path / "set"), size=16)
    assert isinstance(data.train, Stream)
    assert data.image == data.test.image == (3, 16, 16)
    assert [len(s) for s in (data.train, data.validation, data.test)] == [18, 2, 0]
    images, labels = batches(data.train)
    assert images.shape == (18, 3, 16, 16)
    assert images.dtype == torch.uint8
    assert labels.dtype == torch.int64
    assert sorted(labels.tolist()) == sorted(data.train.labels.tolist())
    mean, deviation = data.statistics
    centres = batches(data.train, seed=None)[0] / 255
    np.testing.assert_allclose(mean, centres.mean(dim=(0, 2, 3)), atol=1e-6)
    np.testing.assert_allclose(
        deviation, centres.permute(1, 0, 2, 3).flatten(1).std(dim=1, correction=0), atol=1e-5
    )


def test_the_order_is_kept_and_labels_go_with_their_pictures(tmp_path: Path) -> None:
    stream = load_images(class_folders(tmp_path / "set"), size=16).train
    rows = np.array([5, 0, 17, 5])
    ((images, labels),) = stream.batches([rows], seed=None)
    assert labels.tolist() == stream.labels[rows].tolist()
    for row, image in zip(rows, images, strict=True):
        ((alone, _),) = stream.batches([np.array([row])], seed=None)
        assert torch.equal(alone[0], image)
    part = stream.take(np.array([5, 17]))
    ((few, few_labels),) = part.batches([np.arange(2)], seed=None)
    assert torch.equal(few, images[[0, 2]])
    assert few_labels.tolist() == labels[[0, 2]].tolist()


@pytest.mark.filterwarnings(FORK)
def test_workers_and_the_cache_change_nothing(tmp_path: Path, monkeypatch) -> None:
    folder = class_folders(tmp_path / "set")
    first = batches(load_images(folder, size=16).train)
    cached = load_images(folder, size=16).train
    monkeypatch.setattr(reduced, "reduced", lambda *_: pytest.fail("decoded again"))
    assert torch.equal(batches(cached)[0], first[0])
    monkeypatch.undo()
    monkeypatch.setenv("NAOKIT_CACHE", str(tmp_path / "other"))
    in_worker = batches(load_images(folder, size=16).train, decoders=1)
    assert torch.equal(in_worker[0], first[0])
    assert torch.equal(in_worker[1], first[1])
    monkeypatch.setattr(reduced, "reduced", lambda *_: pytest.fail("the worker kept nothing"))
    assert torch.equal(batches(load_images(folder, size=16).train)[0], first[0])


def test_crops_follow_the_seed_and_leave_the_global_generators_alone(tmp_path: Path) -> None:
    stream = load_images(class_folders(tmp_path / "set"), size=16).train
    state = torch.get_rng_state()
    first, other, centre = (batches(stream, seed)[0] for seed in (0, 1, None))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(batches(stream, 0)[0], first)
    assert not torch.equal(first, other)
    assert not torch.equal(first, centre)


def test_without_room_or_a_cache_folder_every_epoch_decodes(tmp_path: Path, monkeypatch) -> None:
    folder = class_folders(tmp_path / "set")
    wanted = batches(load_images(folder, size=16).train)[0]
    monkeypatch.setattr(reduced, "SHARE", 0.0)
    crowded = load_images(folder, size=16).train
    assert crowded.pictures.store is None
    assert torch.equal(batches(crowded)[0], wanted)
    monkeypatch.setattr(reduced, "SHARE", 0.1)
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("NAOKIT_CACHE", str(tmp_path / "file"))
    homeless = load_images(folder, size=16).train
    assert homeless.pictures.store is None
    assert torch.equal(batches(homeless)[0], wanted)


def test_a_full_disk_costs_time_only(tmp_path: Path, monkeypatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    stream = load_images(class_folders(tmp_path / "set"), size=16).train
    monkeypatch.setattr(reduced, "_put", full)
    assert torch.equal(batches(stream)[0], batches(stream)[0])
    assert stream.pictures.store.read(0) is None


def test_what_a_killed_run_or_a_disk_left_half_written_is_decoded_again(tmp_path: Path) -> None:
    folder = class_folders(tmp_path / "set")
    stream = load_images(folder, size=16).train
    wanted = batches(stream)[0]
    path = next(cache_folder().rglob("*.pixels"))
    content = bytearray(path.read_bytes())
    content[: len(content) // 2] = bytes(len(content) // 2)
    path.write_bytes(content)
    kept = [stream.pictures.store.read(row) is not None for row in stream.rows]
    assert 0 < sum(kept) < len(kept)
    assert torch.equal(batches(load_images(folder, size=16).train)[0], wanted)
    assert all(stream.pictures.store.read(row) is not None for row in stream.rows)


def test_a_cache_that_is_cleared_meanwhile_costs_time_only(tmp_path: Path) -> None:
    stream = load_images(class_folders(tmp_path / "set"), size=16).train
    for path in cache_folder().rglob("*-reduced.*"):
        path.unlink()
    assert torch.equal(batches(stream)[0], batches(stream)[0])


@pytest.mark.filterwarnings(FORK)
def test_an_epoch_that_is_given_up_leaves_no_worker(tmp_path: Path) -> None:
    stream = load_images(class_folders(tmp_path / "set"), size=16).train
    iterator = stream.batches([np.arange(2)] * 9, seed=0, decoders=1)
    next(iterator)
    assert len(multiprocessing.active_children()) == 1
    del iterator
    assert multiprocessing.active_children() == []


def test_several_runs_at_once_leave_a_right_cache(tmp_path: Path) -> None:
    stream = load_images(class_folders(tmp_path / "set"), size=16).train
    found: list[torch.Tensor] = []
    runs = [threading.Thread(target=lambda: found.append(batches(stream)[0])) for _ in range(3)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert all(torch.equal(one, found[0]) for one in found)
    assert torch.equal(batches(stream)[0], found[0])


def test_large_pictures_are_kept_small_and_small_ones_as_they_are(tmp_path: Path) -> None:
    folder = class_folders(tmp_path / "set")
    picture(0).resize((400, 300)).save(folder / "cat" / "large.jpg")
    picture(0).resize((6, 5)).save(folder / "cat" / "small.png")
    data = load_images(folder, size=14)
    shapes = data.train.pictures.shapes.tolist()
    names = data.train.pictures.pictures.names.tolist()
    assert shapes[names.index(b"cat/large.jpg")] == [16, 21, 3]
    assert shapes[names.index(b"cat/small.png")] == [5, 6, 3]
    assert batches(data.train)[0].shape[1:] == (3, 14, 14)


def test_grey_needs_every_training_picture_grey(tmp_path: Path) -> None:
    grey = class_folders(tmp_path / "grey", grey=True)
    assert load_images(grey, size=16).image == (1, 16, 16)
    assert batches(load_images(grey, size=16).train)[0].shape == (18, 1, 16, 16)
    picture(0).save(grey / "dog" / "colour.png")
    mixed = load_images(grey, size=16)
    images = batches(mixed.train)[0]
    assert images.shape[1:] == (3, 16, 16)
    assert sum(bool((image == image[:1]).all()) for image in images) >= 17


@pytest.mark.filterwarnings(FORK)
def test_parquet_is_read_by_row_group(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    parquet(tmp_path / "set" / "train-0.parquet")
    parquet(tmp_path / "set" / "train-1.parquet", 7)
    parquet(tmp_path / "set" / "test-0.parquet", 5)
    data = load_images(tmp_path / "set", size=16)
    assert [len(s) for s in (data.train, data.validation, data.test)] == [24, 3, 5]
    rows = data.train.pictures.pictures
    assert len(rows.groups) >= 2
    assert len(rows) == 27
    order = [np.arange(len(data.train))[::-1]]
    ((images, labels),) = data.train.batches(order, seed=None)
    assert labels.tolist() == data.train.labels[::-1].tolist()
    ((again, _),) = data.train.batches(order, seed=None, decoders=1)
    assert torch.equal(again, images)


def test_a_picture_is_the_same_from_a_file_and_from_a_row(tmp_path: Path) -> None:
    image = picture(3)
    (tmp_path / "set" / "a").mkdir(parents=True)
    (tmp_path / "set" / "b").mkdir()
    for name in ("a/0", "a/1", "b/0", "b/1"):
        image.save(tmp_path / "set" / f"{name}.png")
    table = datasets.Dataset.from_dict(
        {"image": [image] * 4, "label": [0, 0, 1, 1]},
        features=datasets.Features(
            {"image": datasets.Image(), "label": datasets.ClassLabel(names=["a", "b"])}
        ),
    )
    table.to_parquet(tmp_path / "set.parquet")
    views = [
        load_images(source, size=16).train.view(0, 5)[0]
        for source in (tmp_path / "set", tmp_path / "set.parquet")
    ]
    np.testing.assert_array_equal(*views)


def test_a_file_that_was_replaced_is_read_anew(tmp_path: Path) -> None:
    first = load_images(parquet(tmp_path / "a.parquet"), size=16)
    parquet(tmp_path / "a.parquet", 12)
    second = load_images(tmp_path / "a.parquet", size=16)
    assert (len(first.train), len(second.train)) == (18, 10)
    assert batches(second.train)[0].shape == (10, 3, 16, 16)


def test_a_damaged_row_group_is_named(tmp_path: Path) -> None:
    path = parquet(tmp_path / "a.parquet")
    content = bytearray(path.read_bytes())
    content[4:40] = bytes(36)  # the first page of the first group
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.parquet: row group 0 cannot be read"):
        load_images(path, size=16)


def test_a_hub_table_is_read_row_by_row(tmp_path: Path) -> None:
    features = datasets.Features({"image": datasets.Image(), "label": datasets.Value("int64")})
    rows = {"image": [picture(number) for number in range(4)], "label": [0, 1, 0, 1]}
    table = datasets.Dataset.from_dict(rows, features=features)
    table.save_to_disk(tmp_path / "table")
    pictures = TableRows("mine", datasets.load_from_disk(tmp_path / "table"), "image")
    assert pictures.key
    part = listing.LabelledPictures(pictures, np.array(rows["label"]))
    source = listing.streamed(listing.Listing({"train": part}, ("a", "b")), 16, skip_bad=False)
    assert batches(source.train)[0].shape == (4, 3, 16, 16)
    in_memory = TableRows("mine", table, "image")
    assert in_memory.key is None
    assert pictures[2][0] == "mine, row 2"
    assert pictures[2][1] == in_memory[2][1]


def test_a_test_part_whose_labels_are_secret_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    parquet(tmp_path / "set" / "train-0.parquet")
    table = datasets.Dataset.from_parquet(
        str(tmp_path / "set" / "train-0.parquet"), cache_dir=str(tmp_path / "hf")
    )
    secret = table.map(lambda _: {"label": -1})
    secret.to_parquet(tmp_path / "set" / "test-0.parquet")
    assert len(load_images(tmp_path / "set", size=16).test) == 0


def _text(path: Path) -> None:
    path.write_text("no picture")


def _deep(path: Path) -> None:
    Image.fromarray(np.arange(400, dtype=np.int32).reshape(20, 20) * 1000).save(path, "TIFF")


@pytest.mark.parametrize(
    ("size", "make", "message"),
    [
        (None, _text, "cannot be decoded as an image"),
        (16, _text, "cannot be decoded as an image"),
        (None, _deep, "convert it to 8 bits"),
    ],
)
def test_pictures_that_cannot_be_decoded_are_named_or_skipped(
    tmp_path: Path, size: int | None, make, message: str
) -> None:
    folder = class_folders(tmp_path / "set")
    if size is None:
        for path in folder.rglob("*.jpg"):
            picture(0).save(path)
    bad = folder / "dog" / "bad.png"
    make(bad)
    with pytest.raises(InputError, match=rf"bad\.png.*{message}"):
        load_images(folder, size=size)
    for _ in range(2):  # the second time from the cache
        data = load_images(folder, size=size, skip_bad=True)
        assert data.skipped == (str(bad),)
        assert len(data.train) + len(data.validation) == 20
    with pytest.raises(InputError, match=r"bad\.png"):
        load_images(folder, size=size)


@pytest.mark.parametrize("size", [None, 16])
def test_rows_that_cannot_be_decoded_are_named_or_skipped(
    tmp_path: Path, size: int | None, monkeypatch
) -> None:
    path = parquet(tmp_path / "a.parquet", junk=True)
    if size is None:
        monkeypatch.setattr(f"{__name__}.picture", lambda number: Image.new("RGB", (8, 8)))
        path = parquet(tmp_path / "a.parquet", junk=True)
    with pytest.raises(InputError, match=r"row 3 cannot be decoded.*`skip_bad=True`"):
        load_images(path, size=size)
    data = load_images(path, size=size, skip_bad=True)
    assert [name.rsplit(",", 1)[1] for name in data.skipped] == [" row 3"]
    assert len(data.train) + len(data.validation) == 19


def _cut(folder: Path) -> Path:
    """A JPEG whose header is whole and whose end is missing."""
    path = folder / "cat" / "3.jpg"
    picture(3).resize((300, 300)).save(path)
    path.write_bytes(path.read_bytes()[:2000])
    return path


@pytest.mark.filterwarnings(FORK)
@pytest.mark.parametrize("decoders", [0, 1])
def test_a_picture_that_breaks_while_it_is_decoded_is_named(tmp_path: Path, decoders: int) -> None:
    folder = class_folders(tmp_path / "set")
    path = _cut(folder)
    stream = load_images(folder, size=16).train
    with pytest.raises(InputError, match=r"3\.jpg cannot be decoded.*`skip_bad=True`") as caught:
        batches(stream, decoders=decoders)
    assert "\n" not in str(caught.value)
    skipping = load_images(folder, size=16, skip_bad=True).train
    row = skipping.pictures.pictures.names[skipping.rows].tolist().index(b"cat/3.jpg")
    ((images, labels),) = skipping.batches([np.array([row, row + 1])], seed=None, decoders=decoders)
    assert torch.equal(images[0], images[1])
    assert labels[0] == labels[1]
    assert path.exists()


def test_a_disk_that_went_away_is_not_skipped(tmp_path: Path) -> None:
    folder = class_folders(tmp_path / "set")
    stream = load_images(folder, size=16, skip_bad=True).train
    for path in folder.rglob("*.jpg"):
        path.unlink()
    with pytest.raises(InputError, match="is the disk still there"):
        batches(stream)


def test_the_held_out_rows_are_recorded(tmp_path: Path) -> None:
    folder = class_folders(tmp_path / "set")
    data = load_images(folder, size=16)
    assert data.held_out is not None
    assert data.validation.rows.tolist() == list(data.held_out)
    assert sorted([*data.train.rows, *data.held_out]) == list(range(20))


def test_the_fingerprint_follows_labels_sizes_and_headers(tmp_path: Path, monkeypatch) -> None:
    folder = class_folders(tmp_path / "set")
    monkeypatch.setattr(reduced, "reduced", lambda *_: pytest.fail("decoded for a fingerprint"))
    first = load_images(folder, size=16).fingerprint
    assert load_images(folder, size=16).fingerprint == first
    assert load_images(folder, size=17).fingerprint != first
    picture(7).save(folder / "cat" / "0.jpg")
    assert load_images(folder, size=16).fingerprint != first


@pytest.mark.parametrize("size", [0, -3])
def test_an_impossible_size_is_refused(tmp_path: Path, size: int) -> None:
    with pytest.raises(InputError, match="1 or more pixels"):
        load_images(class_folders(tmp_path / "set"), size=size)


def test_arrays_have_the_size_that_they_have(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=np.zeros((4, 8, 8), np.uint8), labels=np.arange(4) % 2)
    data: ImageData = load_images("digits")
    for source in ("digits", tmp_path / "a.npz", data):
        with pytest.raises(InputError, match="leave it out"):
            load_images(source, size=16)


def test_a_stream_can_be_sent_to_a_process_that_is_not_forked(tmp_path: Path) -> None:
    for source in (class_folders(tmp_path / "set"), parquet(tmp_path / "a.parquet")):
        stream = load_images(source, size=16).train
        wanted = batches(stream)[0]
        sent = pickle.loads(pickle.dumps(stream))
        assert torch.equal(batches(sent)[0], wanted)
        assert dataclasses.is_dataclass(sent)
