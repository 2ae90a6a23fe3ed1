"""Each process sees one device: through the environment that it begins with."""

import os

import pytest

from naokit.base import InputError
from naokit.doors import Evaluator, Result
from naokit.space import Architecture
from naokit.spaces import ConvCells
from naokit.workers import Local
from naokit.workers.devices import VISIBLE, cores, environment

ONE = ConvCells.small(nodes=1).parse("0 0 1 0 0 3 1 4")


class Seeing(Evaluator):
    def evaluate(self, architecture: Architecture, seed: int) -> Result:
        seen = os.environ[VISIBLE]
        return Result(float(seen or -1))


@pytest.mark.parametrize(
    ("seen", "device", "expected"),
    [
        (None, "cuda:1", "1"),
        ("2,3", "cuda:1", "3"),
        ("GPU-8932f937, MIG-1", "cuda:1", "MIG-1"),
        ("2,3", "cpu", ""),
    ],
)
def test_a_device_is_one_of_those_that_are_seen_here(
    monkeypatch: pytest.MonkeyPatch, seen: str | None, device: str, expected: str
) -> None:
    monkeypatch.delenv(VISIBLE, raising=False)
    if seen is not None:
        monkeypatch.setenv(VISIBLE, seen)
    assert environment(device) == {VISIBLE: expected}


@pytest.mark.parametrize("device", ["cuda", "gpu:0", "cuda:-1", "mps", ""])
def test_a_device_of_another_form_is_said_in_one_line(device: str) -> None:
    with pytest.raises(InputError, match=r"`devices` names .*; expected cpu, cuda:0"):
        Local(1, devices=[device])


def test_a_device_that_is_not_seen_here_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(VISIBLE, "4")
    with pytest.raises(InputError, match="names cuda:1, but CUDA_VISIBLE_DEVICES='4' lets 1 be"):
        Local(1, devices=["cuda:1"])


def test_processes_take_the_devices_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VISIBLE, "7,8")
    with Local(1, devices=["cuda:1", "cpu"]) as one, Local(2, devices=["cpu"]) as two:
        assert one.submit(Seeing(), ONE, 0).result(60).value == 8
        assert two.submit(Seeing(), ONE, 0).result(60).value == -1
    three = Local(3, devices=["cuda:1", "cpu"])
    three.close()
    assert [slot._variables[VISIBLE] for slot in three._slots] == ["8", "", "8"]
    assert os.environ[VISIBLE] == "7,8"


def test_more_processes_than_cores_or_devices_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VISIBLE, raising=False)
    many = cores() + 1
    with Local(many) as workers:
        assert workers.remarks == (f"{many} workers share {cores()} cores",)
    with Local(many, devices=["cuda:98", "cuda:99"]) as workers:
        assert workers.remarks[1:] == (
            f"{many} workers share cuda:98, cuda:99",
            "no cuda:98, cuda:99 is seen here: its workers have no GPU",
        )
    with Local(1, devices=["cpu"]) as workers:
        assert workers.remarks == ()
