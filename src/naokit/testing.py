"""The contract suites: inherit one to test what you have made of your own.

class TestMySpace(SpaceContract):
    space = MySpace()
"""

from __future__ import annotations

import json
import math
import os
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from naokit import evaluators, spaces
from naokit.base import (
    Architecture,
    EvaluationFailed,
    Evaluator,
    InputError,
    Method,
    Observation,
    Result,
    Space,
    SpaceExhausted,
    Workers,
)
from naokit.graphs import canonical, digest
from naokit.study import create_study


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


class MethodContract:
    """What every method promises. `method` makes one; values are made up but fixed."""

    space: ClassVar[Space]
    evaluations: ClassVar[int] = 12

    def method(self, seed: int) -> Method:
        """A fresh method for `space`, `seed` and a budget of `evaluations`."""
        raise NotImplementedError

    @staticmethod
    def value(architecture: Architecture) -> float:
        """A made-up score that depends on the key alone."""
        return int(architecture.key[:6], 16) / 16**6

    def run(
        self, method: Method, trials: int, history: Sequence[Observation] = ()
    ) -> list[Observation]:
        """The history after `trials` more proposals, one at a time; every fifth one fails."""
        history = list(history)
        for _ in range(trials):
            proposal = method.propose(history)
            number = len(history)
            value = None if number % 5 == 4 else self.value(proposal.architecture)
            history.append(Observation(proposal.architecture, value, origin=proposal.origin))
        return history

    def test_proposals_are_new(self) -> None:
        """No key is proposed twice, failed or not."""
        history = self.run(self.method(0), self.evaluations)
        assert len({trial.architecture.key for trial in history}) == self.evaluations

    def test_a_resumed_search_is_the_same(self) -> None:
        """A fresh method shown half of the history goes on like the one that made it."""
        whole = self.run(self.method(3), self.evaluations)
        half = len(whole) * 3 // 4
        rest = self.run(self.method(3), self.evaluations - half, whole[:half])
        assert [t.architecture for t in rest] == [t.architecture for t in whole]

    def test_asking_twice_gives_the_same(self) -> None:
        """Proposing leaves no trace."""
        method = self.method(0)
        history = self.run(method, 3)
        assert method.propose(history) == method.propose(history)

    def test_what_is_pending_is_not_proposed_again(self) -> None:
        """Several workers get different architectures."""
        method = self.method(0)
        history = self.run(method, 2)
        first = method.propose(history).architecture
        second = method.propose(history, [first]).architecture
        assert second.key != first.key

    def test_other_seeds_search_elsewhere(self) -> None:
        """The seed matters."""
        assert self.run(self.method(0), 4) != self.run(self.method(1), 4)

    def test_a_search_may_go_on_beyond_its_budget(self) -> None:
        """An extended search still proposes."""
        history = self.run(self.method(0), self.evaluations)
        assert len(self.run(self.method(0), 3, history)) == self.evaluations + 3

    def test_an_exhausted_space_says_so(self) -> None:
        """Small spaces end with SpaceExhausted, not with an endless loop."""
        method = self.method(0)
        limit = self.space.size
        if limit > 200:
            return
        history: list[Observation] = []
        try:
            history = self.run(method, limit + 1)
        except SpaceExhausted:
            return
        raise AssertionError(f"{len(history)} proposals from a space of {limit}")


class EvaluatorContract:
    """What every evaluator promises. `evaluator` makes one, `architectures` are what it scores."""

    architectures: ClassVar[Sequence[Architecture]]

    def evaluator(self) -> Evaluator:
        """An evaluator that has done nothing yet."""
        raise NotImplementedError

    def begun(self, folder: Path | None = None) -> Evaluator:
        """One that is ready to evaluate the architectures."""
        evaluator = self.evaluator()
        evaluator.begin(folder)
        if evaluator.round_size > 1:
            evaluator.prepare(self.architectures, 0)
        return evaluator

    def test_equal_seeds_give_equal_values(self, tmp_path: Path) -> None:
        """Also of another evaluator of the same kind, whether or not it may keep a state."""
        evaluator = self.begun()
        for architecture in self.architectures:
            result = evaluator.evaluate(architecture, 1)
            assert math.isfinite(result.value)
            assert evaluator.evaluate(architecture, 1).value == result.value
        again = self.begun(tmp_path)
        assert again.evaluate(self.architectures[-1], 1).value == result.value

    def test_figures_are_numbers_that_results_have_too(self) -> None:
        """What is known without an evaluation is the same afterwards."""
        evaluator = self.begun()
        architecture = self.architectures[0]
        figures = evaluator.figures(architecture)
        assert set(figures) == set(evaluator.known_figures)
        metrics = evaluator.evaluate(architecture, 1).metrics
        assert {name: metrics[name] for name in figures} == dict(figures)

    def test_settings_can_be_stored_and_do_not_change(self) -> None:
        """They are JSON, and equal after an evaluation and of another evaluator of the kind."""
        evaluator = self.begun()
        settings = json.loads(json.dumps(dict(evaluator.settings())))
        evaluator.evaluate(self.architectures[0], 1)
        assert json.loads(json.dumps(dict(evaluator.settings()))) == settings
        assert json.loads(json.dumps(dict(self.evaluator().settings()))) == settings

    def test_it_is_made_again_from_its_settings(self) -> None:
        """Where these say where its data come from."""
        settings = json.loads(json.dumps(dict(self.evaluator().settings())))
        if not settings.get("source"):
            return
        again = evaluators.from_settings(settings)
        assert json.loads(json.dumps(dict(again.settings()))) == settings

    def test_it_reaches_another_process(self) -> None:
        """Unless its state is in one place."""
        evaluator = self.evaluator()
        if evaluator.in_one_place:
            return
        again = pickle.loads(pickle.dumps(self.begun()))  # noqa: S301  # written a moment ago
        value = self.begun().evaluate(self.architectures[0], 1).value
        assert again.evaluate(self.architectures[0], 1).value == value


class Measured(Evaluator):
    """What the suite for workers has evaluated: it says where and with what seed, or fails."""

    def __init__(self, wish: str = "") -> None:
        self.wish = wish

    def evaluate(self, architecture: Architecture, seed: int) -> Result:
        """The seed, and the process."""
        if self.wish == "fail":
            raise EvaluationFailed("diverged", "as it was told to")
        if self.wish == "raise":
            raise KeyError("as it was told to")
        return Result(float(seed), {"process": float(os.getpid())})


class WorkersContract:
    """What all workers promise. `workers` makes some; they are closed after each test."""

    architecture: ClassVar[Architecture]

    def workers(self) -> Workers:
        """Workers that have done nothing yet."""
        raise NotImplementedError

    def test_results_are_those_of_the_evaluator(self) -> None:
        """As many at once as there are slots, twice."""
        with self.workers() as workers:
            for begin in (0, 10):
                seeds = range(begin, begin + workers.slots)
                futures = [workers.submit(Measured(), self.architecture, seed) for seed in seeds]
                assert [future.result(60).value for future in futures] == [float(s) for s in seeds]
                processes = {future.result().metrics["process"] for future in futures}
                assert (processes == {float(os.getpid())}) == workers.in_this_process

    def test_what_an_evaluator_raises_comes_out_of_the_future(self) -> None:
        """A failed evaluation with its reason, any other error as it was; the workers go on."""
        with self.workers() as workers:
            failed = workers.submit(Measured("fail"), self.architecture, 0).exception(60)
            assert isinstance(failed, EvaluationFailed)
            assert failed.reason == "diverged"
            raised = workers.submit(Measured("raise"), self.architecture, 0).exception(60)
            assert isinstance(raised, KeyError)
            assert workers.submit(Measured(), self.architecture, 3).result(60).value == 3

    def test_a_study_finds_with_them_what_it_finds_here(self) -> None:
        """The same evaluations with the same seeds, each once."""
        space = self.architecture.space
        with self.workers() as workers:
            found = create_study(space, method="random", seed=1)
            found.optimize(Measured(), 5, workers=workers)
        here = create_study(space, method="random", seed=1)
        here.optimize(Measured(), 5)
        assert {(str(t.architecture), t.value) for t in found.trials} == {
            (str(t.architecture), t.value) for t in here.trials
        }
