"""The figures of `naokit evaluate`, by hand; parts of a data set."""

import math

import numpy as np
import pytest
import torch

from naokit.base import InputError
from naokit.images.data import ImageData, Split
from naokit.images.interface import Interface
from naokit.images.loading import load_images
from naokit.images.measuring import accuracy_interval, batches, logits_on, measure, part_of

NAMES = ("a", "b", "c")


def logits(*rows: tuple[float, ...]) -> np.ndarray:
    return np.log(np.array(rows))


def test_every_figure_by_hand() -> None:
    found = measure(
        logits((0.8, 0.1, 0.1), (0.3, 0.6, 0.1), (0.5, 0.4, 0.1), (0.1, 0.1, 0.8)),
        np.array([0, 1, 1, 0]),
        NAMES,
    )
    assert found.images == 4
    assert found.accuracy == 50
    assert found.standard_error == pytest.approx(25)
    assert found.interval == pytest.approx((15.004, 84.996), abs=1e-3)
    assert found.top5 is None
    assert found.confusion == ((1, 0, 1), (1, 1, 0), (0, 0, 0))
    shares = [(entry.name, entry.images, entry.accuracy) for entry in found.classes]
    assert shares == [("a", 2, 50.0), ("b", 2, 50.0), ("c", 0, None)]
    nats = -(math.log(0.8) + math.log(0.6) + math.log(0.4) + math.log(0.1)) / 4
    assert found.negative_log_likelihood == pytest.approx(nats)
    squares = (0.04 + 0.01 + 0.01, 0.09 + 0.16 + 0.01, 0.25 + 0.36 + 0.01, 0.81 + 0.01 + 0.64)
    assert found.brier_score == pytest.approx(sum(squares) / 4)
    # Confidences 0.8 (right and wrong, one interval), 0.6 (right), 0.5 (wrong).
    assert found.calibration_error == pytest.approx(100 * (0.6 + 0.4 + 0.5) / 4)


@pytest.mark.parametrize(
    ("right", "images", "low", "high"),
    [
        (21, 21, 84.536, 100),  # "100.00 %, give or take 0.00" said nothing of 21 pictures
        (0, 21, 0, 15.464),
        (1, 1, 20.655, 100),
        (13, 15, 62.118, 96.264),
        (9_000, 10_000, 89.396, 90.573),  # of many images twice the standard error: 89.4 to 90.6
    ],
)
def test_an_interval_is_honest_for_few_images(
    right: int, images: int, low: float, high: float
) -> None:
    assert accuracy_interval(right, images) == pytest.approx((low, high), abs=1e-3)


def test_a_perfect_network_and_one_that_knows_nothing() -> None:
    labels = np.arange(6)
    names = tuple("abcdef")
    perfect = measure(np.eye(6) * 100, labels, names)
    assert (perfect.accuracy, perfect.top5, perfect.standard_error) == (100, 100, 0)
    assert perfect.calibration_error == pytest.approx(0, abs=1e-9)
    ignorant = measure(np.zeros((6, 6)), labels, names)
    assert ignorant.accuracy == pytest.approx(100 / 6)
    assert ignorant.negative_log_likelihood == pytest.approx(math.log(6))
    assert ignorant.calibration_error == pytest.approx(0, abs=1e-9)


def test_the_sixth_is_not_among_the_first_five() -> None:
    ranks = np.tile(np.arange(6.0), (6, 1))  # class 5 is the likeliest, class 0 the least
    assert measure(ranks, np.arange(6), tuple("abcdef")).top5 == pytest.approx(500 / 6)


def test_what_cannot_be_measured_is_refused() -> None:
    with pytest.raises(InputError, match="values that are not finite"):
        measure(np.full((2, 3), np.nan), np.array([0, 1]), NAMES)
    with pytest.raises(InputError, match="no images to measure on"):
        measure(np.zeros((0, 3)), np.zeros(0, dtype=int), NAMES)


def test_a_part_is_read_in_order_and_whole() -> None:
    split = load_images("digits").test
    found = list(batches(split, 100))
    assert [len(labels) for _, labels in found] == [100, 100, 100, 100, 47]
    assert np.array_equal(torch.cat([images for images, _ in found]).numpy(), split.images)
    ((images, labels),) = batches(split, 100, np.array([5, 2]))
    assert np.array_equal(images.numpy(), split.images[[5, 2]])
    assert np.array_equal(labels.numpy(), split.labels[[5, 2]])
    told: list[int] = []
    outputs, right = logits_on(lambda x: x.float().flatten(1)[:, :3], split, 200, told.append)
    assert outputs.shape == (447, 3)
    assert np.array_equal(right, split.labels)
    assert told == [200, 200, 47]


def data(test: int) -> ImageData:
    part = Split(np.zeros((4, 1, 8, 8), dtype=np.uint8), np.arange(4) % 3)
    return ImageData("mine", part, part, part.take(np.arange(test)), NAMES)


def test_the_test_part_is_measured_where_there_is_one() -> None:
    assert part_of(data(2))[0] == "test"
    assert part_of(data(0))[0] == "validation"
    assert len(part_of(data(2), "train")[1]) == 4
    with pytest.raises(InputError, match="mine has no test part; use `part='validation'`"):
        part_of(data(0), "test")


def shown(image: tuple[int, int, int] = (1, 8, 8), names: tuple[str, ...] = NAMES) -> Interface:
    return Interface(image, names, (0.5,), (0.2,), streamed=False)


def test_the_first_difference_of_classes_is_named() -> None:
    shown().check_fits(data(2), "net")
    with pytest.raises(InputError, match="class 1 is 'b' in the data and 'c' in the network"):
        shown(names=("a", "c", "b")).check_fits(data(2), "net")
    with pytest.raises(InputError, match="class 2 is 'c' in the data and absent in the network"):
        shown(names=("a", "b")).check_fits(data(2), "net")
    with pytest.raises(InputError, match=r"images of 1 x 8 x 8 .*, net was made for 3 x 8 x 8"):
        shown(image=(3, 8, 8)).check_fits(data(2), "net")
