"""The pages run: their Python, their commands in bash, in one folder and in their order.

Presets are tiny meanwhile. Commands in plain blocks, which would take long or another machine, are
read as the command line reads them.
"""

import configparser
import json
import re
import shlex
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from naokit import spaces
from naokit.cli.app import app
from naokit.cli.output import BAD_INPUT, INTERRUPTED
from naokit.doors import Result
from naokit.evaluators.train import Training
from naokit.images.kind import Images
from naokit.images.presets import ImagePreset
from naokit.images.recipes import RECIPES
from naokit.images.subject import ImageSubject
from naokit.runs import planning
from naokit.text.kind import Text
from naokit.text.presets import TextPreset

ROOT = Path(__file__).parents[1]
ALL = ["README.md", *sorted(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md"))]
RUN = [
    "README.md",
    "docs/cluster.md",
    "docs/data.md",
    "docs/language.md",
    "docs/own-loop.md",
    "docs/own-space.md",
    "docs/reading.md",
    "docs/samplers.md",
    "docs/sharing.md",
    "docs/spaces.md",
    "docs/training.md",
]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"^(?:srun |.* (?:--|naokit) |ssh .*/)?naokit ((?!naokit )[a-z]+\b.*)$")
"""By itself, or behind what begins it: SLURM, Ray, the image of a container, another machine."""
SHORTER = {
    "evaluations=40": "evaluations=2",
    "lines[:2000]": "lines[:200]",
    "n_class=3": "n_class=2",
}
KEPT = ROOT / "tests" / "kept" / "before-rooms.tar.gz"
TINY = ImagePreset("quick", 2, "quick", 0, 1, False, "quick-final", 2, 1, 2, 1, 1)
LITTLE = TextPreset("quick", 2, "text-quick", 0, 1, False, "text-quick-final", 4, 4, 1)


@pytest.fixture(autouse=True)
def _tiny(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undescribed: None, small_exports: None
) -> None:
    """A folder of its own, two short evaluations a search, and plans that hardly measure."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    quick = replace(RECIPES["quick"], epochs=1, train_images=200)
    monkeypatch.setattr("naokit.images.recipes.RECIPES", {**RECIPES, "quick": quick})
    monkeypatch.setattr("naokit.images.presets.PRESETS", {"quick": TINY, "small": TINY})
    monkeypatch.setattr("naokit.text.presets.PRESETS", {"quick": LITTLE})
    monkeypatch.setattr(planning, "SECONDS_A_NETWORK", 0.05)
    # Counting takes longer than such trainings, since shapes are checked in tests.
    monkeypatch.setattr(ImageSubject, "macs", lambda *_: 1_000_000)
    monkeypatch.setattr(Images, "other_sizes", [])
    monkeypatch.setattr(Text, "other_sizes", [])


def parts(page: str) -> list[tuple[str, str]]:
    """The kind and the text of each block of a page."""
    return BLOCK.findall((ROOT / page).read_text(encoding="utf-8"))


def blocks(page: str) -> list[str]:
    return [block for kind, block in parts(page) if kind == "python"]


def commands(block: str) -> Iterator[list[str]]:
    """The commands of naokit in a block."""
    for line in block.replace("\\\n", " ").splitlines():
        found = COMMAND.search(line)
        if found is not None:
            yield shlex.split(found[1], comments=True)


def shorter(block: str) -> str:
    """A block that does less of the same."""
    for long, short in SHORTER.items():
        block = block.replace(long, short)
    return block


def called(words: list[str]) -> None:
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, (words, done.output)


@pytest.fixture
def _kept_runs(request: pytest.FixtureRequest) -> None:
    """What the page on reading results reads: runs that were made elsewhere."""
    if request.node.callspec.params["page"] != "docs/reading.md":
        return
    for name in ("conv-small-digits-nao", "nao-1", "nao-2", "evolution-1", "evolution-2"):
        with tarfile.open(KEPT) as kept:
            kept.extractall("unpacked", filter="data")
        Path("runs").mkdir(exist_ok=True)
        Path("unpacked/run").rename(Path("runs") / name)


@pytest.mark.parametrize("page", RUN)
@pytest.mark.usefixtures("_kept_runs")
def test_what_is_on_the_page_runs(page: str) -> None:
    assert blocks(page)
    known: dict[str, object] = {}  # a page may go on with what an earlier block defines
    for number, (kind, block) in enumerate(parts(page)):
        block = shorter(block)
        if kind == "python":
            Path(f"block_{number}.py").write_text(block, encoding="utf-8")
            known["__name__"] = f"block_{number}"
            exec(compile(block, f"{page}, block {number}", "exec"), known)
        elif kind == "bash":
            for words in commands(block):
                called(words)


@pytest.mark.parametrize("page", ALL)
def test_every_command_on_the_page_has_its_options(page: str) -> None:
    root: Any = typer.main.get_command(app)
    found = (commands(block) for kind, block in parts(page) if kind in ("", "bash", "ini"))
    for name, *words in chain.from_iterable(found):
        if ">" in words:  # what is printed goes into a file
            del words[words.index(">") :]
        if "--config" in words:  # its file is read at once
            place = words.index("--config")
            del words[place : place + 2]
        root.commands[name].make_context(name, words)


def test_a_search_in_the_cloud_goes_on_after_a_preemption(monkeypatch: pytest.MonkeyPatch) -> None:
    """The volume is this folder, and the unit of systemd gives the same command again."""
    page = "docs/cloud.md"
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[method-assign, assignment]
    unit.read_string(next(block for kind, block in parts(page) if kind == "ini"))
    (search,) = commands(unit["Service"]["ExecStart"].replace("\\\n", " "))
    assert unit["Service"]["RestartPreventExitStatus"] == str(BAD_INPUT)
    exec(shorter(blocks("docs/data.md")[0]), {})
    here = [word.replace("/data/", "") for word in search]
    trained, calls = Training._trained, iter(range(9))

    def preempted(*given: Any) -> Result:
        if next(calls) == 1:
            raise KeyboardInterrupt
        return trained(*given)

    monkeypatch.setattr(Training, "_trained", preempted)
    assert CliRunner().invoke(app, here).exit_code == INTERRUPTED
    called(here)
    assert json.loads(Path("runs/one/report.json").read_text())["evaluations"] == 2
    called(here)  # a search that is done ends at once
    for kind, block in parts(page):
        for words in commands(block) if kind == "bash" else ():
            called([word.replace("/data/", "") for word in words])


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
