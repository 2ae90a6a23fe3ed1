"""Every Python block of the README and the documentation runs."""

import re
from pathlib import Path

import pytest

from naokit import spaces

ROOT = Path(__file__).parents[1]
PAGES = [
    "README.md",
    "docs/data.md",
    "docs/spaces.md",
    "docs/own-space.md",
    "docs/samplers.md",
    "docs/training.md",
]


def blocks(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)


@pytest.mark.parametrize("page", PAGES)
def test_the_code_on_the_page_runs(page: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    assert blocks(page)
    for number, block in enumerate(blocks(page)):
        shorter = block.replace("evaluations=40", "evaluations=2")
        (tmp_path / f"block_{number}.py").write_text(shorter)
        exec(compile(shorter, f"{page}, block {number}", "exec"), {"__name__": f"block_{number}"})


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
