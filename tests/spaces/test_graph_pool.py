"""The graphs of a table's column: read or refused, told apart as networkx does, near or far."""

import csv
import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.test_graphs import isomorphic

from naokit import evaluators, spaces
from naokit.base import InputError
from naokit.evaluators import Tabular
from naokit.graphs import Graph, canonical, digest
from naokit.method.features import Features
from naokit.method.posterior import everything_of
from naokit.space import Architecture
from naokit.spaces import Graphs
from naokit.spaces.graph_pool import MOST_INPUTS, NEIGHBOURS
from naokit.spaces.graph_texts import as_graph, graphs_of
from naokit.spaces.refinement import Refinement
from naokit.testing import SpaceContract

OPERATIONS = ("conv", "pool", "norm", "gelu")


def chain(*operations: str) -> dict[str, dict[str, object]]:
    """The input, these operations one after the other, the output."""
    names = [f"v{place}" for place in range(len(operations))]
    inner = {
        name: {"op": op, "input": [source]}
        for name, op, source in zip(names, operations, ["x", *names], strict=False)
    }
    return {"x": {"op": "input"}, **inner, "y": {"op": "output", "input": [names[-1]]}}


CHAINS = [
    chain(*ops) for length in (1, 2, 3) for ops in itertools.product(OPERATIONS, repeat=length)
]


def written(path: Path, graphs: list[object], values: list[object] | None = None) -> Path:
    """A table whose graphs are JSON, texts as they are."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["graph", "acc"])
        for place, graph in enumerate(graphs):
            text = graph if isinstance(graph, str) else json.dumps(graph)
            rows.writerow([text, place if values is None else values[place]])
    return path


def pool(path: Path, graphs: list[object]) -> Graphs:
    return Graphs.of_table(written(path / "t.csv", graphs), "graph")


class TestGraphs(SpaceContract):
    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _pool(cls, tmp_path_factory: pytest.TempPathFactory) -> None:
        cls.space = pool(tmp_path_factory.mktemp("graphs"), CHAINS)


def test_names_blanks_and_order_mean_nothing_and_labels_do(tmp_path: Path) -> None:
    one = chain("conv", "pool")
    renamed = json.dumps(one).replace("v0", "first").replace("v1", "second")
    turned = json.dumps(dict(reversed(one.items())))
    space = pool(tmp_path, [one, renamed, turned, chain("pool", "conv"), json.dumps(one, indent=2)])
    assert len(space.texts) == 4  # blanks make no difference at all
    assert [space.class_of((place,)) == space.class_of((0,)) for place in range(4)] == [1, 1, 1, 0]
    assert len({space.key((place,)) for place in range(4)}) == 2
    assert len(space.everything(10) or ()) == 2
    assert space.parse(json.dumps(one, indent=3)).choices == (0,)
    assert str(space.architecture((3,))) == "line 5"  # as the message for a bad graph counts
    for text in ("line 99", json.dumps(chain("norm"))):
        with pytest.raises(
            InputError, match=r"holds no graph .*; expected a line .* as line 2, or"
        ):
            space.parse(text)


def test_inputs_are_told_apart_by_name_and_are_those_of_all_rows(tmp_path: Path) -> None:
    from_x = {"x": {"op": "input"}, "a": {"op": "f", "input": ["x"]}}
    from_h = {"h": {"op": "input"}, "a": {"op": "f", "input": ["h"]}}
    both = {**from_x, **from_h, "a": {"op": "f", "input": ["x", "h"]}}
    end = {"y": {"op": "output", "input": ["a"]}}
    space = pool(tmp_path, [{**part, **end} for part in (from_x, from_h, both)])
    assert len({space.class_of((place,)) for place in range(3)}) == 3
    for place in range(3):
        (graph,) = space.graphs((place,))
        assert graph.labels == ("h", "x", "f", "output")
        assert graph.inputs == (0, 1)
    twice = as_graph(graphs_of({**from_x, "y": {"op": "output", "input": ["a", "a"]}})[0], ["x"])
    assert twice.edges == ((0, 1, 1), (1, 2, 2))


def test_a_list_is_several_graphs(tmp_path: Path) -> None:
    normal, smaller = chain("conv"), chain("pool", "norm")
    space = pool(tmp_path, [[normal, smaller], [smaller, normal], [normal, normal]])
    assert [len(graph.labels) for graph in space.graphs((0,))] == [3, 4]
    assert len({space.class_of((place,)) for place in range(3)}) == 3
    assert space.describe((0,)).splitlines() == [
        "graph 1",
        "x = input()",
        "v0 = conv(x)",
        "y = output(v0)",
        "graph 2",
        "x = input()",
        "v0 = pool(x)",
        "v1 = norm(v0)",
        "y = output(v1)",
    ]
    assert "conv" in Architecture(space, (0,))._repr_svg_()


X, Y = {"op": "input"}, {"op": "output", "input": ["a"]}
A = {"op": "f", "input": ["x"]}
BAD = {
    "no graph; expected": [""],
    "no JSON": ["{"],
    "is no JSON (Extra data": ['{"x": 1} {}'],
    "no graph: 7": [7],
    "the list of graphs is empty": ["[]"],
    "graph 2: no graph: {}": [[chain("conv"), {}]],
    "2 graphs, where the first row has 1": [[chain("conv"), chain("conv")]],
    "has x twice": ['{"x": {"op": "input"}, "x": {"op": "input"}}'],
    "the graph has no input": [{"a": {"op": "f", "input": ["a"]}, "y": Y}],
    "reads nothing": [{"x": X, "a": {"op": "f"}, "y": Y}],
    "is an input and reads others": [{"x": {"op": "input", "input": ["a"]}, "a": A, "y": Y}],
    "this one has none": [{"x": X, "a": A}],
    "2 outputs, y, z": [{"x": X, "a": A, "y": Y, "z": Y}],
    "reads the output y": [{"x": X, "a": {"op": "f", "input": ["x", "y"]}, "y": Y}],
    "vertex a reads b, which is no vertex": [{"x": X, "a": {"op": "f", "input": ["b"]}, "y": Y}],
    "a cycle: a -> b -> a": [
        {"x": X, "a": {"op": "f", "input": ["x", "b"]}, "b": {"op": "f", "input": ["a"]}, "y": Y}
    ],
    "a cycle: a -> a": [{"x": X, "a": {"op": "f", "input": ["x", "a"]}, "y": Y}],
    "vertex a has inputs": [{"x": X, "a": {"op": "f", "inputs": ["x"]}, "y": Y}],
    "vertex a is conv": [{"x": X, "a": "conv", "y": Y}],
    "the input of vertex a is [0]": [{"x": X, "a": {"op": "f", "input": [0]}, "y": Y}],
}


@pytest.mark.parametrize("message", BAD)
def test_a_bad_graph_is_refused_in_one_line_that_names_the_row(
    message: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as error:
        pool(tmp_path, [chain("conv"), chain("pool"), *BAD[message]])
    assert "line 4 of the table: graph: " in str(error.value)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_graph_that_is_nested_without_end_is_no_graph(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="line 3 of the table: graph: the graph is no JSON"):
        pool(tmp_path, [chain("conv"), "[" * 100_000])


def test_a_pool_of_one_graph_is_refused(tmp_path: Path) -> None:
    renamed = json.dumps(chain("conv")).replace("v0", "other")
    with pytest.raises(InputError, match="holds one graph: a search needs two that differ"):
        pool(tmp_path, [chain("conv"), renamed])


def test_inputs_that_are_named_differently_in_every_row_are_refused(tmp_path: Path) -> None:
    rows = [json.dumps(chain("conv")).replace('"x"', f'"x{n}"') for n in range(MOST_INPUTS + 1)]
    with pytest.raises(InputError, match=r"51 different inputs \(x0, x1, x10 and 48 more\)"):
        pool(tmp_path, rows)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no column 'grph'; did you mean graph\?"):
        Graphs.of_table(written(tmp_path / "t.csv", CHAINS), "grph")


def test_the_table_may_move_and_must_not_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = pool(tmp_path, CHAINS)
    (tmp_path / "other").mkdir()
    Path(space.file).rename(tmp_path / "other" / "t.csv")
    with pytest.raises(InputError, match="which is gone: put that table back"):
        spaces.from_settings(space.settings())
    monkeypatch.chdir(tmp_path / "other")
    moved = spaces.from_settings(space.settings())
    assert moved == space
    assert spaces.without_folder(moved.settings()) == spaces.without_folder(space.settings())
    written(Path("t.csv"), CHAINS[1:])
    with pytest.raises(InputError, match="are not what they were: restore the table"):
        spaces.from_settings(space.settings())


def test_a_class_column_decides_what_is_the_same(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    texts = [json.dumps(chain(op)).replace('"', '""') for op in ("conv", "pool", "norm")]
    rows = [f'"{text}",{name},{acc}' for text, name, acc in zip(texts, "aab", "012", strict=True)]
    path.write_text("\n".join(["graph,class,acc", *rows]))
    space = Graphs.of_table(path, "graph")
    table = Tabular(space, path, architecture_column="graph", metric="acc", class_column="class")
    assert table.values == {"a": 0, "b": 2}
    assert [a.choices for a in table.space.everything(10) or ()] == [(0,), (2,)]
    assert evaluators.from_settings(table.settings()).settings() == table.settings()


def test_a_pool_is_scored_whole_however_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("naokit.method.posterior.ENUMERABLE", 10)
    space = pool(tmp_path, CHAINS)
    table = Tabular(space, space.file, architecture_column="graph", metric="acc")
    assert len(table.space.everything(10) or ()) == len(CHAINS)
    everything = everything_of(table.space)
    assert everything is not None
    assert len(everything.blocks[0]) == len(CHAINS)


def test_features_see_inputs_that_not_every_row_has(tmp_path: Path) -> None:
    other = {"h": {"op": "input"}, "a": {"op": "f", "input": ["h"]}, "y": Y}
    space = pool(tmp_path, [*CHAINS, other])
    blocks = Features(space)(space.everything(1000) or [])
    rows = {np.concatenate(row).tobytes() for row in zip(*blocks, strict=True)}
    assert len(rows) == len(CHAINS) + 1


def test_features_are_the_same_however_many_are_looked_at_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = [chain(*["conv"] * 70, op) for op in OPERATIONS]
    space = pool(tmp_path, [*CHAINS, *long])
    everything = space.everything(1000) or []
    whole = Features(space)(everything)
    monkeypatch.setattr("naokit.method.features.CHUNK", 7)
    for one, other in zip(whole, Features(space)(everything), strict=True):
        np.testing.assert_array_equal(one, other)


@st.composite
def rows_of_graphs(draw) -> list[Graph]:
    """Some graphs of at most four operations, many of them alike."""
    found = []
    for _ in range(draw(st.integers(2, 6))):
        labels = draw(st.lists(st.sampled_from("ab"), max_size=4))
        pairs = list(itertools.combinations(range(len(labels) + 2), 2))
        edges = draw(st.lists(st.sampled_from(pairs), max_size=8))
        found.append(Graph.of(["in", *labels, "out"], edges, (0,), (len(labels) + 1,)))
    return found


@given(rows_of_graphs())
@settings(max_examples=150)
def test_classes_are_those_of_networkx_and_of_the_digest(graphs: list[Graph]) -> None:
    reduced = [canonical(graph) for graph in graphs]
    classes = Refinement([[graph] for graph in reduced]).classes
    for one, other in itertools.combinations(range(len(graphs)), 2):
        same = isomorphic(graphs[one], graphs[other])
        assert (classes[one] == classes[other]) == same
        assert (digest([graphs[one]]) == digest([graphs[other]])) == same


def test_neighbours_share_most(tmp_path: Path) -> None:
    """The nearest of a chain of three are those that differ in an operation, or lack one."""
    space = pool(tmp_path, CHAINS)
    conv = space.parse(json.dumps(chain("conv", "conv", "conv")))
    nearest = list(space.neighbours(conv))
    assert len(nearest) == NEIGHBOURS
    assert conv not in nearest
    first = [space.graphs(a.choices)[0].labels[1:-1] for a in nearest[:3]]
    assert first[0] == ("conv", "conv")
    assert all(labels.count("conv") == 2 for labels in first)
    generator = np.random.default_rng(0)
    mutants = [space.mutate(conv, generator) for _ in range(300)]
    assert sum(mutant in nearest[:10] for mutant in mutants) > 90  # of 300 random ones: 36
    assert len(set(mutants)) > NEIGHBOURS  # no climb ends because all neighbours are known


def test_copies_of_a_graph_are_no_neighbours_of_it(tmp_path: Path) -> None:
    copies = [json.dumps(chain("conv")).replace("v0", f"n{n}") for n in range(5)]
    space = pool(tmp_path, [*copies, chain("pool"), chain("norm")])
    assert [a.choices for a in space.neighbours(Architecture(space, (3,)))] == [(5,), (6,)]
    generator = np.random.default_rng(0)
    assert {space.mutate(Architecture(space, (3,)), generator).choices for _ in range(20)} == {
        (5,),
        (6,),
    }
