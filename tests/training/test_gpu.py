"""The checks of a GPU, by the processor against itself; and where there is no GPU."""

import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from naokit.training.checkpoint import Checkpoint

sys.path.append(str(Path(__file__).parents[2]))
from benchmarks import gpu

CHECKS = [
    pytest.param(check, id=check.name, marks=pytest.mark.slow if "export" in check.name else ())
    for check in gpu.CHECKS
]


@pytest.mark.parametrize("check", CHECKS)
def test_a_processor_agrees_with_itself(check: gpu.Check) -> None:
    row = gpu.result(check, "cpu", gpu.TINY)
    assert row["state"] == ("left out" if "16-mixed" in check.name.split()[-1:] else "passed"), row
    if row["state"] == "passed" and "mixed" not in check.name and "export" not in check.name:
        assert row["difference"] == 0
    assert check.name in gpu.told(row)


def test_a_lost_momentum_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Checkpoint.resume

    def without(self: Checkpoint, *given: Any) -> dict[str, torch.Tensor]:
        found = whole(self, *given)
        given[2].state.clear()
        return found

    monkeypatch.setattr(Checkpoint, "resume", without)
    assert gpu.resumed("cpu", gpu.TINY) > 0.1


def test_a_check_that_fails_does_not_end_the_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(where: str, sizes: gpu.Sizes) -> float:
        raise RuntimeError("no kernel\nmore")

    checks = [
        gpu.Check("breaks", 1, broken),
        gpu.Check("is far", 1, lambda *_: 2.0),
        gpu.Check("fits", 1, lambda *_: 0.5),
    ]
    monkeypatch.setattr(gpu, "CHECKS", checks)
    monkeypatch.setattr(sys, "argv", ["gpu", "--dry-run"])
    monkeypatch.setattr(gpu, "keep", lambda *_: pytest.fail("a dry run is no result"))
    assert gpu.main() == 1
    broke, far, fits = capsys.readouterr().out.splitlines()
    assert broke.split() == ["failed", "breaks", "RuntimeError:", "no", "kernel"]
    assert far.startswith("failed    is far")
    assert fits.startswith("passed    fits")
    monkeypatch.setattr(gpu, "LIMIT", 0.0)
    assert gpu.main() == 1
    assert "0 seconds were over" in capsys.readouterr().out
    monkeypatch.setattr(gpu, "LIMIT", 9.0)
    monkeypatch.setattr(gpu, "CHECKS", checks[2:])
    assert gpu.main() == 0


def test_without_a_gpu_it_refuses(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(sys, "argv", ["gpu"])
    assert gpu.main() == 2
    error = capsys.readouterr().err
    assert error.startswith("there is no CUDA device here")
    assert len(error.splitlines()) == 1
