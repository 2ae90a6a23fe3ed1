"""The hub's methods write and read the files of `save` and `load_bundle`; no network is used."""

import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from huggingface_hub import hub_mixin

import naokit
from naokit.base import InputError
from naokit.export import Check
from naokit.images import pretrained
from naokit.images.bundle import ImageBundle
from naokit.kinds import load_bundle

IMAGES = torch.randint(256, (6, 1, 8, 8), generator=torch.Generator().manual_seed(2)).byte()


def test_it_reads_what_export_wrote(exported: tuple[Path, dict[str, Check]]) -> None:
    network = naokit.Pretrained.from_pretrained(exported[0])
    loaded = load_bundle(exported[0])
    assert isinstance(network, torch.nn.Module)
    assert not network.training
    assert torch.equal(
        network(network.standardise(IMAGES)), loaded.network(network.standardise(IMAGES))
    )
    shares = network.probabilities(IMAGES)
    assert shares.shape == (6, 10)
    assert torch.allclose(shares.sum(dim=1), torch.ones(6))
    assert network.predict(IMAGES) == [network.class_names[i] for i in shares.argmax(dim=1)]


def test_it_writes_what_load_bundle_reads(trained: ImageBundle, tmp_path: Path) -> None:
    network = pretrained.Pretrained(trained)
    assert network.save_pretrained(tmp_path) is None
    assert {path.name for path in tmp_path.iterdir()} == {
        "README.md",
        "config.json",
        "model.safetensors",
    }
    assert load_bundle(tmp_path).results == trained.results
    network.save_pretrained(tmp_path)  # the same network again
    again = naokit.Pretrained.from_pretrained(tmp_path)
    assert torch.equal(again.probabilities(IMAGES), network.probabilities(IMAGES))


def test_another_network_is_not_overwritten(trained: ImageBundle, tmp_path: Path) -> None:
    pretrained.Pretrained(trained).save_pretrained(tmp_path)
    network = trained.architecture.space.build(trained.architecture, trained.settings).eval()
    other = pretrained.Pretrained(ImageBundle(**{**vars(trained), "network": network}))
    with pytest.raises(InputError, match="holds another network"):
        other.save_pretrained(tmp_path)
    assert load_bundle(tmp_path).results == trained.results


class _Hub:
    """The two calls of the hub's client, without a hub."""

    def __init__(self, token: str | None = None) -> None:
        del token

    uploaded: ClassVar[dict[str, Any]] = {}

    def create_repo(self, repo_id: str, **_: Any) -> Any:
        return type("Repository", (), {"repo_id": repo_id})

    def upload_folder(self, folder_path: Path, **settings: Any) -> str:
        files = {path.name: path.read_bytes() for path in Path(folder_path).iterdir()}
        _Hub.uploaded = settings | {"files": files}
        return f"https://hub/{settings['repo_id']}"


@pytest.mark.parametrize("saved_first", [False, True])
def test_it_pushes_the_same_files(
    trained: ImageBundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, saved_first: bool
) -> None:
    monkeypatch.setattr(hub_mixin, "HfApi", _Hub)
    network = pretrained.Pretrained(trained)
    if saved_first:
        url = network.save_pretrained(tmp_path, repo_id="me/digits", push_to_hub=True)
    else:
        network.save_pretrained(tmp_path)
        url = network.push_to_hub("me/digits", commit_message="First")
        assert _Hub.uploaded["commit_message"] == "First"
    assert url == "https://hub/me/digits"
    assert _Hub.uploaded["repo_id"] == "me/digits"
    assert _Hub.uploaded["files"] == {path.name: path.read_bytes() for path in tmp_path.iterdir()}


def test_it_comes_from_the_hub_without_the_other_formats(
    exported: tuple[Path, dict[str, Check]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def downloaded(repo_id: str, **settings: Any) -> str:
        asked.append((repo_id, settings["revision"], settings["allow_patterns"]))
        return str(exported[0])

    monkeypatch.setattr(hub_mixin, "hf_hub_download", lambda **_: str(exported[0] / "config.json"))
    monkeypatch.setattr(pretrained, "snapshot_download", downloaded)
    network = naokit.Pretrained.from_pretrained("me/digits", revision="v1")
    assert asked == [("me/digits", "v1", ["model.safetensors", "config.json"])]
    assert network.class_names[9] == "9"


def test_the_hub_is_imported_by_who_needs_it() -> None:
    code = "import sys, naokit.export; assert 'huggingface_hub' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
