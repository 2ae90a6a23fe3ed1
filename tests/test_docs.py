"""Every Python block of the README and the documentation runs."""

import re
from pathlib import Path
from typing import Any

import pytest

from naokit import spaces

ROOT = Path(__file__).parents[1]
PAGES = [
    "README.md",
    "docs/cluster.md",
    "docs/data.md",
    "docs/spaces.md",
    "docs/own-loop.md",
    "docs/own-space.md",
    "docs/samplers.md",
    "docs/sharing.md",
    "docs/training.md",
]


def blocks(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)


@pytest.mark.parametrize("page", PAGES)
def test_the_code_on_the_page_runs(page: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    assert blocks(page)
    known: dict[str, object] = {}  # a page may go on with what an earlier block defines
    for number, block in enumerate(blocks(page)):
        shorter = block.replace("evaluations=40", "evaluations=2")
        (tmp_path / f"block_{number}.py").write_text(shorter)
        known["__name__"] = f"block_{number}"
        exec(compile(shorter, f"{page}, block {number}", "exec"), known)


def test_squeeze_and_excitation_on_the_page_is_that() -> None:
    """A gate a channel from the mean of that channel and of the others."""
    import torch

    block = next(b for b in blocks("docs/own-space.md") if "class SqueezeExcite" in b)
    known: dict[str, Any] = {"__name__": "block"}
    exec(block.partition("cells = ")[0], known)
    torch.manual_seed(0)
    module, images = known["SqueezeExcite"](8, 1), torch.rand(2, 8, 6, 6) + 0.1
    gate = module(images) / images
    assert torch.allclose(gate, gate[:, :, :1, :1].expand_as(gate))  # one number a channel
    assert 0 < gate.min() < gate.max() < 1
    moved = images.flatten(2).roll(5, dims=2).view_as(images)
    assert torch.allclose(module(moved) / moved, gate)  # wherever things stand
    assert not torch.allclose(module(images * 2) / (images * 2), gate)
    assert known["SqueezeExcite"](8, 2)(images).shape == (2, 8, 3, 3)


def test_the_spaces_on_the_page_are_loaded_and_built(tmp_path: Path) -> None:
    import numpy as np

    import naokit

    cells, perceptron = blocks("docs/spaces.md")[:2]
    for text in (cells, perceptron):
        (tmp_path / "my_space.py").write_text(text)
        space = spaces.load(f"{tmp_path}/my_space.py:SPACE")
        architecture = space.sample(np.random.default_rng(0))
        assert naokit.build(architecture, channels=4, cells=1, image=(1, 8, 8))


def test_every_page_is_in_the_navigation() -> None:
    listed = re.findall(r": (\S+\.md)", (ROOT / "mkdocs.yml").read_text())
    assert sorted(listed) == sorted(page.name for page in (ROOT / "docs").glob("*.md"))
