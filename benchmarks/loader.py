"""Images per second of the loaders, compared with forward and backward of a small network.

    OMP_NUM_THREADS=1 python -m benchmarks.loader [path/to/cifar10]

In memory: batches of 128 with crop and flip, beside conv-small (F=16, N=1) on 32 x 32; without a
path the bytes are random, which costs the same. From files: JPEGs of 500 x 375 made here, shown
at 224 x 224, decoded by this process or by one worker, in the epoch that fills the cache and in
those that find it filled, beside two convolutions of stride 2 (16 channels) and an image network
(F=4, N=1) on the 56 x 56 that they leave: an ImageNet network as small as one gets.

Loader and training are measured in turn, repeat by repeat; medians. `share_of_time_waiting` is
what a training that asks for batches waits for them, kept pictures at 224.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.record import write
from naokit.images.augmentation import Augmentation
from naokit.images.data import ImageData, Split
from naokit.images.loading import load_images
from naokit.images.recipes import ImageRecipe
from naokit.settings import ImageSettings
from naokit.spaces import ConvCells

REPEATS = 3
JPEGS, JPEG_CLASSES, JPEG_SIZE = 400, 4, (500, 375)
SIZE, STEM = 224, 16
MEMORY = ImageRecipe("in memory", epochs=1)
PICTURES = ImageRecipe("pictures", epochs=1, resized_crop=True)
JITTER = ImageRecipe("jitter", epochs=1, resized_crop=True, colour_jitter=(0.4, 0.4, 0.4, 0.1))

Batch = tuple[Tensor, Tensor]


class Step:
    """Forward and backward of one batch, with or without a stem that quarters the sides."""

    def __init__(
        self, data: ImageData, channels: int, recipe: ImageRecipe, stem: nn.Module | None = None
    ) -> None:
        space = ConvCells.small()
        image = (STEM, SIZE // 4, SIZE // 4) if stem else data.image
        settings = ImageSettings(data.classes, channels, 1, image)
        cells = space.build(space.sample(np.random.default_rng(0)), settings)
        self.network = nn.Sequential(stem, cells) if stem else cells
        self.augmentation = augmentation(data, recipe)

    def __call__(self, batch: Batch) -> None:
        images, labels = batch
        F.cross_entropy(self.network(self.augmentation.standardise(images)), labels).backward()


def stem() -> nn.Module:
    """Two convolutions of stride 2."""
    return nn.Sequential(
        nn.Conv2d(3, STEM, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(STEM),
        nn.ReLU(),
        nn.Conv2d(STEM, STEM, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(STEM),
    )


def augmentation(data: ImageData, recipe: ImageRecipe) -> Augmentation:
    """The augmentation of the recipe, with the statistics of the data."""
    mean, std = (torch.tensor(array, dtype=torch.float32) for array in data.statistics)
    return Augmentation(recipe, data.image, mean, std)


def augmented(data: ImageData, batches: Iterable[Batch], recipe: ImageRecipe) -> Iterator[Batch]:
    """Batches as a training gets them, the images as floats."""
    change, generator = augmentation(data, recipe), torch.Generator().manual_seed(0)
    return ((change(images, generator), labels) for images, labels in batches)


def speed(batches: Iterable[Batch], use: Callable[[Batch], object] = lambda _: None) -> float:
    """Images per second, from the request for the first batch to the end of the last."""
    began, images = time.perf_counter(), 0
    for batch in batches:
        use(batch)
        images += len(batch[1])
    return images / (time.perf_counter() - began)


def waiting(batches: Iterable[Batch], use: Callable[[Batch], object]) -> float:
    """The share of a training's time that goes into waiting for batches."""
    waited, began = 0.0, time.perf_counter()
    asked = began
    for batch in batches:
        waited += time.perf_counter() - asked
        use(batch)
        asked = time.perf_counter()
    return waited / (time.perf_counter() - began)


def order(rows: int, batch: int, seed: int, batches: int | None = None) -> list[np.ndarray]:
    """The batches of a shuffled epoch."""
    shuffled = np.random.default_rng(seed).permutation(rows)
    return [shuffled[start : start + batch] for start in range(0, rows, batch)][:batches]


def summary(rows: list[dict[str, float]]) -> dict[str, float]:
    """The median of each measurement."""
    return {name: statistics.median(row[name] for row in rows) for name in rows[0]}


def in_memory(path: str | None) -> dict[str, Any]:
    """Measures images of CIFAR-10's size, with the batch of the 2018 recipes."""
    data = load_images(path) if path else _noise()
    step, rows = Step(data, 16, MEMORY), []
    for repeat in range(REPEATS):
        few = order(len(data.train), 128, repeat, 20)
        batches = data.train.batches(few, seed=0)
        row = {
            "indexing": speed(data.train.batches(few, seed=0)),
            "loader": speed(augmented(data, batches, MEMORY)),
            "training": speed(list(data.train.batches(few[:2], seed=0)), step),
        }
        rows.append({**row, "loader_over_training": row["loader"] / row["training"]})
        print(rows[-1], flush=True)
    return {
        "data": Path(data.name).name,
        "batch": 128,
        "network": "a random cell of conv-small, F=16, N=1",
        "images_per_second": summary(rows),
        "repeats": rows,
    }


def from_files(folder: Path, parquet: Path, cache: Path) -> dict[str, Any]:
    """Measures JPEGs at 224 pixels, with a fresh cache for each repeat and number of workers."""
    rows = []
    for repeat in range(REPEATS):
        row: dict[str, float] = {}
        for workers in (0, 1):
            os.environ["NAOKIT_CACHE"] = str(cache / f"{repeat}-{workers}")
            data = load_images(folder, size=SIZE)
            for name in ("first_epoch", "cached_epoch"):
                batches = order(len(data.train), 16, repeat)
                found = speed(data.train.batches(batches, seed=repeat, decoders=workers))
                row[f"{name}_{workers}_workers"] = found
        os.environ["NAOKIT_CACHE"] = str(cache / f"{repeat}-parquet")
        rows_of = load_images(parquet, size=SIZE).train
        batches = order(len(rows_of), 16, repeat)
        row["first_epoch_parquet_0_workers"] = speed(rows_of.batches(batches, seed=repeat))
        few = list(data.train.batches(order(len(data.train), 16, repeat, 4), seed=repeat))
        step = Step(data, 4, PICTURES, stem())
        row["crop_and_flip"] = speed(augmented(data, few, PICTURES))
        row["crop_flip_and_jitter"] = speed(augmented(data, few, JITTER))
        row["training"] = speed(few, step)
        for workers in (0, 1):
            some = order(len(data.train), 16, repeat, 8)
            batches_of = data.train.batches(some, seed=repeat, decoders=workers)
            row[f"share_of_time_waiting_{workers}_workers"] = waiting(batches_of, step)
        rows.append({**row, "slowest_loader_over_training": _slowest(row) / row["training"]})
        print(rows[-1], flush=True)
    return {
        "jpegs": JPEGS,
        "pixels": JPEG_SIZE,
        "shown_at": SIZE,
        "batch": 16,
        "network": "two stride-2 convolutions, then a random cell of conv-small, F=4, N=1",
        "images_per_second": summary(rows),
        "repeats": rows,
    }


def _slowest(row: dict[str, float]) -> float:
    return min(figure for name, figure in row.items() if "epoch" in name)


def _noise() -> ImageData:
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (50_000, 3, 32, 32), dtype=np.uint8)
    part = Split(images, generator.integers(0, 10, len(images)))
    return ImageData("random bytes", part, part, part, tuple("0123456789"))


def _write_jpegs(folder: Path) -> None:
    """Writes smooth noise: pictures with about as many bytes as ImageNet's (110 kB)."""
    generator = np.random.default_rng(0)
    for number in range(JPEGS):
        target = folder / f"class {number % JPEG_CLASSES}"
        target.mkdir(exist_ok=True)
        coarse = Image.fromarray(generator.integers(0, 256, (75, 100, 3), dtype=np.uint8))
        coarse.resize(JPEG_SIZE, Image.Resampling.BICUBIC).save(
            target / f"{number}.jpg", quality=95
        )


def _write_parquet(folder: Path, path: Path) -> Path:
    """Writes the same pictures in row groups of 100, as the hub does."""
    import datasets

    files = sorted(folder.rglob("*.jpg"))
    classes = datasets.ClassLabel(num_classes=JPEG_CLASSES)
    features = datasets.Features({"image": datasets.Image(), "label": classes})
    rows = {
        "image": [{"bytes": file.read_bytes(), "path": None} for file in files],
        "label": [int(file.parent.name[-1]) for file in files],
    }
    datasets.Dataset.from_dict(rows, features=features).to_parquet(path, batch_size=100)
    return path


def main() -> None:
    """Measures both on one thread."""
    torch.set_num_threads(1)
    load = os.getloadavg()[0]
    memory = in_memory(sys.argv[1] if len(sys.argv) > 1 else None)
    with tempfile.TemporaryDirectory() as temporary:
        folder, cache = Path(temporary) / "jpegs", Path(temporary) / "cache"
        folder.mkdir()
        _write_jpegs(folder)
        parquet = _write_parquet(folder, Path(temporary) / "train.parquet")
        kilobytes = sum(f.stat().st_size for f in folder.rglob("*.jpg")) / JPEGS / 1000
        pictures = {"kilobytes_per_jpeg": kilobytes, **from_files(folder, parquet, cache)}
    write(
        "loader",
        {
            "threads": 1,
            "load_before": load,
            "in_memory": memory,
            "from_files": pictures,
        },
    )


if __name__ == "__main__":
    main()
