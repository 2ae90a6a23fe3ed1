"""A `config.json` that was changed by hand or is another program's: one line says where."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from naokit.base import InputError
from naokit.cli.app import app
from naokit.export import Check, save
from naokit.kinds import config_at, load_bundle
from naokit.text.bundle import LanguageBundle

Exported = tuple[Path, dict[str, Check]]


@pytest.fixture
def folder(exported: Exported, tmp_path: Path) -> Path:
    """A copy to change."""
    return shutil.copytree(exported[0], tmp_path / "network")


def change(folder: Path, path: str, value: Any) -> None:
    """Sets a field; the dots of its path go deeper."""
    config = json.loads((folder / "config.json").read_text())
    *outer, last = path.split(".")
    inner = config
    for name in outer:
        inner = inner[name]
    inner[last] = value
    (folder / "config.json").write_text(json.dumps(config))


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("network", {}, "network has no classes"),
        ("network", 5, "network is 5"),
        ("network.image", [3, 17], r"network.image is \[3, 17\]"),
        ("network.image", [3, 17, 0], r"network.image is \[3, 17, 0\]"),
        ("network.kernel", 3, "network has 'kernel', which this naokit does not know"),
        ("network.classes", "3", "network.classes is '3'"),
        ("network.cells", True, "network.cells is True"),
        ("network.stem", 1, "network.stem is 1"),
        ("network.drop_path_keep", "all", "network.drop_path_keep is 'all'"),
        ("space", 5, "space is 5"),
        ("architecture", 5, "architecture is 5"),
        ("results", None, "results is None"),
        ("results", {"data": 5}, "results.data is 5"),
        ("results", {"image_size": "8"}, "results.image_size is '8'"),
        ("results", {"recipe": []}, r"results.recipe is \[\]"),
        ("results", {"test_accuracy": "9"}, "results.test_accuracy is '9'"),
        ("sha256", 5, "sha256 is 5"),
        ("sha256", "abc", "sha256 is 'abc'"),
        ("files", [], r"files is \[\]"),
        ("files", {"model.onnx": {}}, r"files.model.onnx is \{\}"),
        ("mean", "x", "mean is 'x', not one number for each of 1 channels"),
        ("mean", [0.5, 0.5], r"mean is \[0.5, 0.5\], not one number for each of 1 channels"),
        ("std", [None], r"std is \[None\], not one number"),
        ("std", [0], r"std is \[0\], not above 0"),
        ("class_names", ["a", "b"], r"class_names is \['a', 'b'\], not 10 names"),
        ("class_names", list(range(10)), r"class_names is \[0, 1, 2.*, not 10 names"),
    ],
)
def test_a_field_that_holds_something_else_is_named(
    folder: Path, path: str, value: Any, message: str
) -> None:
    change(folder, path, value)
    with pytest.raises(InputError, match=f"config.json is damaged: {message}.*; export the netw"):
        config_at(folder)


def test_further_fields_are_left_to_a_later_naokit(folder: Path) -> None:
    before = config_at(folder)
    change(folder, "later", {"any": [1]})
    change(folder, "results.later", None)
    after = config_at(folder)
    assert after.pop("later") == {"any": [1]}
    assert after["results"].pop("later") is None
    assert after == before


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("space", {}, r"space is \{\}"),
        ("space", {"space": "conv-small", "nodes": "x"}, "space is .*'nodes': 'x'"),
        ("architecture", "0 1 1", "architecture is none of conv-small: a genotype of conv-small"),
    ],
)
def test_a_space_or_an_architecture_that_is_none(
    folder: Path, path: str, value: Any, message: str
) -> None:
    change(folder, path, value)
    with pytest.raises(InputError, match=f"config.json is damaged: {message}.*; export the netw"):
        load_bundle(folder)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("network", {"hidden": 8}, "network has no vocabulary"),
        ("network.hidden", "8", "network.hidden is '8'"),
        ("network.state_dropout", None, "network.state_dropout is None"),
    ],
)
def test_a_language_model_is_checked_too(
    language_model: LanguageBundle, tmp_path: Path, path: str, value: Any, message: str
) -> None:
    save(language_model, tmp_path)
    change(tmp_path, path, value)
    with pytest.raises(InputError, match=f"is damaged: {message}"):
        config_at(tmp_path)


def test_a_vocabulary_without_a_checksum_is_read(
    language_model: LanguageBundle, tmp_path: Path
) -> None:
    save(language_model, tmp_path)
    change(tmp_path, "files", {})
    bundle = load_bundle(tmp_path)
    assert isinstance(bundle, LanguageBundle)
    assert bundle.vocabulary == language_model.vocabulary


@pytest.mark.parametrize("change_of", [("network", {}), ("space", {}), ("format", None)])
@pytest.mark.parametrize(
    "command", ["evaluate", "predict", "show", "profile", "export", "transfer"]
)
def test_every_command_ends_with_2_and_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, command: str, change_of: tuple[str, Any]
) -> None:
    monkeypatch.chdir(folder.parent)
    change(folder, *change_of)
    more = {"predict": [str(folder / "config.json")], "transfer": ["--data", "digits"]}
    result = CliRunner().invoke(app, [command, str(folder), *more.get(command, [])])
    assert result.exit_code == 2, result.output
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert "config.json" in line
    assert result.stdout == ""
