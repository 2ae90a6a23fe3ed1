"""What a search starts from."""

from pathlib import Path

import pytest
from tests.cli.commands import run

from naokit import spaces
from naokit.base import InputError
from naokit.cli.start import starting_points
from naokit.spaces.published import genotype

SMALL = spaces.load("conv-small")


def test_published_cells_by_one_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["naonet-b", "naonet-ws", "naonet-v2", "enas"]
    found = starting_points(Path("published"), SMALL)
    assert found == [genotype(name).architecture for name in names]
    monkeypatch.chdir(tmp_path)
    Path("published").write_text(f"{found[0]}\n")
    assert starting_points(Path("published"), SMALL) == found[:1]  # a file of that name


def test_published_names_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "start.txt"
    one = SMALL.parse("0 0 " * 20)
    file.write_text(f"enas\n\n{one}\nnaonet-b\n")
    cells = [genotype("enas").architecture, one, genotype("naonet-b").architecture]
    assert starting_points(file, SMALL) == cells
    file.write_text("naonet-a\n")
    with pytest.raises(InputError, match=r"start\.txt:1: "):
        starting_points(file, SMALL)
    file.write_text("nao-rnn\n")
    other = r"start\.txt:1: .* is another architecture here: .*--activations"
    with pytest.raises(InputError, match=other):
        starting_points(file, spaces.load("recurrent"))


def test_a_space_without_published_cells_is_told() -> None:
    found = run("search", "--nodes", 1, "--start-from", "published", "--out", "run")
    assert found.exit_code == 2
    assert "--start-from: none of the published cells is one of this space" in found.stderr
    assert not Path("run").exists()
    nothing = run("search", "--start-from", "publisht", "--out", "run")
    assert "publisht is neither a run's folder nor a file, nor published" in nothing.stderr
