"""A language model as files: its formats are one step, its vocabulary lies beside the weights."""

import dataclasses
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
import yaml

import naokit
from naokit.base import InputError
from naokit.export import Check, check_free, export, save, usual_formats
from naokit.export.bundle import read
from naokit.export.checking import Files
from naokit.export.config import file_checksum
from naokit.images.bundle import ImageBundle
from naokit.images.opening import open_network
from naokit.kinds import load
from naokit.kinds import load_bundle as load_bundle
from naokit.networks import LanguageModel, RecurrentCell, RecurrentPlan
from naokit.settings import LanguageSettings
from naokit.spaces.published import genotype
from naokit.text.bundle import LanguageBundle
from naokit.text.generating import generate
from naokit.text.vocabulary import Vocabulary

Exported = tuple[Path, dict[str, Check]]
TOKENS = ("the", "company", "said", "<eos>", "<unk>", *"abcdefg")
CODE = """
import sys, torch
sys.path.insert(0, sys.argv[1])
import network
torch.set_num_threads(1)
print(network.generate(network.load(), sys.argv[2], 30, seed=1), end="")
assert not [name for name in sys.modules if "naokit" in name or "safetensors" in name]
"""


@pytest.fixture(scope="module")
def spoken(language_model: LanguageBundle, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """Its folder in every format, and the checks by name; copy what you change."""
    folder = tmp_path_factory.mktemp("network")
    return folder, {check.file.name: check for check in export(language_model, folder)}


@pytest.fixture
def folder(spoken: Exported, tmp_path: Path) -> Path:
    """A copy to change."""
    return shutil.copytree(spoken[0], tmp_path / "network")


def changed(bundle: LanguageBundle, **changes: object) -> LanguageBundle:
    return dataclasses.replace(bundle, **changes)


def test_every_format_is_checked_and_listed(spoken: Exported) -> None:
    folder, checks = spoken
    assert list(checks) == ["model.safetensors", "model.onnx", "model.pt2", "network.py"]
    for name in ("model.safetensors", "network.py"):
        assert checks[name].difference == checks[name].tolerance == 0
    for name in ("model.onnx", "model.pt2"):
        assert checks[name].difference <= 1e-4
    assert checks["model.onnx"].note == "opset 20, one step, any batch, compared over 50"
    config = json.loads((folder / "config.json").read_text())
    assert (config["format"], config["kind"], config["tokens"]) == (2, "language", "word")
    expected = {"README.md", "vocabulary.json", "model.onnx", "model.pt2", "network.py"}
    assert set(config["files"]) == expected
    for name, entry in config["files"].items():
        assert entry["sha256"] == file_checksum(folder / name)


def test_a_loaded_language_model_is_the_saved_one(
    spoken: Exported, language_model: LanguageBundle
) -> None:
    loaded = load_bundle(spoken[0])
    tokens = torch.arange(12).view(4, 3)
    start = language_model.network.start(3)
    expected = language_model.network(tokens, start)
    found = load(spoken[0])(tokens, start)
    assert torch.equal(found.logits, expected.logits)
    assert torch.equal(found.state, expected.state)
    assert not loaded.network.training
    for name in ("architecture", "settings", "results"):
        assert getattr(loaded, name) == getattr(language_model, name)
    assert loaded.vocabulary.to_json() == language_model.vocabulary.to_json()


def test_the_onnx_file_carries_the_state_over_a_text(
    spoken: Exported, language_model: LanguageBundle
) -> None:
    """Against the network reading the whole text at once."""
    path = spoken[0] / "model.onnx"
    model = onnx.load(path)
    assert [v.name for v in model.graph.input] == ["token", "state"]
    assert [v.name for v in model.graph.output] == ["logits", "next_state"]
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    tokens = np.random.default_rng(0).integers(12, size=(20, 5))
    state = np.zeros((5, 8), dtype=np.float32)
    steps = []
    for token in tokens:
        logits, state = session.run(["logits", "next_state"], {"token": token, "state": state})
        steps.append(logits)
    network = language_model.network
    whole = network(torch.from_numpy(tokens), network.start(5))
    assert np.allclose(np.stack(steps), whole.logits.detach().numpy(), atol=1e-5)
    assert np.allclose(state, whole.state.detach().numpy(), atol=1e-5)


@pytest.mark.parametrize("prompt", ["the company zebra", "", "said\na b\n\nc"])
def test_the_stand_alone_file_writes_the_same_text(
    spoken: Exported, language_model: LanguageBundle, prompt: str
) -> None:
    found = subprocess.run(
        [sys.executable, "-I", "-c", CODE, str(spoken[0]), prompt],
        capture_output=True,
        text=True,
        check=True,
    )
    expected = generate(language_model.network, language_model.vocabulary, prompt, 30, seed=1)
    assert found.stdout == expected.text


def test_characters_stand_alone_too(language_model: LanguageBundle, tmp_path: Path) -> None:
    vocabulary = Vocabulary("char", ("<unk>", "\n", *"abcdefghij"))
    export(changed(language_model, vocabulary=vocabulary), tmp_path, ("python",))
    found = subprocess.run(
        [sys.executable, "-I", "-c", CODE, str(tmp_path), "a bad cab"],
        capture_output=True,
        text=True,
        check=True,
    )
    expected = generate(language_model.network, vocabulary, "a bad cab", 30, seed=1)
    assert found.stdout == expected.text


def test_an_lstm_is_exported_like_a_cell(language_model: LanguageBundle, tmp_path: Path) -> None:
    """Its state is of another size; the reading by steps is tested with the cell."""
    architecture = genotype("lstm").architecture
    network = architecture.space.build(architecture, language_model.settings).eval()
    bundle = changed(language_model, architecture=architecture, network=network)
    checks = {check.file.name: check for check in export(bundle, tmp_path)}
    assert checks["network.py"].difference == checks["model.safetensors"].difference == 0
    state = onnx.load(tmp_path / "model.onnx").graph.input[1].type.tensor_type.shape.dim[1]
    assert state.dim_value == network.start(1).shape[1] != 8
    assert f"float32 (batch, {state.dim_value})" in (tmp_path / "README.md").read_text()


def cube(values: torch.Tensor) -> torch.Tensor:
    """A user's activation."""
    return values**3


def with_activation(bundle: LanguageBundle, activation: object) -> LanguageBundle:
    plan = RecurrentPlan(((0, "cube"), (1, "tanh")))
    cell = RecurrentCell(plan, 8, 8, {"cube": activation, "tanh": torch.tanh})
    return changed(bundle, network=LanguageModel(cell, LanguageSettings(12, 8)).eval())


def test_an_activation_of_ones_own_does_not_stand_alone(
    language_model: LanguageBundle, tmp_path: Path
) -> None:
    own = with_activation(language_model, cube)
    with pytest.raises(InputError, match="the activation cube is your own: a stand-alone file"):
        export(own, tmp_path, ("python",))
    assert "python" not in usual_formats(own)


def test_a_file_that_cannot_be_run_is_left_out(
    language_model: LanguageBundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LanguageBundle, "standalone", lambda _: "def load():\n    return SLOPE\n")
    with pytest.raises(InputError, match=r"network.py could not be run: NameError: name 'SLOPE'"):
        export(language_model, tmp_path / "asked", ("python",))
    left_out: dict[str, str] = {}
    folder = tmp_path / "all"
    assert export(language_model, folder, ("python",), None, left_out.__setitem__) == []
    assert "could not be run" in left_out["python"]
    assert not (folder / "network.py").exists()
    assert "network.py" not in json.loads((folder / "config.json").read_text())["files"]


def test_a_cell_of_another_kind_cannot_stand_alone(language_model: LanguageBundle) -> None:
    network = LanguageModel(torch.nn.Identity(), LanguageSettings(12, 8))
    other = changed(language_model, network=network)
    assert "python" not in usual_formats(other)
    assert other.obstacle() == (
        "only a recurrent cell or an LSTM can be written as a stand-alone file"
    )


def test_a_step_that_computes_something_else_is_found(
    language_model: LanguageBundle, tmp_path: Path
) -> None:
    """A state that goes wrong is seen as well as logits that do, and as values that are none."""
    files, difference = Files(language_model, tmp_path), language_model.difference
    step = language_model.run_of(language_model.network)
    assert difference(step) == 0
    assert difference(lambda token, state: (step(token, state)[0], state)) > 0.01
    assert difference(lambda token, state: (step(token, state)[0] + 0.5, step(token, state)[1]))
    broken = lambda token, state: (step(token, state)[0] * torch.nan, state)  # noqa: E731
    with pytest.raises(InputError, match="computes something else: logits differ by nan"):
        files.check(tmp_path / "model.onnx", broken, 1e-4, "")


def test_int8_is_for_images(language_model: LanguageBundle, tmp_path: Path) -> None:
    expected = "no format 'int8'; for a language model there are safetensors, onnx, pt2, python"
    with pytest.raises(InputError, match=expected):
        export(language_model, tmp_path, ("int8",))


def test_the_card_of_a_language_model(spoken: Exported) -> None:
    _, front, body = (spoken[0] / "README.md").read_text().split("---\n", 2)
    found = yaml.safe_load(front)
    assert found["pipeline_tag"] == "text-generation"
    _, test = found["model-index"][0]["results"]
    assert test["metrics"] == [{"type": "perplexity", "value": 90.25}]
    assert "| test | 90.25 |" in body
    for piece in ("naokit generate", "network.generate(", "InferenceSession", "12 tokens", "0 0 1"):
        assert piece in body


def test_a_vocabulary_of_another_network_is_refused(
    language_model: LanguageBundle, folder: Path
) -> None:
    with pytest.raises(InputError, match="of another network: it has 11 tokens, the network 12"):
        changed(language_model, vocabulary=Vocabulary("word", TOKENS[:11]))
    config = json.loads((folder / "config.json").read_text())
    (folder / "vocabulary.json").write_text(json.dumps(Vocabulary("word", TOKENS[:11]).to_json()))
    config["files"]["vocabulary.json"]["sha256"] = file_checksum(folder / "vocabulary.json")
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match="it has 11 tokens, the network 12"):
        load_bundle(folder)
    (folder / "config.json").write_text(
        json.dumps(config | {"network": config["network"] | {"vocabulary": 11}})
    )
    with pytest.raises(InputError, match=r"embedding is \(12, 8\) there and \(11, 8\) here"):
        load_bundle(folder)


def test_a_damaged_vocabulary_is_found_by_its_checksum(folder: Path) -> None:
    path = folder / "vocabulary.json"
    path.write_text(path.read_text().replace("company", "companx"))
    with pytest.raises(InputError, match=r"vocabulary.json is damaged: its checksum is"):
        load_bundle(folder)
    path.unlink()
    with pytest.raises(InputError, match=r"there is no file .*vocabulary.json"):
        load_bundle(folder)


def test_another_vocabulary_is_not_overwritten(
    language_model: LanguageBundle, trained: ImageBundle, folder: Path
) -> None:
    check_free(folder, language_model)
    other = changed(language_model, vocabulary=Vocabulary("word", (*TOKENS[:11], "z")))
    with pytest.raises(InputError, match=r"another network \(its vocabulary.json is another\)"):
        check_free(folder, other)
    check_free(folder, other, force=True)
    with pytest.raises(InputError, match=r"another network \(its kind is language, not image\)"):
        check_free(folder, trained)


def test_a_language_model_is_not_taken_for_a_classifier(
    spoken: Exported, trained: ImageBundle, tmp_path: Path
) -> None:
    message = "holds a network of the kind language, not an image classifier"
    for wrong in (open_network, naokit.Pretrained.from_pretrained):
        with pytest.raises(InputError, match=message):
            wrong(spoken[0])
    with pytest.raises(InputError, match=message):
        open_network(spoken[0] / "model.onnx")
    save(trained, tmp_path)
    with pytest.raises(InputError, match="holds a network of the kind image, not a language model"):
        read(LanguageBundle, tmp_path)


def test_folders_from_before_there_were_kinds_are_of_images(
    trained: ImageBundle, tmp_path: Path
) -> None:
    save(trained, tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config.pop("kind") == "image"
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert load_bundle(tmp_path).class_names == trained.class_names
    check_free(tmp_path, trained)
    (tmp_path / "config.json").write_text(json.dumps(config | {"kind": "graph"}))
    with pytest.raises(InputError, match="of the kind 'graph', this naokit reads image, language"):
        load_bundle(tmp_path)
