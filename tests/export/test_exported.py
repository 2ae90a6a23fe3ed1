"""The exported files of a network that was trained: formats, card, damage, overwriting."""

import io
import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
import yaml

from naokit.base import InputError
from naokit.export import Check, Results, check_free, exports, pt2, save
from naokit.export.config import file_checksum
from naokit.images.bundle import ImageBundle
from naokit.images.loading import load_images
from naokit.images.measuring import logits_on, measure
from naokit.images.opening import open_network
from naokit.images.task import ACCURACY
from naokit.kinds import load_bundle

Exported = tuple[Path, dict[str, Check]]


@pytest.fixture
def folder(exported: Exported, tmp_path: Path) -> Path:
    """A copy to change."""
    return shutil.copytree(exported[0], tmp_path / "network")


def change(folder: Path, **changes: object) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))


def flip_a_byte(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 255
    path.write_bytes(data)


def test_every_format_is_checked_and_listed(exported: Exported) -> None:
    folder, checks = exported
    assert list(checks) == [
        "model.safetensors",
        "model.onnx",
        "model.pt2",
        "network.py",
        "model-int8.onnx",
    ]
    for name in ("model.safetensors", "network.py"):
        assert checks[name].difference == checks[name].tolerance == 0
    for name in ("model.onnx", "model.pt2"):
        assert checks[name].difference <= 1e-4
    config = json.loads((folder / "config.json").read_text())
    assert config["sha256"] == file_checksum(folder / "model.safetensors")
    assert set(config["files"]) == {*checks, "README.md"} - {"model.safetensors"}
    for name, entry in config["files"].items():
        assert entry["sha256"] == file_checksum(folder / name)
    assert config["files"]["model.onnx"]["opset"] == 20


def test_the_onnx_file_has_the_opset_that_is_stated_and_any_batch(exported: Exported) -> None:
    folder, checks = exported
    model = onnx.load(folder / "model.onnx")
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", 20)]
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    assert checks["model.onnx"].note == "opset 20, any batch"


@pytest.mark.parametrize("batch", [1, 2, 7])
@pytest.mark.parametrize("name", ["", "model.onnx", "model.pt2"])
def test_whatever_is_opened_computes_the_same(
    exported: Exported, trained: ImageBundle, name: str, batch: int
) -> None:
    images = torch.randint(256, (batch, 1, 8, 8), generator=torch.Generator().manual_seed(1)).byte()
    classifier = open_network(exported[0] / name)
    expected = trained.network((images / 255 - trained.mean[0]) / trained.std[0])
    assert torch.allclose(classifier.logits(images), expected, atol=1e-4)
    assert classifier.interface.class_names == trained.class_names
    assert classifier.interface.image == (1, 8, 8)


def test_int8_is_judged_by_its_accuracy(exported: Exported, trained: ImageBundle) -> None:
    folder, checks = exported
    check = checks["model-int8.onnx"]
    assert check.accuracy is not None
    before, after = check.accuracy
    assert before == pytest.approx(trained.results.test)
    test = load_images("digits").test
    run = open_network(folder / "model-int8.onnx").logits
    assert measure(*logits_on(run, test, 100), trained.class_names).accuracy == after
    assert before > 30
    assert abs(before - after) < 10
    assert check.difference > 1e-3  # eight bits
    assert check.note.startswith("447 test images, ")
    sizes = [(folder / name).stat().st_size for name in ("model-int8.onnx", "model.onnx")]
    assert (sizes[0] > sizes[1]) == check.note.endswith("save nothing on so small a network")
    model = onnx.load(folder / "model-int8.onnx")
    assert model.opset_import[0].version == 20
    kinds = {node.op_type for node in model.graph.node}
    assert {"QuantizeLinear", "DequantizeLinear"} <= kinds
    int8 = onnx.TensorProto.INT8
    assert any(tensor.data_type == int8 for tensor in model.graph.initializer)


def test_without_images_the_other_formats_are_written_all_the_same(
    trained: ImageBundle, tmp_path: Path
) -> None:
    homeless = replace(trained, results=Results(ACCURACY))
    checks = exports(homeless, tmp_path, ("int8", "safetensors"))
    assert next(checks).file.name == "model.safetensors"
    with pytest.raises(InputError, match=r"int8 needs images and none are recorded; .* `data`"):
        next(checks)
    moved = replace(trained, results=Results(ACCURACY, data={"data": "gone.npz"}))
    with pytest.raises(
        InputError, match=r"int8 needs images: there is no file or folder 'gone.npz'; .*; or name"
    ):
        list(exports(moved, tmp_path, ("int8",)))


def test_int8_wants_images_of_the_networks_classes(trained: ImageBundle, tmp_path: Path) -> None:
    images = np.zeros((20, 8, 8), dtype=np.uint8)
    np.savez(tmp_path / "two.npz", images=images, labels=np.arange(20) % 2)
    with pytest.raises(InputError, match="class 2 is absent in the data and '2' in the network"):
        list(exports(trained, tmp_path, ("int8",), tmp_path / "two.npz"))


def test_the_card_has_front_matter_and_says_how_to_load(exported: Exported) -> None:
    text = (exported[0] / "README.md").read_text()
    _, front, body = text.split("---\n", 2)
    found = yaml.safe_load(front)
    assert found["library_name"] == "naokit"
    assert found["pipeline_tag"] == "image-classification"
    assert "license" not in found
    (_, test) = found["model-index"][0]["results"]
    results = load_bundle(exported[0]).results
    assert test["dataset"] == {"name": "digits", "type": "digits", "split": "test"}
    assert test["metrics"][0]["value"] == pytest.approx(results.test / 100, abs=1e-6)
    for piece in ("Pretrained.from_pretrained", "network.load()", "InferenceSession", "0 1 1 4"):
        assert piece in body
    assert "  2 = sep_conv_5x5(0) + identity(1)" in body
    assert "| recipe: learning rate | 0.1 |" in body
    assert "made by naokit" in body.lower()


def test_a_card_names_no_folder_of_this_machine(trained: ImageBundle, tmp_path: Path) -> None:
    secret = {"data": str(tmp_path / "secret" / "cats")}
    save(replace(trained, results=replace(trained.results, data=secret)), tmp_path)
    text = (tmp_path / "README.md").read_text()
    assert "conv-small on cats" in text
    assert str(tmp_path) not in text


def test_a_card_of_ones_own_is_left_alone(trained: ImageBundle, folder: Path) -> None:
    save(trained, folder)
    (folder / "README.md").write_text("mine")
    save(trained, folder)
    assert (folder / "README.md").read_text() == "mine"


def test_an_untrained_bundle_has_a_card_too(trained: ImageBundle, tmp_path: Path) -> None:
    save(replace(trained, results=Results(ACCURACY)), tmp_path)
    text = (tmp_path / "README.md").read_text()
    assert "not measured" in text
    assert "model-index" not in text


@pytest.mark.parametrize("name", ["model.onnx", "model.pt2", "model-int8.onnx"])
def test_a_damaged_file_is_found_by_its_checksum(folder: Path, name: str) -> None:
    flip_a_byte(folder / name)
    with pytest.raises(InputError, match=r"is damaged: its checksum is \w{12}..., expected \w{12}"):
        open_network(folder / name)


@pytest.mark.parametrize("name", ["model.onnx", "model.pt2"])
def test_a_truncated_file_without_a_checksum_is_damaged_as_well(folder: Path, name: str) -> None:
    config = json.loads((folder / "config.json").read_text())
    del config["files"]
    (folder / "config.json").write_text(json.dumps(config))
    assert open_network(folder / name)  # as exported before there were checksums
    (folder / name).write_bytes((folder / name).read_bytes()[:-200])
    with pytest.raises(InputError, match=f"{name} is damaged .*; export it again"):
        open_network(folder / name)


def test_damaged_weights_are_found_by_their_checksum(folder: Path) -> None:
    flip_a_byte(folder / "model.safetensors")
    with pytest.raises(InputError, match=r"model.safetensors is damaged: its checksum"):
        load_bundle(folder)


def test_a_bundle_without_a_checksum_still_loads(folder: Path, trained: ImageBundle) -> None:
    config = json.loads((folder / "config.json").read_text())
    del config["sha256"], config["files"]
    (folder / "config.json").write_text(json.dumps(config))
    images = torch.randn(2, 1, 8, 8)
    assert torch.equal(load_bundle(folder).network(images), trained.network(images))
    check_free(folder, trained)


def test_a_config_that_lacks_something_is_damaged(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    del config["mean"]
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match=r"config.json is damaged: it has no mean"):
        load_bundle(folder)


def test_exports_of_the_network_before_are_not_taken_for_this_ones(
    folder: Path, trained: ImageBundle
) -> None:
    save(trained, folder)
    assert open_network(folder / "model.onnx")  # the same weights: still listed
    save(other(trained), folder)
    with pytest.raises(InputError, match=r"model.onnx is of another network than config.json"):
        open_network(folder / "model.onnx")


def other(trained: ImageBundle) -> ImageBundle:
    network = trained.architecture.space.build(trained.architecture, trained.settings).eval()
    return ImageBundle(**{**vars(trained), "network": network})


def test_the_same_network_may_be_written_again_and_another_not(
    folder: Path, trained: ImageBundle
) -> None:
    check_free(folder, trained)
    check_free(folder / "empty", other(trained))
    with pytest.raises(InputError, match=r"holds another network \(its weights are others, first"):
        check_free(folder, other(trained))
    check_free(folder, other(trained), force=True)
    architecture = trained.architecture.space.parse("0 1 1 4 0 3 1 1")
    renamed = ImageBundle(**{**vars(trained), "architecture": architecture})
    with pytest.raises(
        InputError, match="its architecture is 0 1 1 4 0 3 1 0, not 0 1 1 4 0 3 1 1"
    ):
        check_free(folder, renamed)


def test_files_that_belong_to_nobody_known_are_kept(trained: ImageBundle, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_text("somebody's")
    with pytest.raises(InputError, match=r"what it is cannot be told.* lose model.onnx: name"):
        check_free(tmp_path, trained)


class Trap:
    """Unpickled, it would make a file."""

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (Path("sprung"),))


def trap() -> bytes:
    buffer = io.BytesIO()
    torch.save(Trap(), buffer)
    return buffer.getvalue()


def as_pickle(config: bytes) -> bytes:
    return config.replace(b'"use_pickle": false', b'"use_pickle": true', 1)


def as_object(config: bytes) -> bytes:
    return config.replace(b'"path_name": "weight_0"', b'"path_name": "custom_obj_0"', 1)


@pytest.mark.parametrize(
    ("member", "change", "message"),
    [
        ("data/weights/model_weights_config.json", as_pickle, r"pickled object \(stem.0.weight\)"),
        ("data/weights/model_weights_config.json", as_object, r"pickled object \(stem.0.weight\)"),
        ("data/sample_inputs/model.pt", lambda _: trap(), r"pickled object \(archive/data/sample_"),
        ("data/aotinductor/model.so", lambda _: b"", r"compiled code \(archive/data/aotinductor"),
    ],
)
def test_a_program_that_could_run_code_is_not_loaded(
    exported: Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, member, change, message
) -> None:
    monkeypatch.chdir(tmp_path)
    members = {f"archive/{member}": b""}
    with zipfile.ZipFile(exported[0] / "model.pt2") as old:
        members |= {name: old.read(name) for name in old.namelist()}
    members[f"archive/{member}"] = change(members[f"archive/{member}"])
    with zipfile.ZipFile("changed.pt2", "w") as new:
        for name, data in members.items():
            new.writestr(name, data)
    with pytest.raises(InputError, match=f"holds a? ?{message}.* could run code"):
        pt2.read_pt2(Path("changed.pt2"))
    assert not Path("sprung").exists()


def test_what_is_no_network_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no network that can be run: expected a folder, or"):
        open_network(folder / "network.py")
    with pytest.raises(InputError, match="there is no file or folder"):
        open_network(folder / "absent.onnx")
    with pytest.raises(InputError, match="holds no trained network"):
        open_network(tmp_path.parent)


def test_a_network_that_cannot_be_traced_is_explained(trained: ImageBundle) -> None:
    class Capricious(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return images if images.sum() > 0 else -images

    with pytest.raises(InputError, match=r"torch.export cannot follow this network"):
        pt2.trace(Capricious(), (torch.zeros(2, 1, 8, 8),))
