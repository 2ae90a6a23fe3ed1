"""What every method promises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from naokit.base import SpaceExhausted
from naokit.doors import Method, Observation
from naokit.space import Architecture, Space


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
