"""NAS-Bench-101: spellings, what is allowed, what is the same, and the published table."""

import csv
import gzip
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from naokit.base import InputError
from naokit.evaluators import Tabular
from naokit.networks import count_parameters, without_weights
from naokit.settings import ImageSettings, LanguageSettings
from naokit.space import Architecture
from naokit.spaces import NasBench101
from naokit.spaces.nas_bench_101 import EDGES, OUTPUT, _triangles
from naokit.testing import SpaceContract

SPACE = NasBench101()
TABLE = Path(__file__).parents[3] / "shared" / "data" / "tabular" / "nas-bench-101.csv.gz"


class TestNasBench101(SpaceContract):
    space = SPACE


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no upper triangle: it has 0 bits"),
        ("100111 c3-c1 7", "not a NAS-Bench-101 cell"),
        ("100211 c3-c1", "not a NAS-Bench-101 cell"),
        ("10011 c3-c1", "'10011' is no upper triangle: it has 5 bits; expected 1, 3, 6, 10"),
        ("100111 c3", r"1 operations \(c3\) for 2 inner vertices"),
        ("100111", r"0 operations \(none\) for 2 inner vertices"),
        ("100111 c3-c5", "vertex 2 has the unknown operation 'c5'; expected one of c3, c1, mp"),
    ],
)
def test_bad_text_is_explained(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        SPACE.parse(text)


@pytest.mark.parametrize("text", ["1", "111 mp", "100111 c3-c1", "110011011100101 mp-c3-mp-c1"])
def test_a_small_cell_keeps_its_published_text(text: str) -> None:
    assert str(SPACE.parse(text)) == text


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("1", True),
        ("0", False),  # nothing reaches the output
        ("010 c3", True),  # vertex 1 is on no path
        ("100 c3", False),
        ("100010101010101111111 c3-c3-c3-c3-c3", False),  # 10 edges on paths
        ("100100100001001010101 c3-c3-c3-c3-c3", True),
    ],
)
def test_a_cell_needs_a_path_and_at_most_nine_edges(text: str, allowed: bool) -> None:
    assert SPACE.allows(SPACE.read(text)) is allowed


def test_more_edges_are_allowed_if_they_are_on_no_path() -> None:
    """Vertices 1 to 4 are joined by ten edges with the input, and none leads on."""
    text = "111101" + "11100" + "1100" + "100" + "00" + "1"
    assert text.count("1") == 12
    assert SPACE.allows(SPACE.read(f"{text} c3-c3-c3-c3-c3"))
    assert SPACE.parse(f"{text} c3-c3-c3-c3-c3").key == SPACE.parse("1").key


def test_drawn_and_mutated_cells_are_allowed() -> None:
    generator = np.random.default_rng(0)
    for _ in range(200):
        cell = SPACE.sample(generator)
        assert SPACE.allows(cell.choices)
        assert SPACE.allows(SPACE.mutate(cell, generator).choices)


def test_drawn_cells_have_every_edge_on_a_path_and_are_mostly_large() -> None:
    generator = np.random.default_rng(3)
    cells = [SPACE.sample(generator) for _ in range(500)]
    graphs = [cell.graphs[0] for cell in cells]
    edges = [sum(cell.choices[: len(EDGES)]) for cell in cells]
    assert edges == [len(graph.edges) for graph in graphs]
    assert np.mean([len(graph.labels) >= 6 for graph in graphs]) > 0.8
    assert len({cell.key for cell in cells}) > 480


def test_every_allowed_set_of_edges_on_paths_is_drawn() -> None:
    drawn = set(map(tuple, _triangles().tolist()))
    assert len(drawn) == 13_839
    for bits in np.random.default_rng(4).integers(0, 2, (5000, len(EDGES))).tolist():
        choices = [*bits, *[0] * 5]
        whole = len(SPACE.graphs(choices)[0].edges) == sum(bits)
        assert (tuple(bits) in drawn) == (whole and SPACE.allows(choices))


def renumbered(choices: Sequence[int], order: Sequence[int]) -> list[int] | None:
    """The spelling in which inner vertex v is number order[v - 1]; None where an edge goes back."""
    number = [0, *order, OUTPUT]
    edges = {
        (number[source], number[target])
        for (source, target), there in zip(EDGES, choices, strict=False)
        if there
    }
    if any(source > target for source, target in edges):
        return None
    operations = [0] * len(order)
    for vertex, place in enumerate(order, 1):
        operations[place - 1] = choices[len(EDGES) + vertex - 1]
    return [*(int(edge in edges) for edge in EDGES), *operations]


def test_numbering_the_inner_vertices_anew_keeps_the_key() -> None:
    generator = np.random.default_rng(1)
    respelled = 0
    for _ in range(20):
        cell = SPACE.sample(generator)
        for order in permutations(range(1, OUTPUT)):
            if (other := renumbered(cell.choices, order)) is not None:
                respelled += 1
                assert SPACE.key(other) == cell.key
                assert SPACE.class_of(other) == SPACE.class_of(cell.choices)
                assert SPACE.allows(other)
    assert respelled > 100


def test_the_name_in_a_table_tells_apart_what_the_key_does() -> None:
    generator = np.random.default_rng(2)
    cells = [SPACE.sample(generator) for _ in range(400)]
    cells += [mutant for cell in cells[:20] for mutant in SPACE.neighbours(cell)]
    named = {(cell.key, SPACE.class_of(cell.choices)) for cell in cells}
    assert len({key for key, _ in named}) == len({name for _, name in named}) == len(named)
    assert len(named) > 300


def test_a_table_names_its_columns_together_and_knows_every_numbering(tmp_path: Path) -> None:
    rows = ["7,100001000100000000001,mp-c3-c1-c3-c3,1", "4,101101,c3-mp,2", "3,111,c3,3", "2,1,,4"]
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["vertices,adjacency_upper,ops,accuracy", *rows]) + "\n")
    table = Tabular(SPACE, path, architecture_column="adjacency_upper,ops", metric="accuracy")
    assert len(table.values) == 4
    generator = np.random.default_rng(0)
    for number, row in enumerate(table.space.classes, 1):
        for order in permutations(range(1, OUTPUT)):
            if (spelled := renumbered(row, order)) is not None:
                respelled = Architecture(table.space, tuple(spelled))
                assert table.space.allows(spelled)
                assert table.evaluate(respelled, 0).value == number
        mutant = table.space.mutate(Architecture(table.space, row), generator)
        assert table.space.allows(mutant.choices)
    path.write_text("adjacency_upper,ops,accuracy\n10,c3,1\n")
    with pytest.raises(InputError, match="line 2 of the table: '10' is no upper triangle"):
        Tabular(SPACE, path, architecture_column="adjacency_upper,ops", metric="accuracy")


def test_operations_and_edges_tell_cells_apart() -> None:
    texts = ["101 c3", "101 c1", "101 mp", "111 c3", "1", "110011 c3-c3", "100101 c3-c3"]
    assert len({SPACE.parse(text).key for text in texts}) == len(texts)


def test_a_cell_is_described_by_what_each_vertex_reads() -> None:
    assert SPACE.describe(SPACE.read("111111 c3-mp")).splitlines() == [
        "1 = conv3x3-bn-relu(0)",
        "2 = maxpool3x3(0 + 1)",
        "output = concat(1, 2) + 0",
        "0 is projected where it is read",
    ]
    assert "no path" in SPACE.describe(SPACE.read("0"))


@pytest.mark.parametrize(
    ("text", "settings", "message"),
    [
        ("100 c3", ImageSettings(), "no path leads from the input to the output of the cell 100"),
        ("101 c3", ImageSettings(channels=4), "channels must be at least 6 .*, not 4"),
        ("101 c3", LanguageSettings(), "needs ImageSettings"),
    ],
)
def test_what_cannot_be_built_is_explained(text: str, settings: ImageSettings, message) -> None:
    with pytest.raises(InputError, match=message):
        SPACE.build(SPACE.parse(text), settings)


def some_rows(amount: int) -> list[dict[str, str]]:
    """Rows from all over the table."""
    with gzip.open(TABLE, "rt") as file:
        rows = list(csv.DictReader(file))
    places = np.random.default_rng(0).choice(len(rows), amount, replace=False)
    return [rows[place] for place in places]


@pytest.mark.shared
@pytest.mark.skipif(not TABLE.exists(), reason="no shared data here")
def test_rows_of_the_table_are_distinct_cells_with_the_published_parameters() -> None:
    rows = some_rows(400)
    texts = [f"{row['adjacency_upper']} {row['ops']}".strip() for row in rows]
    cells = [SPACE.parse(text) for text in texts]
    assert [str(cell) for cell in cells] == texts
    assert all(SPACE.allows(cell.choices) for cell in cells)
    assert len({cell.key for cell in cells}) == len(cells)
    published = ImageSettings(10, 128, 3, (3, 32, 32))
    for cell, row in zip(cells[:100], rows, strict=False):
        with without_weights():
            assert count_parameters(SPACE.build(cell, published)) == int(row["params"])
