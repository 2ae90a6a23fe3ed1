"""Files: whole or absent when written; regular, bounded and told in one line when read."""

import gc
import os
from pathlib import Path

import pytest

from naokit.base import InputError
from naokit.files import (
    read_bytes,
    read_json,
    read_text,
    temporary_folder,
    write_json,
    write_whole,
)


@pytest.fixture
def umask():
    """Sets the umask of this process for one test."""
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_file_has_the_mode_that_the_umask_leaves(tmp_path, umask, mask, mode):
    umask(mask)
    write_whole(tmp_path / "settings.json", "{}")
    assert (tmp_path / "settings.json").stat().st_mode & 0o777 == mode


def test_a_temporary_folder_goes_with_its_owner():
    class Owner:
        """Whatever needs a folder."""

    owner = Owner()
    folder = temporary_folder(owner)
    (folder / "state").write_text("kept")
    assert folder != temporary_folder(owner)
    del owner
    gc.collect()
    assert not folder.exists()


def test_nothing_is_left_beside_a_file_that_was_written(tmp_path):
    write_whole(tmp_path / "a.json", "1")
    write_whole(tmp_path / "a.json", "2")
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    assert (tmp_path / "a.json").read_text() == "2"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "not readable as JSON"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"a": ' * 200_000, "nested too deeply"),
        (b"9" * 5000, "not readable as JSON"),
        (b"\xff\xfe{}", "not readable as UTF-8"),
        (b"", "not readable as JSON"),
    ],
)
def test_a_damaged_json_file_is_one_line_that_names_it(tmp_path, content, said):
    path = tmp_path / "config.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=said) as raised:
        read_json(path)
    assert str(path) in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1


def test_a_byte_order_mark_is_no_part_of_a_text(tmp_path):
    (tmp_path / "a.json").write_bytes(b"\xef\xbb\xbf[1]")
    assert read_json(tmp_path / "a.json") == [1]


@pytest.mark.parametrize("read", [read_bytes, read_text, read_json])
def test_what_is_no_regular_file_is_not_opened(tmp_path, read):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    for name, said in (
        ("pipe", "no regular file"),
        ("zero", "no regular file"),
        (".", "no regular file"),
        ("dangling", "a link to nothing"),
        ("nul\0", "not readable"),
    ):
        with pytest.raises(InputError, match=said):
            read(tmp_path / name)


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    path = tmp_path / "large"
    path.touch()
    os.truncate(path, 10 * 2**30)  # sparse
    with pytest.raises(InputError, match="larger than"):
        read_json(path)
    Path(path).write_bytes(b"12345")
    assert read_bytes(path, at_most=5) == b"12345"
    with pytest.raises(InputError, match="larger than 4 bytes"):
        read_bytes(path, at_most=4)


def test_json_values_read_back_equal(tmp_path: Path) -> None:
    for value in (0.1, 1e-320, 1.7976931348623157e308, 2**70, "\ud800\0\u2028", [1.5, None, True]):
        write_json(tmp_path / "x.json", {"value": value})
        assert read_json(tmp_path / "x.json") == {"value": value}
