"""What makes two architectures the same, checked against networkx."""

import itertools
from collections import Counter, defaultdict

import networkx
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from naokit.graphs import IDENTITY, NULL, Graph, canonical, digest
from naokit.spaces import ConvCells, NasBench201


@st.composite
def graphs(draw) -> Graph:
    """One input, up to six operations, one output, any edges forward."""
    labels = draw(st.lists(st.sampled_from(["a", "b", NULL, IDENTITY]), max_size=6))
    count = len(labels) + 2
    pairs = list(itertools.combinations(range(count), 2))
    edges = draw(st.lists(st.sampled_from(pairs), max_size=12))
    return Graph.of(["input", *labels, "output"], edges, (0,), (count - 1,))


def as_networkx(graph: Graph) -> networkx.DiGraph:
    result = networkx.DiGraph()
    for vertex, label in enumerate(graph.labels):
        result.add_node(vertex, label=(label, vertex in graph.inputs, vertex in graph.outputs))
    result.add_weighted_edges_from(graph.edges)
    return result


def isomorphic(one: Graph, other: Graph) -> bool:
    return networkx.is_isomorphic(
        as_networkx(canonical(one)),
        as_networkx(canonical(other)),
        node_match=lambda a, b: a["label"] == b["label"],
        edge_match=lambda a, b: a["weight"] == b["weight"],
    )


def value(graph: Graph, x: np.ndarray) -> np.ndarray:
    """What a graph computes when a and b are two fixed functions."""
    functions = {
        "a": lambda v: np.tanh(1.3 * v + 0.7),
        "b": lambda v: np.cos(0.9 * v - 0.2),
        NULL: lambda v: 0 * v,
    }
    values: list[np.ndarray] = []
    for vertex, label in enumerate(graph.labels):
        total = x if vertex in graph.inputs else 0 * x
        fed = vertex in graph.inputs
        for source, target, count in graph.edges:
            if target == vertex:
                total, fed = total + count * values[source], True
        # An operation that nothing feeds is dead: it yields nothing, not a constant.
        values.append(functions.get(label, lambda v: v)(total) if fed else total)
    return values[graph.outputs[0]]


@given(graphs())
def test_canonical_form_is_stable_and_has_no_vertex_to_spare(graph: Graph) -> None:
    reduced = canonical(graph)
    assert canonical(reduced) == reduced
    assert not {NULL, IDENTITY} & set(reduced.labels)


@given(graphs())
@settings(max_examples=200)
def test_canonical_form_computes_the_same_where_nothing_is_dead(graph: Graph) -> None:
    fed = {target for _, target, _ in graph.edges}
    inner = range(1, len(graph.labels) - 1)
    if NULL in graph.labels or not all(vertex in fed for vertex in inner):
        return
    x = np.linspace(-1, 1, 7)
    np.testing.assert_allclose(value(canonical(graph), x), value(graph, x), rtol=1e-9, atol=1e-9)


@given(graphs(), st.randoms())
def test_vertex_order_does_not_matter(graph: Graph, random) -> None:
    order = list(
        networkx.lexicographical_topological_sort(as_networkx(graph), key=lambda _: random.random())
    )
    place = {vertex: index for index, vertex in enumerate(order)}
    again = Graph(
        tuple(graph.labels[vertex] for vertex in order),
        tuple(sorted((place[s], place[t], c) for s, t, c in graph.edges)),
        tuple(place[v] for v in graph.inputs),
        tuple(place[v] for v in graph.outputs),
    )
    assert digest([again]) == digest([graph])


@given(graphs(), graphs())
@settings(max_examples=300)
def test_equal_names_mean_isomorphic_graphs(one: Graph, other: Graph) -> None:
    assert (digest([one]) == digest([other])) == isomorphic(one, other)


def test_names_agree_with_networkx_on_real_cells() -> None:
    generator = np.random.default_rng(0)
    for space, amount in ((NasBench201(), 150), (ConvCells.small(nodes=2), 100)):
        cells = [space.sample(generator).graphs for _ in range(amount)]
        for one, other in itertools.combinations(cells, 2):
            if sorted(canonical(one[0]).labels) == sorted(canonical(other[0]).labels):
                assert (digest(one[:1]) == digest(other[:1])) == isomorphic(one[0], other[0])


def test_multiplicity_counts() -> None:
    once = Graph.of(["input", "output"], [(0, 1)], (0,), (1,))
    twice = Graph.of(["input", "output"], [(0, 1), (0, 1)], (0,), (1,))
    assert digest([once]) != digest([twice])


def computed(branches: list[tuple[int, str]]) -> tuple[object, bool]:
    """What a cell computes, as text would write it; whether two of its branches are alike.

    A node is a sum, so a bag of terms; an operation is a term on the bag that it reads; an identity
    is the bag itself; the output is the bag of the nodes that no branch reads.
    """
    nodes = [Counter({"input 0": 1}), Counter({"input 1": 1})]
    terms: list[object] = []
    for pair in zip(branches[::2], branches[1::2], strict=True):
        total: Counter[object] = Counter()
        for source, operation in pair:
            if operation == "identity":
                total += nodes[source]
            else:
                terms.append((operation, frozenset(nodes[source].items())))
                total[terms[-1]] += 1
        nodes.append(total)
    read = {source for source, _ in branches}
    loose = [frozenset(n.items()) for i, n in enumerate(nodes) if i not in read]
    return frozenset(Counter(loose).items()), len(set(terms)) < len(terms)


def test_all_cells_of_two_nodes_have_one_name_exactly_where_they_compute_one_thing() -> None:
    space = ConvCells(nodes=2, operations=("sep_conv_3x3", "max_pool_3x3", "identity"))
    reduction = [0] * 8
    names: dict[str, object] = {}
    things: dict[object, set[str]] = defaultdict(set)
    for normal in itertools.product(*map(range, space.grammar.counts[:8])):
        choices = (*normal, *reduction)
        name = digest(space.graphs(choices)[:1])
        thing, alike = computed(space.branches(choices, 0))
        assert names.setdefault(name, thing) == thing
        if not alike:  # two branches alike are two operations: not one that is read twice
            things[thing].add(name)
    assert len(names) > 500
    assert all(len(same) == 1 for same in things.values())
