"""Kinds of data of other packages: `test_third_kind` shows what one is."""

from types import SimpleNamespace

import pytest

from naokit import kinds
from naokit.base import InputError


def test_kinds_of_other_packages_are_loaded_only_where_they_are_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows, loaded = SimpleNamespace(reads="rows"), []
    point = SimpleNamespace(load=lambda: loaded.append(rows) or rows)
    monkeypatch.setattr(kinds, "entry_points", lambda group: [point] if "kinds" in group else [])
    assert kinds.kind_of("text") is kinds.KINDS["text"]
    assert not loaded
    assert kinds.kind_of("rows") is rows
    with pytest.raises(InputError, match="sounds"):
        kinds.kind_of("sounds")
