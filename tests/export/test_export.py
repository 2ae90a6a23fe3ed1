"""What is exported computes the same, in a process that does not know naokit."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch

from naokit.base import InputError
from naokit.export import Results, export, save
from naokit.export.config import list_file
from naokit.images.bundle import ImageBundle
from naokit.images.task import ACCURACY
from naokit.kinds import config_at, load, load_bundle
from naokit.settings import ImageSettings, NetworkSettings
from naokit.spaces import Choice, Choices, ConvCells, Operation
from naokit.training.checkpoint import read_tensors

IMAGE = (1, 8, 8)
RESULTS = Results(ACCURACY, data={"score": 1.5})
CODE = """
import sys, torch
sys.path.insert(0, sys.argv[1])
import network
images = (torch.arange(3 * 64) % 256).to(torch.uint8).view(3, 1, 8, 8)
torch.set_num_threads(1)
print(network.load()(network.standardise(images)).detach().double().sum().item())
assert not [name for name in sys.modules if "naokit" in name or "safetensors" in name]
"""


def own(channels: int, stride: int) -> torch.nn.Module:
    """A user's operation."""
    return torch.nn.Conv2d(channels, channels, 3, stride, 1)


def bundle(space: ConvCells | None = None, seed: int = 0) -> ImageBundle:
    space = space or ConvCells.small(nodes=2)
    architecture = space.sample(np.random.default_rng(seed))
    settings = ImageSettings(3, 4, 1, IMAGE, auxiliary=True, drop_path_keep=0.9)
    torch.manual_seed(0)
    network = space.build(architecture, settings)
    network(torch.randn(16, *IMAGE))  # batch statistics that are not the initial ones
    return ImageBundle(
        network.eval(), architecture, settings, ("a", "b", "c"), (0.5,), (0.2,), RESULTS
    )


def test_the_large_space_computes_the_same_in_every_format(tmp_path: Path) -> None:
    """The small one and int8: see `test_exported`."""
    checks = export(bundle(ConvCells.large(1), seed=3), tmp_path)
    names = ["model.safetensors", "model.onnx", "model.pt2", "network.py"]
    assert [check.file.name for check in checks] == names
    assert all(check.difference <= check.tolerance for check in checks if check.tolerance)
    assert checks[0].difference == checks[3].difference == 0


def perceptron(values: Mapping[str, object], settings: NetworkSettings) -> torch.nn.Module:
    assert isinstance(settings, ImageSettings)
    width = int(str(values["width"]))
    layers = [torch.nn.Flatten(), torch.nn.Linear(64, width), torch.nn.ReLU()]
    return torch.nn.Sequential(*layers, torch.nn.Linear(width, settings.classes))


def test_a_network_of_ones_own_is_exported_without_a_stand_alone_file(tmp_path: Path) -> None:
    space = Choices("mine", (Choice("width", (8, 16)),), network=perceptron)
    architecture, settings = space.architecture([0]), ImageSettings(3, 4, 1, IMAGE)
    network = space.build(architecture, settings).eval()
    own = ImageBundle(network, architecture, settings, ("a", "b", "c"), (0.5,), (0.2,))
    checks = export(own, tmp_path)
    assert [check.file.name for check in checks] == ["model.safetensors", "model.onnx", "model.pt2"]
    assert all(check.difference <= 1e-4 for check in checks)
    with pytest.raises(InputError, match="only networks made of cells"):
        export(own, tmp_path, ("python",))


def test_a_loaded_network_is_the_saved_one(tmp_path: Path) -> None:
    saved = bundle()
    export(saved, tmp_path, ("safetensors",))
    loaded = load_bundle(tmp_path)
    images = torch.randn(5, *IMAGE)
    assert torch.equal(load(tmp_path)(images), saved.network(images))
    assert not loaded.network.training
    assert (loaded.architecture, loaded.class_names) == (saved.architecture, saved.class_names)
    assert (loaded.mean, loaded.results) == ((0.5,), RESULTS)


def test_the_stand_alone_file_needs_torch_alone(tmp_path: Path) -> None:
    saved = bundle(ConvCells(2, ("conv_3x3", "identity"), "mine"))
    export(saved, tmp_path, ("python",))
    found = subprocess.run(
        [sys.executable, "-I", "-c", CODE, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )
    images = (torch.arange(3 * 64) % 256).to(torch.uint8).view(3, *IMAGE)
    expected = saved.network((images.float() / 255 - 0.5) / 0.2).detach().double().sum().item()
    assert float(found.stdout) == pytest.approx(expected, rel=1e-5)


def test_an_operation_of_ones_own_does_not_stand_alone(tmp_path: Path) -> None:
    space = ConvCells(1, (Operation("own", own), "identity"), "mine")
    with pytest.raises(InputError, match="the operation own is your own: a stand-alone file holds"):
        export(bundle(space), tmp_path, ("python",))
    left_out: dict[str, str] = {}
    checks = export(bundle(space), tmp_path, None, None, left_out.__setitem__)
    assert [check.file.name for check in checks] == ["model.safetensors", "model.onnx", "model.pt2"]
    assert "export to ONNX or .pt2" in left_out["python"]


def test_a_space_made_in_python_must_be_given(tmp_path: Path) -> None:
    space = ConvCells(1, (Operation("own", own), "identity"), "mine")
    export(bundle(space), tmp_path, ("safetensors",))
    with pytest.raises(InputError, match="no space 'mine'"):
        load(tmp_path)
    assert load(tmp_path, space)


def test_a_file_that_computes_something_else_is_not_passed(tmp_path: Path, monkeypatch) -> None:
    from naokit.export import onnx, pt2

    monkeypatch.setattr(pt2, "trace", lambda *_: None)
    monkeypatch.setattr(onnx, "write", lambda program, path, *names: path.write_bytes(b""))
    monkeypatch.setattr(onnx, "read_onnx", lambda path: lambda images: torch.zeros(len(images), 3))
    with pytest.raises(InputError, match="computes something else"):
        export(bundle(), tmp_path, ("onnx",))


@pytest.mark.parametrize("name", ["model.onnx", "model.pt2"])
@pytest.mark.parametrize("listed_before", [False, True])
def test_a_file_that_fails_its_check_is_neither_kept_nor_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, listed_before: bool
) -> None:
    from naokit.export import onnx, pt2

    made = bundle()
    save(made, tmp_path)
    if listed_before:
        (tmp_path / name).write_bytes(b"before")
        list_file(tmp_path, name)
    writer, reader = (onnx, "read_onnx") if name == "model.onnx" else (pt2, "read_pt2")
    monkeypatch.setattr(pt2, "trace", lambda *_: None)
    monkeypatch.setattr(writer, "write", lambda program, path, *names: path.write_bytes(b"new"))
    for run, message in (
        (lambda images: torch.zeros(len(images), 3), "computes something else"),
        (lambda images: 1 / 0, f"{name} could not be run: ZeroDivisionError"),
    ):
        monkeypatch.setattr(writer, reader, lambda path, run=run: run)
        with pytest.raises(InputError, match=message):
            export(made, tmp_path, (name.partition(".")[2],))
        assert not (tmp_path / name).exists()
        assert [*config_at(tmp_path)["files"]] == ["README.md"]


def test_an_unknown_format_is_named(tmp_path: Path) -> None:
    expected = "no format 'pickle'; for an image classifier there are safetensors, onnx, pt2"
    with pytest.raises(InputError, match=expected):
        export(bundle(), tmp_path, ("pickle",))


def _damage(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-10])


def _other_format(folder: Path) -> None:
    _change(folder, format=99)


def _other_network(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    _change(folder, network=config["network"] | {"channels": 8})


def _change(folder: Path, **changes: object) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (_damage, "is damaged"),
        (_other_format, "has format 99"),
        (_other_network, "is of another network: .* is .* there and .* here"),
        (lambda folder: (folder / "config.json").write_text("{"), "not readable as JSON"),
        (lambda folder: (folder / "model.safetensors").unlink(), "there is no file"),
    ],
)
def test_a_broken_bundle_is_explained(tmp_path: Path, break_it, message: str) -> None:
    export(bundle(), tmp_path, ("safetensors",))
    break_it(tmp_path)
    with pytest.raises(InputError, match=message):
        load(tmp_path)


def test_the_header_names_the_architecture(tmp_path: Path) -> None:
    saved = bundle()
    export(saved, tmp_path, ("safetensors",))
    assert read_tensors(tmp_path / "model.safetensors")[1]["architecture"] == str(
        saved.architecture
    )
