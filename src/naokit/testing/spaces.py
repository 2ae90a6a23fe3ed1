"""What every space promises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from naokit import spaces
from naokit.base import InputError
from naokit.graphs import canonical, digest
from naokit.space import Architecture, Space


class SpaceContract:
    """What every space promises. Set `space`; `samples` architectures are looked at."""

    space: ClassVar[Space]
    samples: ClassVar[int] = 50

    def architectures(self) -> list[Architecture]:
        """Random architectures, the same in every run."""
        generator = np.random.default_rng(0)
        return [self.space.sample(generator) for _ in range(self.samples)]

    def test_a_space_is_a_value(self) -> None:
        """Equal and hashable by content, and made again from its settings."""
        assert hash(self.space) == hash(self.space)
        assert spaces.from_settings(self.space.settings()) == self.space

    def test_the_grammar_is_whole(self) -> None:
        """Names, counts, tokens and symmetries fit each other; token 0 is left free."""
        grammar = self.space.grammar
        assert len(grammar.names) == len(grammar.counts) == len(grammar.first_tokens)
        assert len(set(grammar.names)) == grammar.length
        assert grammar.length % grammar.group == 0
        assert [len(set(names)) for names in grammar.named_options] == list(grammar.counts)
        assert min(grammar.counts) >= 1
        assert min(grammar.first_tokens) >= 1
        for group in grammar.symmetries:
            for permutation in group:
                assert sorted(permutation) == list(range(grammar.length))

    def test_text_and_choices_are_inverse(self) -> None:
        """Reading a spelling gives the architecture back."""
        for architecture in self.architectures():
            assert self.space.parse(str(architecture)) == architecture

    def test_a_text_with_something_more_is_refused(self) -> None:
        """A table's column that holds something else must never be read as an architecture."""
        one = self.architectures()[0]
        for text in (f"7 {one}", f"{one} 7"):
            try:
                self.space.parse(text)
            except InputError:
                continue
            raise AssertionError(f"{text!r} was read")

    def test_tokens_and_choices_are_inverse(self) -> None:
        """The grammar spells choices as tokens within its vocabulary, and back."""
        grammar = self.space.grammar
        for architecture in self.architectures():
            tokens = grammar.tokens(architecture.choices)
            assert 0 < min(tokens) <= max(tokens) < grammar.vocabulary
            assert grammar.choices(tokens) == architecture.choices

    def test_every_sequence_of_the_grammar_is_valid(self) -> None:
        """Also the extreme ones: they spell, read and have graphs."""
        counts = self.space.grammar.counts
        for choices in ([0] * len(counts), [count - 1 for count in counts]):
            architecture = self.space.architecture(choices)
            assert self.space.parse(str(architecture)) == architecture
            assert architecture.key

    def test_choices_outside_the_grammar_are_refused(self) -> None:
        """A choice too many, one too large and one below zero."""
        counts = self.space.grammar.counts
        for choices in ([0] * (len(counts) + 1), [*counts[:1], *[0] * (len(counts) - 1)]):
            self._refused(choices)
        self._refused([-1, *[0] * (len(counts) - 1)])

    def _refused(self, choices: Sequence[int]) -> None:
        try:
            self.space.architecture(choices)
        except InputError:
            return
        raise AssertionError(f"{choices} was accepted")

    def test_graphs_are_ordered_and_canonical_form_is_stable(self) -> None:
        """Edges go forward; reducing a reduced graph changes nothing, nor does it alter the key."""
        for architecture in self.architectures():
            reduced = [canonical(graph) for graph in architecture.graphs]
            for graph in (*architecture.graphs, *reduced):
                assert all(source < target for source, target, _ in graph.edges)
            assert [canonical(graph) for graph in reduced] == reduced
            assert digest(reduced) == architecture.key

    def test_a_table_tells_apart_what_keys_do(self) -> None:
        """Equal classes have equal keys, and the other way round."""
        named = {(a.key, self.space.class_of(a.choices)) for a in self.architectures()}
        assert len({key for key, _ in named}) == len({name for _, name in named}) == len(named)

    def test_symmetries_keep_the_key(self) -> None:
        """Every permutation that the grammar lists respells the same computation."""
        for architecture in self.architectures()[:10]:
            for group in self.space.grammar.symmetries:
                for permutation in group:
                    respelled = [architecture.choices[place] for place in permutation]
                    assert self.space.architecture(respelled).key == architecture.key

    def test_mutation_stays_inside_and_changes_one_choice(self) -> None:
        """A mutant is a valid architecture at distance one."""
        generator = np.random.default_rng(1)
        for architecture in self.architectures():
            mutant = self.space.mutate(architecture, generator)
            self.space.architecture(mutant.choices)
            pairs = zip(mutant.choices, architecture.choices, strict=True)
            assert sum(a != b for a, b in pairs) == 1

    def test_sampling_follows_its_generator(self) -> None:
        """Equal generators give equal architectures."""
        assert self.architectures() == self.architectures()
