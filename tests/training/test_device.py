"""Devices and precisions by name, and seeds that leave the global generators as they were."""

import subprocess
import sys

import pytest
import torch

from naokit.base import InputError
from naokit.training.device import make_fabric, seeded


@pytest.mark.parametrize(
    ("device", "precision", "message"),
    [
        ("mps", "auto", "there is no mps device"),
        ("tpu", "auto", "there is no device 'tpu'; expected auto, cpu, cuda, mps"),
        ("cpu", "half", "there is no precision 'half'; expected auto, 32-true"),
        ("cpu", "16-mixed", "no 16-mixed precision"),
    ],
)
def test_what_is_not_there_is_named(device, precision, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make_fabric(device, precision)


def test_fabric_says_nothing(caplog: pytest.LogCaptureFixture, capsys) -> None:
    caplog.set_level("INFO")
    make_fabric("cpu", "bf16-mixed")
    assert caplog.messages == []
    assert capsys.readouterr() == ("", "")


def test_seeds_are_put_back() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    with seeded(1):
        one = torch.rand(3)
    assert torch.equal(torch.rand(3), expected)
    with seeded(1):
        assert torch.equal(torch.rand(3), one)


def test_names_are_checked_without_torch() -> None:
    code = "import sys, naokit.training.device; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
