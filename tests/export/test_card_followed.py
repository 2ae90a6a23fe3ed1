"""Whoever follows the model card to the letter gets the answers of `naokit predict`."""

import csv
import io
import json
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from naokit.cli.app import app
from naokit.export import Check, save, standalone
from naokit.export.config import list_file
from naokit.images.bundle import ImageBundle
from naokit.images.pictures.crops import centre_view
from naokit.images.predicting import fit_picture, prepared
from naokit.kinds import load_bundle

MODES = ("L", "RGB", "RGBA", "P", "1", "LA", "CMYK", "I;16")
SIZES = ((8, 8), (31, 17), (5, 7))


def picture(mode: str, size: tuple[int, int]) -> Image.Image:
    """A picture whose middle and borders differ."""
    generator = np.random.default_rng(len(mode) + size[0])
    if mode == "I;16":
        return Image.fromarray(generator.integers(0, 2**16, size[::-1]).astype(np.uint16))
    pixels = generator.integers(0, 256, (4, 4, 3)).astype(np.uint8)
    return Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC).convert(mode)


@pytest.fixture(params=[None, 8], ids=["decoded", "streamed"])
def folder(
    request: pytest.FixtureRequest,
    exported: tuple[Path, dict[str, Check]],
    trained: ImageBundle,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """Every kind of export, of a network that learnt from pictures of one size or of any."""
    made = shutil.copytree(exported[0], tmp_path / "network")
    remembered = {**trained.results.data, "image_size": request.param}
    bundle = replace(trained, results=replace(trained.results, data=remembered))
    save(bundle, made)
    standalone.write(bundle, made / "network.py")
    list_file(made, "network.py")
    monkeypatch.chdir(made)
    monkeypatch.setattr(sys, "path", [str(made), *sys.path])
    return made


def blocks(folder: Path) -> dict[str, str]:
    """The card's programs by what they use."""
    card = (folder / "README.md").read_text().replace("path/to/this/folder", ".")
    whole = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    naokit, alone, onnx, pt2 = whole
    int8 = onnx.replace('"model.onnx"', '"model-int8.onnx"')
    return {"": naokit, "network.py": alone, "model.onnx": onnx, "model-int8.onnx": int8,
            "model.pt2": f"{onnx}\n{pt2}"}  # fmt: skip


def predicted(what: str) -> dict[str, tuple[str, float]]:
    """Label and probability of each picture, as the command says."""
    result = CliRunner().invoke(app, ["predict", what, "pictures"])
    assert result.exit_code == 0, result.output
    rows = csv.DictReader(io.StringIO(result.stdout))
    return {Path(row["file"]).name: (row["label"], float(row["probability"])) for row in rows}


def test_the_cards_programs_give_the_answers_of_predict(folder: Path) -> None:
    (folder / "pictures").mkdir()
    turned = Image.Exif()
    turned[0x0112] = 6  # a camera that was held upright
    for mode in MODES:
        for size in SIZES:
            name = f"{mode}-{size[0]}x{size[1]}{'.jpg' if mode == 'CMYK' else '.png'}"
            picture(mode, size).save(folder / "pictures" / name, exif=turned)
    try:
        for kind, source in blocks(folder).items():
            code = compile(source.replace('"picture.png"', "PICTURE"), kind, "exec")
            expected = predicted(kind if kind.endswith((".onnx", ".pt2")) else ".")
            assert len(expected) == len(MODES) * len(SIZES)
            for name, (label, probability) in list(expected.items())[
                :: 3 if kind in ("", "network.py") else 9
            ]:
                names: dict[str, Any] = {"PICTURE": f"pictures/{name}"}
                exec(code, names)
                assert names["names"] == [label], (kind, name)
                if "logits" in names:
                    logits = torch.as_tensor(names["logits"]).detach()
                    assert float(logits.softmax(dim=1).max()) == pytest.approx(
                        probability, abs=1e-4
                    )
    finally:
        sys.modules.pop("network", None)


def test_the_config_and_the_card_say_what_is_done_with_a_picture(folder: Path) -> None:
    steps = json.loads((folder / "config.json").read_text())["preparation"]
    streamed = load_bundle(folder).results.data["image_size"] is not None
    assert ("256 / 224" in steps[3]) == streamed
    assert ("bicubic" in steps[3]) != streamed
    card = (folder / "README.md").read_text()
    assert all(f". {step}" in card for step in steps)


def test_a_config_from_before_is_read_as_it_was(folder: Path) -> None:
    """What it does not say follows from `results.image_size`, which says how it learnt."""
    config = json.loads((folder / "config.json").read_text())
    assert config.pop("preparation")
    (folder / "config.json").write_text(json.dumps(config))
    assert load_bundle(folder).class_names


@pytest.mark.parametrize("size", [(8, 8), (31, 17), (16, 90), (300, 200), (7, 5)])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_picture_is_shown_as_held_out_ones_are(
    tmp_path: Path, size: tuple[int, int], channels: int
) -> None:
    shown = picture("L" if channels == 1 else "RGB", size)
    pixels = np.asarray(shown).reshape(size[1], size[0], channels)
    found = np.asarray(prepared(shown, (channels, 8, 8), streamed=True)).reshape(8, 8, channels)
    assert np.array_equal(found, centre_view(pixels, 8))
    shown.save(tmp_path / "a.png")
    fitted = fit_picture(tmp_path / "a.png", (channels, 8, 8), streamed=True)
    assert np.array_equal(fitted.pixels, found.transpose(2, 0, 1))
