"""The images that a network gets most wrong, and what it takes them for."""

import base64
import io
from pathlib import Path

import numpy as np
from PIL import Image

from naokit.images.bundle import ImageBundle
from naokit.images.data import Split
from naokit.images.examples import LARGEST, image_examples, mistakes


def test_the_surest_mistakes_come_first_with_their_pictures() -> None:
    images = np.arange(4 * 3 * 8 * 6, dtype=np.uint8).reshape(4, 3, 8, 6)
    labels = np.array([0, 1, 1, 0])
    logits = np.array([[2.0, 0.0], [3.0, 0.0], [9.0, 0.0], [0.0, 0.1]])
    found = mistakes(Split(images, labels), logits, labels, ("cat", "dog"))
    assert [(one.label, one.taken_for) for one in found] == [
        ("dog", "cat"),
        ("dog", "cat"),
        ("cat", "dog"),
    ]
    assert [one.confidence for one in found] == sorted((o.confidence for o in found), reverse=True)
    _, data = found[0].picture.split(",")
    picture = Image.open(io.BytesIO(base64.b64decode(data)))
    assert (np.asarray(picture) == images[2].transpose(1, 2, 0)).all()


def test_large_and_grey_pictures_are_made_small() -> None:
    images = np.zeros((1, 1, 300, 150), dtype=np.uint8)
    (one,) = mistakes(Split(images, np.array([1])), np.array([[1.0, 0.0]]), np.array([1]), "ab")
    picture = Image.open(io.BytesIO(base64.b64decode(one.picture.split(",")[1])))
    assert (picture.mode, picture.size) == ("L", (LARGEST // 2, LARGEST))


def test_a_trained_network_is_measured_on_its_own_test_part(
    exported: tuple[Path, dict[str, object]], trained: ImageBundle
) -> None:
    found = image_examples(exported[0])
    assert (found.data, found.part) == ("digits", "test")
    assert abs(found.measured.accuracy - (trained.results.test or 0)) < 1e-6
    assert len(found.mistakes) == 12
    assert sum(count for count, *_ in found.confusions) == round(
        found.measured.images * (1 - found.measured.accuracy / 100)
    )
