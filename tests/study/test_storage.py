"""Addresses of databases: made from any path and taken apart again, without their passwords."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from naokit.base import InputError
from naokit.spaces import Choice, Choices
from naokit.study import create_study, open_study
from naokit.study.storage import address_of, file_of, open_for_reading, same_place, shown

SPACE = Choices("s", (Choice("a", (1, 2, 3)),))
ODD = [
    "lr?1",
    "lr?2",
    "a%20b",
    "a b",
    "a#b",
    "a:b",
    "a@b",
    "a{b}",
    "ü\u202e",
    "q'\"`$",
    "a\\b",
    "~",
]


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
def test_the_address_of_a_path_is_that_of_no_other(name: str) -> None:
    path = Path(name) / "study.db"
    assert file_of(address_of(path)) == path
    assert shown(address_of(path)) == address_of(path)
    assert same_place(address_of(path), address_of(path.absolute()))


def test_every_folder_has_a_study_of_its_own(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate([*ODD, f"sub/../{'x' * 200}"]):
        address = address_of(Path(name) / "study.db")
        create_study(SPACE, storage=address, seed=seed, method="random").optimize(lambda _: 1.0, 1)
        assert sorted(path.name for path in Path(name).iterdir()) == ["study.db"]
    for seed, name in enumerate(ODD):
        found = open_study(SPACE, address_of(Path(name) / "study.db"), "naokit")
        assert (found.seed, found.evaluations) == (seed, 1)


def test_a_path_that_cannot_be_one_is_said_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "s.db", tmp_path / ("x" * 300) / "s.db"):
        with pytest.raises(InputError, match=r"\A[^\n]*cannot be read or written[^\n]*\Z"):
            create_study(SPACE, storage=address_of(path))
    with pytest.raises(InputError, match="is no text"):
        address_of(Path("\udcff"))


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("sqlite:///q/lr?1", r"write %3F"),
        ("sqlite:///q/lr?a=1", r"write %3F"),
        ("redis://localhost", "cannot be read or written"),
        ("nonsense", "no address of a database; expected sqlite:///FILE"),
        ("postgresql://me:secret@host:port/x", "no address of a database"),
        ("me:secret@host", "no address of a database"),
        ("", "no address of a database"),
        ("postgresql+nonsense://me:secret@host/x", "cannot be read or written"),
        ("nonsense://me:secret@host/x?password=secret", "cannot be read or written"),
    ],
)
def test_an_address_that_is_none_is_said_in_a_line_without_its_password(address, said) -> None:
    for opened in (create_study, open_study):
        with pytest.raises(InputError, match=rf"\A[^\n]*{said}[^\n]*\Z") as caught:
            opened(SPACE, storage=address, name="x")
        assert "secret" not in str(caught.value)


def test_a_password_is_in_no_text_and_makes_no_other_place() -> None:
    secret = "postgresql+psycopg://me:p%40ss{0}@host:5/name?sslpassword=p&host=/run"
    assert "p%40ss" not in shown(secret)
    assert "sslpassword=p" not in shown(secret)
    assert same_place(secret, shown(secret))
    assert same_place(secret, "postgresql+psycopg://me@host:5/name?host=/run")
    assert not same_place(secret, "postgresql+psycopg://me@host:5/other?host=/run")
    assert not same_place("sqlite:///a.db", "sqlite:///b.db")
    assert not same_place("sqlite:///a.db", secret)


def test_reading_makes_nothing(tmp_path: Path) -> None:
    for name in ("none.db", "folder/none.db"):
        with pytest.raises(InputError, match="there is no study at"):
            open_for_reading(address_of(tmp_path / name))
    assert not list(tmp_path.iterdir())
    (tmp_path / "empty.db").touch()
    for address in (address_of(tmp_path / "empty.db"), "sqlite://", "sqlite:///:memory:"):
        with pytest.raises(InputError, match="cannot be read"):
            open_study(SPACE, address, "x")
    assert (tmp_path / "empty.db").stat().st_size == 0


def test_a_journal_whose_last_line_was_cut_short_goes_on(tmp_path: Path) -> None:
    space, storage = Choices("s", (Choice("a", (1, 2, 3, 4, 5)),)), f"journal:///{tmp_path}/s.log"
    create_study(space, storage=storage, method="random").optimize(lambda one: 1.0, 2)
    with (tmp_path / "s.log").open("a") as journal:
        journal.write('{"op_code": 8, "wor')
    assert open_study(space, storage, "naokit").evaluations == 2
    assert (tmp_path / "s.log").read_text().endswith('"wor')  # reading mends nothing
    again = create_study(space, storage=storage, method="random")
    again.optimize(lambda one: 1.0, 4)
    assert create_study(space, storage=storage, method="random").evaluations == 4
    assert [file.name for file in tmp_path.iterdir()] == ["s.log"]
