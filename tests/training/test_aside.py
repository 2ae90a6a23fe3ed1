"""One of two trainings is kept: the new one once it has a checkpoint."""

from pathlib import Path

import pytest

from naokit.training.aside import set_aside, settle


def begun(folder: Path, content: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "last.safetensors").write_text(content)


def kept(folder: Path) -> str:
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    return (folder / "last.safetensors").read_text()


def test_the_old_one_goes_once_the_new_one_has_a_checkpoint(tmp_path: Path) -> None:
    folder = tmp_path / "training"
    begun(folder, "old")
    with set_aside(folder):
        assert not folder.exists()
        begun(folder, "new")
    assert kept(folder) == "new"


def interrupted(folder: Path) -> None:
    with set_aside(folder):
        folder.mkdir(exist_ok=True)
        (folder / "split.json").write_text("{}")
        raise KeyboardInterrupt


def test_the_old_one_comes_back_where_the_new_one_fails(tmp_path: Path) -> None:
    folder = tmp_path / "training"
    begun(folder, "old")
    with pytest.raises(KeyboardInterrupt):
        interrupted(folder)
    assert kept(folder) == "old"
    assert [path.name for path in folder.iterdir()] == ["last.safetensors"]


@pytest.mark.parametrize("has_checkpoint", [False, True])
def test_a_kill_is_settled_the_next_time(tmp_path: Path, has_checkpoint: bool) -> None:
    folder = tmp_path / "training"
    begun(folder.with_name("training.set-aside"), "old")
    if has_checkpoint:
        begun(folder, "new")
    with pytest.raises(KeyboardInterrupt):
        interrupted(folder)
    assert kept(folder) == ("new" if has_checkpoint else "old")


@pytest.mark.parametrize("has_checkpoint", [False, True])
def test_a_kill_is_settled_without_another_training(tmp_path: Path, has_checkpoint: bool) -> None:
    folder = tmp_path / "training"
    begun(folder.with_name("training.set-aside"), "old")
    folder.mkdir()
    if has_checkpoint:
        begun(folder, "new")
    settle(folder)
    assert kept(folder) == ("new" if has_checkpoint else "old")
    settle(folder)
    assert kept(folder) == ("new" if has_checkpoint else "old")


def test_nothing_there_is_nothing_to_keep(tmp_path: Path) -> None:
    with set_aside(tmp_path / "training"):
        pass
    assert list(tmp_path.iterdir()) == []
