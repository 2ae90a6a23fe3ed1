"""The log of a training: whatever was done to the file, one line that names it."""

import math
import os
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from naokit.base import InputError
from naokit.training.log import Log
from naokit.training.loop import Epoch


def logged(folder: Path) -> bytes:
    for number in (1, 2, 3):
        Log(folder).write(Epoch(number, 9, 2.5 / number, 30.0 * number, 0.1, 1.5 * number))
    return (folder / "log.csv").read_bytes()


def test_damage_is_said_in_a_line(tmp_path: Path) -> None:
    whole, file = logged(tmp_path), tmp_path / "log.csv"
    generator = np.random.default_rng(0)
    damaged = [whole[:end] for end in range(len(whole))]
    for _ in range(500):
        content = bytearray(whole)
        content[generator.integers(len(whole))] = generator.integers(256)
        damaged.append(bytes(content))
    damaged += [whole[:n] + bytes(7) + whole[n + 7 :] for n in range(0, len(whole), 7)]
    damaged += [whole + b"4,1\n", whole + b"4,1,2,3,4,5\n", whole + b"x" * 200_000, b'"\n1']
    said: list[str] = []
    for content in damaged:
        file.write_bytes(content)
        try:
            Log(tmp_path).write(Epoch(4, 9, 1.0, 1.0, 0.1, 9.0))
        except InputError as error:
            said.append(str(error))
    assert len(said) > 300
    assert all(str(file) in line and "\n" not in line for line in said)


def test_it_is_noticed_before_an_epoch_is_trained(tmp_path: Path) -> None:
    file = tmp_path / "log.csv"
    for content in (b"\xff", b"epoch\nx\n", b"a\n1\n"):
        file.write_bytes(content)
        with pytest.raises(InputError, match=r"log\.csv"):
            Log(tmp_path)
    file.unlink()
    os.mkfifo(file)
    with suppress(InputError):
        Log(tmp_path)
        raise AssertionError


@given(st.floats(), st.floats(0, 100), st.floats(0, 1e9), st.integers(1, 10**12))
def test_an_epoch_reads_back_equal(tmp_path_factory, loss, validation, seconds, number) -> None:
    folder = tmp_path_factory.mktemp("log")
    Log(folder).write(Epoch(number, number, loss, validation, validation / 3, seconds))
    (row,) = Log(folder).rows()
    assert int(row["epoch"]) == number
    found = float(row["loss"])
    assert found == loss or (math.isnan(found) and math.isnan(loss))
    assert float(row["validation_accuracy"]) == validation
    assert float(row["learning_rate"]) == validation / 3
    assert float(row["seconds"]) == seconds
