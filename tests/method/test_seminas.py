"""SemiNAS: the contract, pseudo-labels, what the second fit sees, how a budget is divided."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from tests.method import test_nao_2018

from naokit.doors import Method, Observation
from naokit.method import METHODS, seminas
from naokit.method.fit import FitSettings, PseudoLabels, fit
from naokit.method.model import Model, ModelSettings
from naokit.method.nao_2018 import NaoSettings
from naokit.method.seminas import EARLY, PUBLISHED, SemiNas, SemiNasSettings, schedule
from naokit.space import Architecture
from naokit.spaces import Choice, Choices, ConvCells
from naokit.study.limits import LimitedSpace
from naokit.testing import MethodContract

SPACE = ConvCells.small(nodes=2)


SIZES = ModelSettings(8, 8)


QUICK = SemiNasSettings(
    NaoSettings(SIZES, FitSettings(epochs=2)), FitSettings(epochs=2), pseudo_labels=50
)


TINY = Choices("tiny", (Choice("a", (1, 2, 3, 4)), Choice("b", (1, 2, 3)), Choice("c", (1, 2))))


class TestSemiNas(test_nao_2018.TestNao2018):
    evaluations = 15  # 9 random and three rounds of two

    def method(self, seed: int) -> Method:
        return SemiNas(self.space, seed, self.evaluations, QUICK)


class TestSemiNasOnATinySpace(MethodContract):
    space = TINY

    def method(self, seed: int) -> Method:
        return SemiNas(self.space, seed, self.evaluations, QUICK)


def evaluated(space, amount: int) -> list[Observation]:
    generator = np.random.default_rng(0)
    return [Observation(space.sample(generator), float(n)) for n in range(amount)][::-1]


def labels(space, pool: list[Observation], settings: SemiNasSettings = QUICK) -> PseudoLabels:
    method = SemiNas(space, 0, 100, settings)
    torch.manual_seed(0)
    model = Model(space.grammar, SIZES).eval()
    found = method._pseudo_labels(model, pool, 7)
    if len(found.tokens):
        assert torch.equal(found.targets, model.scores(found.tokens))
    return found


def test_the_name_finds_it() -> None:
    assert isinstance(METHODS["seminas"](SPACE, 0, 10), SemiNas)


def test_a_budget_is_divided_as_published() -> None:
    """The official code: 1,100 + 3 x 300 = 2,000 queries, 100 seeds."""
    plan = schedule(2000)
    assert (plan.initial, plan.round, plan.seeds) == (1100, 300, 100)
    assert [plan.round_start(n) for n in (0, 1099, 1100, 1399, 1400, 1700, 2000)] == [
        *(0, 0, 1100, 1100, 1400, 1700, 2000),
    ]
    assert schedule(200).initial == 110
    assert schedule(1).initial == 1


def test_the_published_setting_is_that_of_the_official_code() -> None:
    assert (PUBLISHED.pseudo_labels, PUBLISHED.up_sampling) == (10_000, 10)
    assert (PUBLISHED.first.fit.epochs, PUBLISHED.second.epochs) == (1000, 500)
    for settings in (PUBLISHED.first.fit, PUBLISHED.second):
        assert (settings.batch, settings.learning_rate, settings.patience) == (100, 1e-3, None)
        assert (settings.weight_decay, settings.clip, settings.trade_off) == (1e-4, 5.0, 0.8)
    assert (PUBLISHED.first.steps[0], PUBLISHED.first.steps[-1]) == (1.0, 100.0)
    assert PUBLISHED.first.model.hidden == 64
    assert EARLY.first.fit.patience is not None
    assert EARLY.second.patience is not None


def test_pseudo_labels_are_distinct_unevaluated_and_follow_their_seed() -> None:
    pool = evaluated(SPACE, 40)
    found = labels(SPACE, pool)
    spelled = [tuple(row) for row in found.tokens.tolist()]
    known = {SPACE.grammar.tokens(trial.architecture.choices) for trial in pool}
    assert 45 <= len(spelled) == len(set(spelled)) <= 50
    assert not known & set(spelled)
    assert torch.equal(labels(SPACE, pool).tokens, found.tokens)


def test_a_small_space_gives_what_it_has() -> None:
    space = Choices("tiny", (Choice("a", (1, 2, 3)), Choice("b", (1, 2))))
    whole = [Observation(Architecture(space, (n // 2, n % 2)), float(n)) for n in range(6)]
    assert labels(space, whole[:4]).tokens.shape == (2, 2)
    assert labels(space, whole).tokens.shape == (0, 2)
    SemiNas(space, 0, 100, QUICK)._learn(whole[::-1], 0)


def even(choices: Sequence[int]) -> bool:
    return choices[1] % 2 == 0


def test_what_the_space_does_not_allow_is_neither_labelled_nor_proposed() -> None:
    space = LimitedSpace(SPACE, ("even",), "", even)
    pool = evaluated(space, 12)
    grammar = space.grammar
    rows = labels(space, pool).tokens.tolist()
    assert all(even(grammar.choices(row)) for row in rows)
    proposals = list(SemiNas(space, 0, 20, QUICK)._new_round(pool))
    assert proposals
    assert all(even(proposal.architecture.choices) for proposal in proposals)


def test_the_best_of_both_kinds_are_moved(monkeypatch) -> None:
    """Sorted together by score, measured or predicted, best first."""
    pool = evaluated(SPACE, 40)
    spelled = torch.tensor([SPACE.grammar.tokens(t.architecture.choices) for t in pool[-3:]])
    made_up = PseudoLabels(spelled, torch.tensor([0.99, 0.0, 0.96]), 10)
    method = SemiNas(SPACE, 0, 100, QUICK)
    monkeypatch.setattr(method, "_pseudo_labels", lambda *_: made_up)
    _, seeds = method._learn(pool, 0)
    known = [list(SPACE.grammar.tokens(t.architecture.choices)) for t in pool]
    # Normalised, the pool's results are 1, 38/39, 37/39, ...
    order = [known[0], spelled[0].tolist(), known[1], spelled[2].tolist(), known[2]]
    assert seeds.tolist() == order


def test_the_second_fit_goes_on_from_the_first(monkeypatch) -> None:
    calls = []

    def spied(*arguments, **named):
        calls.append((named, fit(*arguments, **named)))
        return calls[-1][1]

    monkeypatch.setattr(seminas, "fit", spied)
    settings = replace(QUICK, second=FitSettings(epochs=3))
    model, _ = SemiNas(SPACE, 0, 100, settings)._learn(evaluated(SPACE, 20), 5)
    (first, found), (second, final) = calls
    assert first["settings"].epochs == 2
    assert second["settings"].epochs == 3
    assert second["initial"] is found.model
    assert second["pseudo"].up_sampling == 10
    assert first["seed"] == second["seed"] == 5
    assert model is final.model
