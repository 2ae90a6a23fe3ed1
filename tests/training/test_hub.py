"""The hub is asked for what can be a data set's name, and for no longer than a person waits."""

from pathlib import Path

import datasets
import huggingface_hub
import pytest
from huggingface_hub import constants

from naokit.base import InputError
from naokit.training import hub
from naokit.training.hub import load_tables


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "photos" / "mine").mkdir(parents=True)
    (tmp_path / "Corpus").mkdir()
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("photos/mien", "photos/mine"),
        ("./fotos", "photos"),
        ("fotos/mine/train", "photos"),
        ("corpus", "Corpus"),
        ("../nowhere/pics", ""),
        ("/no/such/folder", ""),
        ("~/pics", ""),
        ("a/b/c", ""),
        ("a/", ""),
        ("nowhere/pics.ZIP", ""),
        ("nowhere/pics.tar.gz", ""),
        ("nowhere/cat.JPG", ""),
        ("nowhere\\pics", ""),
        ("mine.csv", ""),
        ("", ""),
        ("Corpus/x", ""),
        ("photos\0/mine", "photos"),
    ],
)
def test_a_path_is_never_asked_for(name: str, meant: str, monkeypatch) -> None:
    asked = lambda *_, **__: pytest.fail("the hub was asked")  # noqa: E731
    monkeypatch.setattr(hub, "_answers", asked)
    monkeypatch.setattr(datasets, "load_dataset", asked)
    with pytest.raises(InputError, match="there is no file or folder") as caught:
        load_tables(name, "digits")
    assert ("did you mean" in str(caught.value)) == bool(meant)
    assert f"did you mean {meant}? Else" in str(caught.value) or not meant


def test_without_an_answer_only_the_cache_is_looked_into(monkeypatch) -> None:
    waits: list[float] = []

    def silent(self: object, name: str, timeout: float) -> None:
        waits.append(timeout)
        raise OSError("no route to host")

    def load(name: str, config: str | None) -> None:
        assert constants.HF_HUB_OFFLINE
        assert datasets.config.HF_HUB_OFFLINE
        raise ConnectionError(f"Couldn't reach {name}")

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", silent)
    monkeypatch.setattr(datasets, "load_dataset", load)
    with pytest.raises(InputError, match=r"Couldn't reach fotos/mine\); did you mean photos\?"):
        load_tables("fotos/mine", "digits")
    assert waits
    assert max(waits) <= 10
    assert not constants.HF_HUB_OFFLINE
    assert not datasets.config.HF_HUB_OFFLINE


def test_a_name_that_the_hub_does_not_know_is_loaded_no_further(monkeypatch) -> None:
    from huggingface_hub.errors import RepositoryNotFoundError

    def unknown(self: object, name: str, timeout: float) -> None:
        raise RepositoryNotFoundError.__new__(RepositoryNotFoundError)

    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", unknown)
    monkeypatch.setattr(datasets, "load_dataset", lambda *_: pytest.fail("loaded"))
    with pytest.raises(InputError, match="it has none of this name"):
        load_tables("nowhere/pics", "digits")
