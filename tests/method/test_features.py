"""What is read off an architecture's graphs."""

import networkx
import numpy as np
import pytest

from naokit.graphs import Graph
from naokit.method.features import Features, Shape, distances
from naokit.spaces import ConvCells


def test_paths_degrees_and_depths_of_a_graph_counted_by_hand() -> None:
    """x -> a -> b -> y, x -> b, and x -> y twice."""
    graph = Graph.of(
        ["x", "a", "b", "y"], [(0, 1), (1, 2), (0, 2), (2, 3), (0, 3), (0, 3)], (0,), (3,)
    )
    from naokit.method.features import _Stack

    shape = Shape.of([graph])
    assert shape == Shape(("a", "b"), 1, 4)
    assert shape.sets() == [(), ("a",), ("b",), ("a", "b")]
    stack = _Stack([graph], shape)
    shortest, longest, count = stack.paths().reshape(3, 4)
    assert shortest == pytest.approx([1, 1, 1, 1])
    assert longest == pytest.approx([0, 0, 1 / 2, 1])
    assert np.expm1(count) == pytest.approx([2, 2, 3, 4])
    degrees = stack.degrees()[0].tolist()
    assert degrees[:2] == [1, 1]
    assert degrees[2:4] == [1, 1], "edges from the input"
    assert degrees[4:6] == [0, 1], "edges to the output"
    assert degrees[6:10] == [1, 2, 1, 1], "into each, out of each"
    assert degrees[14:] == [4, 3, 6, 2, 2], "input, output, edges, operations, input to output"
    depths = stack.depths().reshape(2, 2, 2)
    assert depths.tolist() == [[[1, 0], [0, 1]], [[0, 1], [1, 0]]]


def test_paths_are_those_that_networkx_walks() -> None:
    """From each of two inputs to the output, within each set of operations."""
    from naokit.method.features import _Stack

    generator = np.random.default_rng(0)
    graphs = [_random_graph(generator) for _ in range(30)]
    shape = Shape(("a", "b"), 2, 8)
    rows = _Stack(graphs, shape).paths().reshape(len(graphs), 2, 3, 4)
    for graph, row in zip(graphs, rows, strict=True):
        for start, (shortest, longest, count) in enumerate(row):
            for place, chosen in enumerate(shape.sets()):
                steps = _lengths(graph, start, chosen)
                assert np.expm1(count[place]) == pytest.approx(len(steps), rel=1e-5)
                assert shortest[place] == pytest.approx(1 / (1 + min(steps)) if steps else 0)
                assert longest[place] == pytest.approx(max(steps, default=-1) / 5)


def _random_graph(generator: np.random.Generator) -> Graph:
    """Two inputs, five operations, an output."""
    labels = ["x", "h", *generator.choice(["a", "b"], 5).tolist(), "y"]
    pairs = [(s, t) for t in range(2, 8) for s in range(t) for _ in range(2)]
    edges = [pair for pair in pairs if generator.random() < 0.25]
    return Graph.of(labels, edges, (0, 1), (7,))


def _lengths(graph: Graph, start: int, chosen: tuple[str, ...]) -> list[int]:
    """How many operations, all of a set, each path from an input to the output has."""
    walked = networkx.MultiDiGraph()
    walked.add_nodes_from([start, 7])
    inside = {v for v, label in enumerate(graph.labels) if label in chosen} | {start, 7}
    for source, target, count in graph.edges:
        if {source, target} <= inside:
            walked.add_edges_from([(source, target)] * count)
    return [len(path) - 1 for path in networkx.all_simple_edge_paths(walked, start, 7)]


def test_pairs_of_operations_are_for_few_inputs() -> None:
    names = tuple("abcdefg")
    assert ("a", "b") in Shape(names, 2, 9).sets()
    assert {len(chosen) for chosen in Shape(names, 3, 9).sets()} == {1, 6, 7}


def test_features_are_those_of_the_computation_not_of_its_spelling() -> None:
    space = ConvCells.small(nodes=3)
    features = Features(space)
    generator = np.random.default_rng(0)
    one = space.sample(generator)
    permutation = space.grammar.symmetries[0][1]
    same = space.architecture([one.choices[place] for place in permutation])
    others = [space.sample(generator) for _ in range(20)]
    assert all(r.max() < 1e-2 for r in distances(features([one]), features([same])))
    typical = distances(features(others), features(others))
    assert all(0.5 < np.sqrt((r * r).mean()) < 2 for r in typical)
