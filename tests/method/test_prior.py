"""A prior: what is checked, what counts, how it is drawn from, and that it fades."""

from collections import Counter
from typing import Any, ClassVar

import numpy as np
import pytest

from naokit.base import InputError, Weights
from naokit.doors import Method, Observation, Proposal
from naokit.method import METHODS, WITH_PRIOR
from naokit.method.baselines import RandomSearch
from naokit.method.nao import Nao
from naokit.method.prior import LEAST, Prior, checked
from naokit.space import Architecture, Space
from naokit.spaces import Choice, Choices, ConvCells
from naokit.spaces.nas_bench_101 import NasBench101
from naokit.testing import MethodContract

SPACE = Choices(
    "tiny",
    (
        Choice("kind", ("plain", "gated")),
        Choice("gate", (0.001, 0.1, 0.5), when=("kind", ("gated",))),
        Choice("width", (16, 64, 256)),
    ),
)
WEIGHTS: Weights = {"gate": {"0.1": 4.0}, "width": {"64": 3.0, "256": 0.0}}
CELLS = ConvCells.small(nodes=2)
SEPARABLE: Weights = {"normal.2.x.operation": {"sep_conv_3x3": 9.0}, "normal.3.y.input": {"0": 5.0}}


class TestRandomSearchWithAPrior(MethodContract):
    space: ClassVar[Space] = SPACE
    evaluations = 9

    def method(self, seed: int) -> Method:
        method = RandomSearch(self.space, seed, self.evaluations)
        method.believe(WEIGHTS)
        return method


class TestNaoWithAPrior(MethodContract):
    space: ClassVar[Space] = SPACE
    evaluations = 9

    def method(self, seed: int) -> Method:
        method = Nao(self.space, seed, self.evaluations)
        method.believe(WEIGHTS)
        return method


def test_cells_that_are_too_many_to_enumerate_begin_with_what_is_believed() -> None:
    def proposed(history: list[Observation]) -> Proposal:
        method = Nao(CELLS, 0, 9)
        method.believe(SEPARABLE)
        return method.propose(history)

    history: list[Observation] = []
    for number in range(6):
        proposal = proposed(history)
        assert (proposal.origin == "prior") or number > 2
        history.append(Observation(proposal.architecture, float(number)))
    assert proposed(history) == proposed(history)


def of(text: str) -> Architecture:
    return SPACE.parse(text)


def test_an_absent_choice_counts_as_nothing() -> None:
    prior = Prior(SPACE, {"gate": {"0.1": 4.0}})
    texts = ("plain gate=0.1", "plain gate=0.5", "gated gate=0.1", "gated gate=0.5")
    absent, other, liked, left = prior.logs([of(f"kind={text} width=16") for text in texts])
    assert absent == other == 0
    assert liked == pytest.approx(np.log(2))  # 4 against a mean of 2
    assert left == pytest.approx(np.log(0.5))


def test_it_varies_as_one_choice_does_however_many_are_weighed() -> None:
    generator = np.random.default_rng(0)
    deviations = []
    for length in (1, 4, 16):
        space = Choices("many", tuple(Choice(f"c{n}", ("a", "b", "c")) for n in range(length)))
        prior = Prior(space, {name: {"a": 5.0} for name in space.grammar.names})
        deviations.append(prior.logs([space.sample(generator) for _ in range(2000)]).std())
    assert deviations == pytest.approx([deviations[0]] * 3, rel=0.1)


def test_spellings_that_the_grammar_knows_to_be_equal_have_one_prior() -> None:
    prior, generator = Prior(CELLS, SEPARABLE), np.random.default_rng(0)
    for _ in range(20):
        one = CELLS.sample(generator)
        for permutation in (p for group in CELLS.grammar.symmetries for p in group):
            other = Architecture(CELLS, tuple(one.choices[place] for place in permutation))
            assert prior.logs([one]) == pytest.approx(prior.logs([other]))


def test_vertices_that_no_path_reaches_count_as_nothing() -> None:
    space = NasBench101()
    prior = Prior(space, {"vertex 3 operation": {"c1": 5.0}})
    assert prior.logs([space.parse("100111 c3-c1")]) == 0
    loose = list(space.parse("100111 c3-c1").choices)
    loose[space.grammar.names.index("vertex 3 operation")] = 1
    assert prior.logs([space.architecture(loose)]) == 0


def test_it_fades_with_the_results() -> None:
    prior = Prior(SPACE, WEIGHTS)
    both = [of("kind=plain gate=0.5 width=16"), of("kind=plain gate=0.5 width=64")]
    leads = [np.diff(prior.weigh(np.ones(2), both, n))[0] for n in (5, 10, 1000)]
    assert leads[0] == pytest.approx(2 * leads[1])
    assert 0 < leads[2] < 0.02
    assert np.isneginf(prior.weigh(np.array([0.0, -1e-9]), both, 5)).all()


def test_drawing_follows_the_weights_in_a_whole_space_and_in_a_larger_one() -> None:
    for everything in (SPACE.everything(1000), None):
        prior, generator = Prior(SPACE, {"width": {"64": 3.0, "256": 0.0}}, everything), 0
        drawn = [prior.sample(np.random.default_rng(generator + n)) for n in range(600)]
        counts = Counter(SPACE.values(one.choices)["width"] for one in drawn)
        assert counts[64] > 2 * counts[16] > 20 * counts[256]


def test_what_is_drawn_is_allowed() -> None:
    space = NasBench101()
    prior = Prior(space, {"edge 0-1": {"1": 9.0}, "edge 1-6": {"1": 9.0}, "edge 0-6": {"0": 0.0}})
    drawn = [prior.sample(np.random.default_rng(seed)) for seed in range(40)]
    assert all(space.allows(one.choices) for one in drawn)
    assert sum(one.choices[0] for one in drawn) > 25


def test_a_prior_that_is_narrow_ends_no_search() -> None:
    """All but one option of each choice are ruled out; everything comes in the end."""
    space = Choices("many", tuple(Choice(f"c{n}", ("a", "b", "c")) for n in range(4)))
    method = RandomSearch(space, 0, 81)
    method.believe({name: {"b": 0.0, "c": 0.0} for name in space.grammar.names})
    history: list[Observation] = []
    for _ in range(60):
        history.append(Observation(method.propose(history).architecture, 0.0))
    assert len({trial.architecture.key for trial in history}) == 60


def test_an_option_that_is_ruled_out_weighs_a_little() -> None:
    prior = Prior(SPACE, {"kind": {"plain": 0.0, "gated": 1e300}})
    assert prior.shares[0] == pytest.approx([LEAST / (1 + LEAST), 1 / (1 + LEAST)])


def test_a_right_prior_finds_the_best_sooner_and_a_wrong_one_finds_it_too() -> None:
    space = Choices("many", tuple(Choice(f"c{n}", tuple("abcd")) for n in range(5)))

    def queries(weights: Weights | None) -> int:
        """Until all are c, which is best; each one counts."""
        method, history = Nao(space, 0, 60), []
        if weights is not None:
            method.believe(weights)
        while not history or history[-1].value != 5:
            found = method.propose(history).architecture
            history.append(Observation(found, float(found.choices.count(2))))
        return len(history)

    names = space.grammar.names
    right = queries({name: {"c": 5.0} for name in names})
    wrong = queries({name: {"c": 0.2} for name in names})
    assert right < queries(None) < wrong < 60


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ({"widht": {"64": 2}}, "there is no choice 'widht'; did you mean width"),
        ({"width": {"46": 2}}, "there is no option of width '46'; did you mean 64 or 16"),
        ({"width": {"64": -1}}, "width has the weight -1 of 64"),
        ({"width": {"64": float("nan")}}, "width has the weight nan of 64"),
        ({"width": {"64": float("inf")}}, "width has the weight inf of 64"),
        ({"width": {"64": 10**400}}, "width has the weight 1000"),
        ({"width": {"64": True}}, "width has the weight True of 64"),
        ({"width": {"64": "much"}}, "width has the weight 'much' of 64"),
        ({"kind": {"plain": 0, "gated": 0}}, "every option of kind weighs 0"),
        ({"gate": {"0.1": 2, "1e-1": 3}}, "gate has two weights of 0.1"),
        ({"width": {}}, "width has no weights"),
        ({"width": 3}, "width has no weights"),
        ({}, "holds no weights"),
        (["width"], "holds no weights"),
    ],
)
def test_what_is_no_prior_is_refused_in_one_line(weights: Any, said: str) -> None:
    with pytest.raises(InputError) as error:
        checked(SPACE, weights)
    assert said in str(error.value)
    assert str(error.value).startswith("`prior`: ")
    assert "\n" not in str(error.value)


def test_numbers_may_be_written_in_any_way() -> None:
    given: Any = {"gate": {"1e-3": 2, 0.5: 1}, "width": {64: 3}}
    assert checked(SPACE, given) == {"gate": {"0.001": 2, "0.5": 1}, "width": {"64": 3}}


@pytest.mark.parametrize("name", sorted(METHODS))
def test_a_method_takes_a_prior_or_says_who_does(name: str) -> None:
    method = METHODS[name](SPACE, 0, 10)
    if name in WITH_PRIOR:
        method.believe(WEIGHTS)
        return
    with pytest.raises(InputError, match=r"takes no prior: .* `method=nao`"):
        method.believe(WEIGHTS)
