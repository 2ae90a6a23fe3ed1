"""A labelled graph as JSON, as the column of a table holds it.

    {"x": {"op": "input"},
     "a": {"op": "conv 3x3", "input": ["x"]},
     "b": {"op": "max pool", "input": ["x", "a"]},
     "y": {"op": "output", "input": ["b"]}}

Each name is a vertex, and `input` names the vertices that it reads, in any order; one that is named
twice is read twice. Inputs are told apart by their names. The names of all other vertices mean
nothing: what matters is the text of `op`. An architecture of several graphs, such as a normal and a
reduction cell, is a list of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from naokit.base import InputError, Json
from naokit.graphs import Graph
from naokit.wording import listed, one_line

INPUT, OUTPUT = "input", "output"
EXAMPLE = (
    '{"x": {"op": "input"}, "a": {"op": "conv", "input": ["x"]}, '
    '"y": {"op": "output", "input": ["a"]}}'
)


class Vertex(NamedTuple):
    """What a vertex does, and the names of the vertices that it reads."""

    op: str
    reads: tuple[str, ...]


Vertices = Mapping[str, Vertex]
"""The vertices of one graph by name, each after those that it reads."""


def read_json(text: str) -> Json:
    """The JSON of a text; raises InputError if it is none, or names a vertex twice."""
    if not text.strip():
        raise InputError(f"there is no graph; expected {EXAMPLE}")
    try:
        return json.loads(text, object_pairs_hook=_distinct)
    except InputError:
        raise
    except (ValueError, RecursionError) as error:
        raise InputError(f"the graph is no JSON ({error}); expected {EXAMPLE}") from error


def _distinct(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"the graph has {shown(twice)} twice: give each vertex a name of its own")
    return found


def text_of(value: Json) -> str:
    """The one text of a JSON value, whatever blanks it was written with."""
    return json.dumps(value, separators=(",", ":"))


def graphs_of(value: Json) -> tuple[Vertices, ...]:
    """The vertices of each graph of a JSON value; raises InputError where it is no graph."""
    if not isinstance(value, list):
        return (_vertices(value),)
    if not value:
        raise InputError(f"the list of graphs is empty; expected {EXAMPLE}")
    found = []
    for number, part in enumerate(value, 1):
        try:
            found.append(_vertices(part))
        except InputError as error:
            raise InputError(f"graph {number}: {error}") from error
    return tuple(found)


def _vertices(value: Json) -> Vertices:
    """The checked vertices of one graph, each after those that it reads."""
    if not isinstance(value, dict) or not value:
        raise InputError(f"no graph: {shown(value)}; expected {EXAMPLE}")
    found = {name: _vertex(name, fields) for name, fields in value.items()}
    ends = {end: [name for name in found if found[name].op == end] for end in (INPUT, OUTPUT)}
    if not ends[INPUT]:
        raise InputError('the graph has no input: add a vertex such as "x": {"op": "input"}')
    if len(ends[OUTPUT]) != 1:
        names = f"{len(ends[OUTPUT])} outputs, {_listed(ends[OUTPUT])}" if ends[OUTPUT] else "none"
        raise InputError(
            f"a graph has one output, and this one has {names}: let one vertex with "
            '"op": "output" read all that leaves the graph'
        )
    for name, vertex in found.items():
        for source in vertex.reads:
            _check_read(found, name, source)
    return _in_order(found)


def _vertex(name: str, fields: Json) -> Vertex:
    """The vertex of its JSON fields."""
    if not isinstance(fields, dict) or not isinstance(fields.get("op"), str) or not fields["op"]:
        raise InputError(
            f'vertex {shown(name)} is {shown(fields)}; expected {{"op": ..., "input": [...]}}'
        )
    if unknown := fields.keys() - {"op", "input"}:
        raise InputError(
            f"vertex {shown(name)} has {shown(min(unknown))}; expected op and input alone: write "
            'what matters into op, as in "conv 3x3"'
        )
    reads = fields.get("input", [])
    if not isinstance(reads, list) or not all(isinstance(source, str) for source in reads):
        raise InputError(
            f"the input of vertex {shown(name)} is {shown(reads)}; expected a list of names, as "
            'in ["x", "a"]'
        )
    if (fields["op"] == INPUT) == bool(reads):
        wrong = "is an input and reads others" if reads else "reads nothing"
        raise InputError(
            f"vertex {shown(name)} ({one_line(fields['op'])}) {wrong}: a vertex has a list of "
            'what it reads in "input", and an input of the graph has "op": "input" and none'
        )
    return Vertex(fields["op"], tuple(reads))


def _check_read(found: Vertices, name: str, source: str) -> None:
    """Raises InputError if a vertex reads one that is not there, or the output."""
    if source not in found:
        raise InputError(
            f"vertex {shown(name)} reads {shown(source)}, which is no vertex; the graph has "
            f"{_listed(list(found))}"
        )
    if found[source].op == OUTPUT:
        raise InputError(f"vertex {shown(name)} reads the output {shown(source)}; nothing may")


def _in_order(found: Vertices) -> Vertices:
    """The vertices, each after those that it reads; raises InputError if there is a cycle."""
    readers: dict[str, list[str]] = {name: [] for name in found}
    for name, vertex in found.items():
        for source in vertex.reads:
            readers[source].append(name)
    missing = {name: len(vertex.reads) for name, vertex in found.items()}
    ordered = [name for name, count in missing.items() if not count]
    for name in ordered:  # it grows
        for reader in readers[name]:
            missing[reader] -= 1
            if not missing[reader]:
                ordered.append(reader)
    if len(ordered) < len(found):
        waiting = {name: vertex for name, vertex in found.items() if missing[name]}
        raise InputError(f"the graph has a cycle: {_cycle(waiting)}")
    return {name: found[name] for name in ordered}


def _cycle(waiting: Vertices) -> str:
    """A cycle among vertices each of which reads one of them, as names with arrows."""
    path = [next(iter(waiting))]
    while path[-1] not in path[:-1]:
        path.append(next(source for source in waiting[path[-1]].reads if source in waiting))
    return " -> ".join(map(one_line, reversed(path[path.index(path[-1]) :])))


def inputs_of(vertices: Vertices) -> list[str]:
    """The names of the inputs of a graph."""
    return [name for name, vertex in vertices.items() if vertex.op == INPUT]


def as_graph(vertices: Vertices, inputs: Sequence[str]) -> Graph:
    """The labelled graph of vertices: the inputs first, each labelled by its name, the output last.

    Args:
        vertices: The vertices.
        inputs: The names of all inputs that a graph of the space can have. One that is not among
            the vertices is an input that nothing reads.
    """
    inner = [name for name, vertex in vertices.items() if vertex.op not in (INPUT, OUTPUT)]
    output = next(name for name, vertex in vertices.items() if vertex.op == OUTPUT)
    place = {name: number for number, name in enumerate([*inputs, *inner, output])}
    labels = [*inputs, *[vertices[name].op for name in inner], OUTPUT]
    edges = [(place[s], place[n]) for n in [*inner, output] for s in vertices[n].reads]
    return Graph.of(labels, edges, range(len(inputs)), (len(labels) - 1,))


def _listed(names: Sequence[str]) -> str:
    return listed([one_line(name) for name in names])


def shown(value: Json) -> str:
    """A JSON value on one short line."""
    text = one_line(value if isinstance(value, str) else text_of(value))
    return text if len(text) <= 60 else f"{text[:60]}..."
