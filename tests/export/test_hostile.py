"""Networks that a stranger made to exhaust or to hang who opens them: one line, nothing made."""

import json
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from torch import nn
from typer.testing import CliRunner

from naokit.base import InputError
from naokit.cli.app import app
from naokit.export import Check, save
from naokit.images.opening import open_network
from naokit.kinds import load_bundle
from naokit.spaces import ConvCells, RecurrentCells, from_settings
from naokit.text.bundle import LanguageBundle
from naokit.training.checkpoint import LARGEST_HEADER, training_at

Exported = tuple[Path, dict[str, Check]]


@pytest.fixture
def folder(exported: Exported, tmp_path: Path) -> Path:
    """The weights and the config alone, to change."""
    made = tmp_path / "network"
    made.mkdir()
    for name in ("model.safetensors", "config.json"):
        (made / name).write_bytes((exported[0] / name).read_bytes())
    change(made, files={})
    return made


@pytest.fixture
def nothing_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every weight is filled once it is there; here none is."""

    def filled(tensor: Any, *_: Any, **__: Any) -> Any:
        assert tensor.is_meta, "weights were made"
        return tensor

    for name in ("kaiming_normal_", "uniform_"):
        monkeypatch.setattr(nn.init, name, filled)


def change(folder: Path, **changes: object) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))


def sized(**sizes: object) -> Callable[[Path], None]:
    def changed(folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text())
        change(folder, network=config["network"] | sizes)

    return changed


def of_nodes(nodes: object) -> Callable[[Path], None]:
    return lambda folder: change(folder, space={"space": "conv-small", "nodes": nodes})


def with_header(header: bytes, length: int | None = None) -> Callable[[Path], None]:
    def written(folder: Path) -> None:
        size = struct.pack("<Q", len(header) if length is None else length)
        (folder / "model.safetensors").write_bytes(size + header)

    return written


def many_tensors(count: int) -> bytes:
    entry = '{"dtype":"F32","shape":[0],"data_offsets":[0,0]}'
    return ("{" + ",".join(f'"t{n}":{entry}' for n in range(count)) + "}").encode()


def in_place_of(name: str, make: Callable[[Path], None]) -> Callable[[Path], None]:
    def replaced(folder: Path) -> None:
        (folder / name).unlink()
        make(folder / name)

    return replaced


def sparse(path: Path) -> None:
    path.touch()
    os.truncate(path, 2**42)


def nested(path: Path) -> None:
    path.write_text("[" * 200_000 + "]" * 200_000)


HOSTILE: dict[str, tuple[Callable[[Path], None], str]] = {
    "channels 10^9": (sized(channels=10**9), "channels must be even .*not 1000000000"),
    "channels 10^30": (sized(channels=10**30), "network.channels is 1000"),
    "channels 8000": (sized(channels=8000), "is of another network: stem.0.weight is"),
    "cells 10^6": (sized(cells=10**6), "at most 4,000 branches, not 6,000,004"),
    "cells 300": (sized(cells=300), "is of another network: "),
    "classes": (sized(classes=10**9), "class_names"),
    "an image": (sized(image=[3, 100_000, 100_000]), "mean is"),
    "a grey image": (sized(image=[1, 100_000, 100_000]), "at most 16,777,216 values"),
    "a channel more": (sized(image=[2**31, 8, 8]), "network.image is"),
    "nodes 10^6": (of_nodes(10**6), "at most 100, not 1000000"),
    "nodes 10^30": (of_nodes(10**30), "at most 100, not 1000"),
    "nodes 90": (of_nodes(90), "has 720 integers"),
    "a long integer": (
        lambda folder: change(folder, architecture=f"{'9' * 10_000} 1 1 4 0 3 1 0"),
        "integer 1 .* was expected",
    ),
    "tensors": (with_header(many_tensors(1_000_000)), "its header has .* bytes, expected"),
    "more tensors": (with_header(many_tensors(20_000)), "is of another network"),
    "a header's length": (with_header(b"{}", 2**63), "its header has 9,223,372,036,854,775,808"),
    "a short header": (with_header(b"{}", LARGEST_HEADER), "is of another network"),
    "a nested header": (with_header(b"[" * 200_000), "nested too deeply"),
    "a header of a list": (with_header(b"[1]"), "is damaged"),
    "no shape": (with_header(b'{"a":{"dtype":"F32"}}'), "is damaged"),
    "an empty file": (in_place_of("model.safetensors", Path.touch), "not readable as JSON"),
    "sparse weights": (in_place_of("model.safetensors", sparse), "GB of memory, and"),
    "a pipe": (in_place_of("model.safetensors", os.mkfifo), "is no regular file"),
    "a device": (
        in_place_of("model.safetensors", lambda path: path.symlink_to("/dev/zero")),
        "is no regular file",
    ),
    "a folder": (in_place_of("model.safetensors", Path.mkdir), "is no regular file"),
    "a config of zeros": (
        in_place_of("config.json", lambda path: path.symlink_to("/dev/zero")),
        "is no regular file",
    ),
    "a config that is a pipe": (in_place_of("config.json", os.mkfifo), "is no regular file"),
    "a nested config": (in_place_of("config.json", nested), "nested too deeply"),
    "a nested field": (
        lambda folder: (folder / "config.json").write_text(
            '{"format": 2, "space": ' + "[" * 200_000 + "]" * 200_000 + "}"
        ),
        "nested too deeply",
    ),
    "a long number": (sized(channels=float("inf")), "network.channels is inf"),
    "a long name of data": (
        lambda folder: change(folder, results={"data": "x" * 10_000}),
        "results.data is",
    ),
}


@pytest.mark.usefixtures("nothing_is_made")
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_network_is_refused_before_anything_is_made(folder: Path, name: str) -> None:
    spoil, message = HOSTILE[name]
    spoil(folder)
    with pytest.raises(InputError, match=message) as caught:
        load_bundle(folder)
    assert len(str(caught.value)) < 2000 or name == "a long integer"


@pytest.mark.parametrize("command", ["evaluate", "export", "predict", "profile"])
@pytest.mark.parametrize("name", ["channels 10^9", "cells 10^6", "nodes 10^6", "a nested config"])
def test_every_command_ends_with_one_line(folder: Path, command: str, name: str) -> None:
    HOSTILE[name][0](folder)
    more = {"predict": [str(folder)]}
    (folder / "a.png").touch()
    result = CliRunner().invoke(app, [command, str(folder), *more.get(command, [])])
    assert result.exit_code == 2, result.output
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("error: ")


def test_a_profile_needs_room_for_the_weights(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It makes the network of a config without looking at its weights."""
    sized(channels=50_000)(folder)
    result = CliRunner().invoke(app, ["profile", str(folder)])
    assert result.exit_code == 2, result.output
    assert "this network takes" in result.stderr


def test_what_stands_beside_is_no_pipe(exported: Exported, folder: Path) -> None:
    for name in ("model.onnx", "model.pt2"):
        os.mkfifo(folder / name)
        change(folder, files={name: {"sha256": "0" * 64}})
        with pytest.raises(InputError, match="is no regular file"):
            open_network(folder / name)
        config = json.loads((folder / "config.json").read_text())
        del config["files"]
        (folder / "config.json").write_text(json.dumps(config))
        with pytest.raises(InputError, match="is no regular file"):
            open_network(folder / name)


def test_a_vocabulary_is_bounded(language_model: LanguageBundle, tmp_path: Path) -> None:
    save(language_model, tmp_path)
    change(tmp_path, files={})
    for make, message in ((os.mkfifo, "is no regular file"), (nested, "nested too deeply")):
        in_place_of("vocabulary.json", make)(tmp_path)
        with pytest.raises(InputError, match=message):
            load_bundle(tmp_path)
    for sizes, message in (
        ({"hidden": 10**9}, "at most 10,000,000 and 100,000"),
        ({"vocabulary": 10**9}, "at most 10,000,000 and 100,000"),
        ({"hidden": 90_000}, r"embedding is \(12, 8\) there and \(12, 90000\) here"),
    ):
        sized(**sizes)(tmp_path)
        with pytest.raises(InputError, match=message):
            load_bundle(tmp_path)
        save(language_model, tmp_path)


def test_spaces_are_bounded() -> None:
    for nodes in (101, 10**30):
        with pytest.raises(InputError, match="at most 100"):
            ConvCells(nodes)
    with pytest.raises(InputError, match="at most 1,000"):
        RecurrentCells(1001)
    rows = [[f"c{n}", [1, 2], None] for n in range(1000)]
    space = from_settings({"space": "many", "choices": rows})
    assert space.grammar.first_tokens[-1] == 1 + 2 * 999


def test_names_of_halves_of_pairs_have_a_key() -> None:
    space = from_settings({"space": "x", "choices": [["\ud800", ["a\udcff", "b"], None]]})
    assert space.parse("\ud800=b").key != space.parse("\ud800=a\udcff").key


def header_of(folder: Path, **fields: object) -> None:
    """A last checkpoint whose header says this."""
    metadata = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in fields.items()
    }
    header = json.dumps({"__metadata__": metadata}).encode()
    (folder / "last.safetensors").write_bytes(struct.pack("<Q", len(header)) + header)


@pytest.mark.parametrize(
    "fields",
    [
        {"training": "[" * 200_000, "state": {}},
        {"training": {}, "state": {"epochs": "many"}},
        {"training": {}, "state": {"history": ["a"]}},
        {"training": {}, "state": {"step": None}},
        {"training": {}, "state": []},
        {"training": 5, "state": {}},
        {"state": {}},
    ],
)
def test_a_checkpoint_is_bounded_and_checked(tmp_path: Path, fields: dict[str, object]) -> None:
    header_of(tmp_path, **fields)
    with pytest.raises(InputError, match=r"last\.safetensors"):
        training_at(tmp_path)


def test_a_checkpoint_is_a_regular_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "last.safetensors")
    with pytest.raises(InputError, match="is no regular file"):
        training_at(tmp_path)
