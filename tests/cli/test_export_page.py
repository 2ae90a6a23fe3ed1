"""Every command and every Python block of docs/export.md runs, on a tiny network of the digits."""

import re
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import hub_mixin
from PIL import Image
from typer.testing import CliRunner

from naokit.cli.app import app
from naokit.export import Check, onnx, pt2
from naokit.images.loading import load_images

PAGE = (Path(__file__).parents[2] / "docs" / "export.md").read_text()
COMMANDS = re.findall(r"^naokit .*$", PAGE, re.MULTILINE)
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def run(
    exported: tuple[Path, dict[str, Check]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """`runs/digits` and `pictures` in a folder of their own."""
    shutil.copytree(exported[0], tmp_path / "runs" / "digits" / "network")
    (tmp_path / "pictures").mkdir()
    pixels = load_images("digits").test.images[0, 0]
    Image.fromarray(pixels).save(tmp_path / "pictures" / "0.png")
    (tmp_path / "pictures" / "bad.png").write_bytes(b"no picture")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_commands_run(
    run: Path, exported: tuple[Path, dict[str, Check]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def copied(program: Any, path: Path, *names: Any) -> None:
        shutil.copy(exported[0] / path.name, path)

    # The conversions are tested on their own; here they would cost half a minute.
    monkeypatch.setattr(pt2, "trace", lambda *_: None)
    monkeypatch.setattr(pt2, "write", copied)
    monkeypatch.setattr(onnx, "write", copied)
    assert len(COMMANDS) >= 6
    for command in COMMANDS:
        result = CliRunner().invoke(app, shlex.split(command)[1:])
        assert result.exit_code == 0, f"{command}: {result.output}"
    assert (run / "predictions.csv").read_text().startswith("file,label,probability,label2")


def test_the_code_runs(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pushed: list[str] = []

    class Hub:
        def __init__(self, token: str | None = None) -> None:
            del token

        def create_repo(self, repo_id: str, **_: Any) -> Any:
            return type("Repository", (), {"repo_id": repo_id})

        def upload_folder(self, repo_id: str, **_: Any) -> None:
            pushed.append(repo_id)

    monkeypatch.setattr(hub_mixin, "HfApi", Hub)
    monkeypatch.setattr(sys, "path", list(sys.path))
    names: dict[str, Any] = {"__name__": "page"}
    try:
        for block in BLOCKS:
            exec(compile(block, "docs/export.md", "exec"), names)
    finally:
        sys.modules.pop("network", None)
    assert pushed == ["me/digits"]
    assert {path.name for path in (run / "somewhere").iterdir()} == {
        "README.md",
        "config.json",
        "model.safetensors",
    }
