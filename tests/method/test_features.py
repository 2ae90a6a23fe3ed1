"""What is read off an architecture's graphs."""

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
