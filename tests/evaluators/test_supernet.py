"""Architectures scored with shared weights: one training through all rounds, resumed exactly."""

import dataclasses
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import optuna
import pytest
import torch
from torch import nn

import naokit
from naokit.base import InputError, OutOfTime
from naokit.evaluators import Supernet
from naokit.images.recipes import RECIPES
from naokit.images.subject import ImageSubject
from naokit.space import Architecture
from naokit.spaces import Choice, Choices, ConvCells, TransNasMicro
from naokit.testing import EvaluatorContract
from naokit.training.normalising import batch_statistics

SPACE = ConvCells.small(nodes=1)
RECIPE = dataclasses.replace(RECIPES["quick"], epochs=3, train_images=128)
SAMPLED = [SPACE.sample(np.random.default_rng(n)) for n in range(3)]


@pytest.fixture(autouse=True)
def _quiet() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)


def supernet(**others: object) -> Supernet:
    asked: dict = {"rounds": 3, "pool": 4, "examples": 60, "device": "cpu", **others}
    return Supernet(SPACE, ImageSubject("digits", 2, 1), RECIPE, **asked)


def watched(on_epoch: Callable[[object], None]) -> Supernet:
    evaluator = supernet()
    evaluator.on_epoch = on_epoch
    return evaluator


class TestSupernet(EvaluatorContract):
    architectures: ClassVar[list[Architecture]] = SAMPLED

    def evaluator(self) -> Supernet:
        return supernet()


def search(folder: Path, evaluator: Supernet, evaluations: int) -> naokit.Study:
    storage = f"sqlite:///{folder}/s.db"
    study = naokit.create_study(SPACE, storage=storage, method="evolution", evaluations=8)
    study.optimize(evaluator, evaluations, folder=folder)
    return study


def found(study: naokit.Study) -> set[tuple[str, float | None, int]]:
    return {(str(trial.architecture), trial.value, trial.round) for trial in study.trials}


def test_a_search_killed_while_training_or_scoring_goes_on_as_if_it_had_not_been(
    tmp_path: Path,
) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    expected = found(search(whole, supernet(), 8))
    assert sorted(round_ for *_, round_ in expected) == [*[0] * 4, *[1] * 4, *[2] * 4]
    assert supernet().evaluations == len({name for name, *_ in expected}) == 8

    parts = tmp_path / "parts"
    parts.mkdir()

    def ends(epoch: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):  # while the first round trains
        search(parts, watched(ends), 8)
    search(parts, supernet(), 4)
    interrupted = supernet()
    original, calls = interrupted.evaluate, []

    def evaluate(architecture: Architecture, seed: int) -> naokit.Result:
        calls.append(architecture)
        if len(calls) == 4:  # while those that stay are scored again in the second round
            raise KeyboardInterrupt
        return original(architecture, seed)

    interrupted.evaluate = evaluate  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        search(parts, interrupted, 8)
    assert found(search(parts, supernet(), 8)) == expected


def test_all_are_scored_on_the_same_examples_and_nothing_is_left_behind() -> None:
    evaluator = supernet()
    evaluator.begin(None)
    evaluator.prepare(SAMPLED, 0)
    before = {name: value.clone() for name, value in evaluator.network.state_dict().items()}
    values = [evaluator.evaluate(architecture, 0).value for architecture in SAMPLED]
    assert values == [evaluator.evaluate(architecture, 9).value for architecture in SAMPLED]
    after = evaluator.network.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert all(value * 60 / 100 == pytest.approx(round(value * 60 / 100)) for value in values)


def test_a_score_is_that_of_the_extracted_network_with_batch_statistics() -> None:
    evaluator = supernet()
    evaluator.begin(None)
    evaluator.prepare(SAMPLED, 0)
    alone = evaluator.network.network(SPACE.plan(SAMPLED[0]))
    with batch_statistics(alone):
        scored = evaluator.scorer(alone)
    result = evaluator.evaluate(SAMPLED[0], 0)
    assert (scored.value, scored.noise) == (result.value, result.metrics["noise"])
    assert 0 < scored.noise < 10


@pytest.mark.parametrize("policy", ["parameters", "fair", "largest"])
def test_every_policy_trains(policy: str) -> None:
    evaluator = supernet(policy=policy)
    evaluator.prepare(SAMPLED, 2)
    assert evaluator.evaluate(SAMPLED[0], 0).value > 0


@pytest.mark.parametrize(
    ("message", "asked"),
    [
        ("`policy` is best; expected uniform, parameters, fair, largest", {"policy": "best"}),
        ("`rounds` is 9; expected 1 to the recipe's 3", {"rounds": 9}),
        ("`pool` is 1; a round has 2", {"pool": 1}),
        ("`kept` is 4; expected 0 to 3", {"kept": 4}),
    ],
)
def test_what_cannot_be_is_refused(message: str, asked: dict) -> None:
    with pytest.raises(InputError, match=message):
        supernet(**asked)


def test_two_processes_do_not_train_one_network(tmp_path: Path) -> None:
    holds = (
        "import sys, filelock; held = filelock.FileLock(sys.argv[1]).acquire(); print(1); input()"
    )
    (tmp_path / "supernet").mkdir()
    with subprocess.Popen(
        [sys.executable, "-uc", holds, tmp_path / "supernet" / "lock"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"1\n"
        with pytest.raises(InputError, match="another process works with the shared network in"):
            supernet().begin(tmp_path)
        other.kill()
    supernet().begin(tmp_path)


def test_time_that_ends_within_a_round_loses_nothing() -> None:
    evaluator, other = supernet(), supernet()
    with pytest.raises(OutOfTime):
        evaluator.prepare(SAMPLED, 1, seconds=0)
    evaluator.prepare(SAMPLED, 1)
    other.prepare(SAMPLED, 1)
    assert evaluator.evaluate(SAMPLED[0], 0).value == other.evaluate(SAMPLED[0], 0).value


def test_it_is_checked_before_anything_is_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    supernet().check()
    large = dataclasses.replace(RECIPE, batch=500, train_images=1000)
    with pytest.raises(
        InputError, match=r"digits holds \d+ examples out, fewer than a batch of 500"
    ):
        Supernet(SPACE, ImageSubject("digits", 2, 1), large, rounds=1, pool=2).check()
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=1000))
    with pytest.raises(InputError, match="the shared network with gradients and momenta takes"):
        supernet().check()


def test_an_inherited_network_computes_what_was_scored(tmp_path: Path) -> None:
    evaluator, later = supernet(), supernet()
    evaluator.begin(tmp_path)
    evaluator.prepare(SAMPLED, 0)
    later.begin(tmp_path)  # another process, say; it trains nothing more
    for one in (evaluator, later):
        alone = one.inherited(SAMPLED[0])
        with batch_statistics(alone):
            value = one.scorer(alone).value
        assert value == one.evaluate(SAMPLED[0], 0).value == evaluator.evaluate(SAMPLED[0], 0).value


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (lambda: supernet(seed=1), "seed"),
        (
            lambda: Supernet(SPACE, ImageSubject("digits", 4, 1), RECIPE, rounds=3, pool=4),
            r"stem.* is \(.*\) there and \(.*\) here",
        ),
        (
            lambda: Supernet(
                ConvCells.small(nodes=2), ImageSubject("digits", 2, 1), RECIPE, rounds=3, pool=4
            ),
            "is of another network",
        ),
    ],
)
def test_other_weights_than_this_search_s_are_refused(
    tmp_path: Path, other: Callable[[], Supernet], message: str
) -> None:
    first = supernet()
    first.begin(tmp_path)
    first.prepare(SAMPLED, 0)
    second = other()
    second.begin(tmp_path)
    with pytest.raises(InputError, match=message):
        second.prepare([second.space.sample(np.random.default_rng(n)) for n in range(3)], 0)


def test_a_space_without_a_shared_network_is_refused() -> None:
    evaluator = Supernet(TransNasMicro(), ImageSubject("digits", 2, 1), RECIPE, rounds=1, pool=2)
    with pytest.raises(InputError, match="has no shared network"):
        evaluator.prepare([], 0)


class Hidden(nn.Module):
    """A hidden layer of the digits; a shared one runs its first units."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.inner, self.head = nn.Linear(64, units), nn.Linear(units, 10)

    def forward(self, images: torch.Tensor, plan: int | None = None) -> torch.Tensor:
        inner = self.inner(images.flatten(1))[:, :plan].relu()
        return nn.functional.linear(inner, self.head.weight[:, :plan], self.head.bias)

    def network(self, plan: int) -> nn.Module:
        alone = Hidden(plan)
        alone.inner.weight.data = self.inner.weight[:plan].detach().clone()
        alone.inner.bias.data = self.inner.bias[:plan].detach().clone()
        alone.head.weight.data = self.head.weight[:, :plan].detach().clone()
        alone.head.bias.data = self.head.bias.detach().clone()
        return alone


class Units(Choices):
    """How many units, with a shared network of its own."""

    def build(self, architecture: Architecture, settings: Any) -> nn.Module:
        return Hidden(self.plan(architecture))

    def build_shared(self, settings: Any) -> nn.Module:
        return Hidden(16)

    def plan(self, architecture: Architecture) -> int:
        return 1 + architecture.choices[0]


def test_a_space_of_ones_own_shares_weights_in_its_own_way() -> None:
    space = Units("units", (Choice("units", tuple(range(1, 17))),))
    evaluator = Supernet(
        space, ImageSubject("digits", 1, 1), RECIPE, rounds=3, pool=4, kept=2, examples=100
    )
    study = naokit.create_study(space, method="nao", evaluations=8)
    study.optimize(evaluator, 8)
    assert study.failed == 0
    best = study.best_architecture
    assert evaluator.scorer(evaluator.inherited(best)).value == study.best_value
