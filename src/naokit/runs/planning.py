"""What a search can afford here: a few steps measured, then multiplied. Nothing is written."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from lightning_fabric import Fabric

from naokit.evaluators import Training
from naokit.kinds import kind_of, recipe_of
from naokit.method.descriptors import shortlisted
from naokit.presets import FINAL_SHARE, Preset
from naokit.profiling import Estimate, measure_steps
from naokit.space import Architecture
from naokit.subject import Subject
from naokit.training.recipe import Recipe

SECONDS_A_NETWORK = 2.0
MOST_MACS = 1e9
"""For one image; a larger network is measured with fewer channels and counted up."""
SURELY = 4
"""By how much an estimate from multiply-adds alone may be too high."""

OnNetwork = Callable[[str], None]


@dataclass(frozen=True)
class Option:
    """A way to search, and what it costs here.

    Attributes:
        preset: How the search is run.
        own: Whether the size is the preset's own, so that the command line knows it by name.
        evaluation: The seconds of one evaluation; low and high are those of the fastest and of the
            slowest network.
        final: The seconds of the winner's final training.
        each: The seconds of an evaluation of each architecture. If empty, they were estimated from
            multiply-adds, since measuring would take far longer than there is time.
        epochs: The number of epochs of an evaluation that is not stopped early.
        described: What describing untrained networks takes besides each evaluation at most, as a
            share of it.
    """

    preset: Preset
    own: bool
    evaluation: Estimate
    final: Estimate
    each: tuple[Estimate, ...] = ()
    epochs: int = 1
    described: float = 0.0

    def affords(self, seconds: float) -> tuple[int, int, int]:
        """How many evaluations fit besides the final training: likely, at least, at most.

        A search begins none in the share of its time that is the final training's.
        """
        return (
            self._fit(seconds, self.evaluation.seconds, self.final.seconds),
            self._fit(seconds, self.evaluation.high, self.final.high),
            self._fit(seconds, self.evaluation.low, self.final.low),
        )

    def seconds(self, evaluations: int) -> float:
        """What a search of so many evaluations takes in all, the final training included."""
        search = self.search(evaluations)
        return max(self.final.seconds + search, search / (1 - FINAL_SHARE))

    def search(self, evaluations: int) -> float:
        """What so many evaluations take in all, with those again and those of random search."""
        again = min(self.preset.repeat, evaluations) * (self.preset.times - 1)
        return self.evaluation.seconds * self._of(evaluations, again)

    def _fit(self, seconds: float, evaluation: float, final: float) -> int:
        there = min(seconds - final, seconds * (1 - FINAL_SHARE))
        left = there / evaluation
        if left < self._of(self.preset.repeat, again=self.repeats):
            few = self._of(1, again=self.preset.times - 1)  # all of so few are evaluated again
            return max(0, int(left / few))
        return int((left - self._of(0, again=self.repeats)) / self._of(1, again=0))

    def _of(self, evaluations: int, again: int) -> float:
        """What new evaluations and those made again take together, in evaluations."""
        return evaluations * (self._searches + self.described) + again * self._searches

    @property
    def repeats(self) -> int:
        """Evaluations of the best few again."""
        return self.preset.repeat * (self.preset.times - 1)

    @property
    def _searches(self) -> int:
        """Random search beside it costs as much again."""
        return 2 if self.preset.baseline else 1


def measure(
    preset: Preset,
    architectures: Sequence[Architecture],
    subject: Subject,
    fabric: Fabric,
    *,
    seconds: float = math.inf,
    cheaper: Option | None = None,
    on_network: OnNetwork | None = None,
) -> Option:
    """A preset's costs on this data, on the device of `fabric`.

    Nothing more is measured of a preset once it is known to take longer than there is time.

    Args:
        preset: How the search is run.
        architectures: Random ones of the space; the final training is measured on the first.
        subject: The data, with networks of any size.
        fabric: The device that the search is to run on.
        seconds: How much time there is.
        cheaper: The costs of another preset, if one was measured before.
        on_network: Called before each network with what is measured.
    """
    small, by = _trained(preset, subject, final=False)
    share = 0.0 if preset.pruner else Training(small, by).descriptor_share
    described = shortlisted(share) * share
    if cheaper is not None:
        factor = _work(architectures[0], small, by) / _work(
            architectures[0], *_trained(cheaper.preset, subject, final=False)
        )
        guess = replace(cheaper.evaluation, steps=0).times(factor)
        if replace(cheaper, preset=preset, evaluation=guess).search(1) > SURELY * seconds:
            return _counted_up(preset, architectures[0], subject, guess, described)
    each: list[Estimate] = []
    for number, architecture in enumerate(architectures, 1):
        _tell(on_network, f"{preset.name}: evaluation {number} of {len(architectures)}")
        each.append(_cost(architecture, small, by, fabric))
        least = Option(preset, True, together(each), each[0])
        if least.search(1) > SURELY * seconds:
            return _counted_up(preset, architectures[0], subject, together(each), described)
    _tell(on_network, f"{preset.name}: final training")
    # The dearest to measure; the others are taken to differ as they do above.
    one = _cost(architectures[0], *_trained(preset, subject, final=True), fabric)
    finals = [one.times(other.seconds / each[0].seconds) for other in each]
    final = replace(together(finals), steps=one.steps)
    return Option(preset, True, together(each), final, tuple(each), by.epochs, described)


def other_sizes(
    option: Option,
    architectures: Sequence[Architecture],
    subject: Subject,
    fabric: Fabric,
    on_network: OnNetwork | None = None,
) -> list[Option]:
    """The same for other sizes of the evaluations; the final training is the same.

    The first architecture is measured; the others are taken to differ as they do in `option`.
    """
    by = recipe_of(subject.reads, option.preset.recipe)
    found = []
    for size in kind_of(subject.reads).other_sizes if option.each else ():
        if size != option.preset.size():
            _tell(on_network, ", ".join(f"{name} {value}" for name, value in size.items()))
            one = _cost(architectures[0], subject.again(size), by, fabric)
            each = [one.times(other.seconds / option.each[0].seconds) for other in option.each]
            evaluation = replace(together(each), steps=one.steps)
            other = replace(option.preset, **size)
            found.append(
                replace(option, preset=other, own=False, evaluation=evaluation, each=tuple(each))
            )
    return found


def networks_to_measure(presets: Sequence[Preset], architectures: int, reads: str) -> int:
    """How many networks a plan measures at most."""
    return len(presets) * (architectures + 1) + len(kind_of(reads).other_sizes)


def _tell(on_network: OnNetwork | None, what: str) -> None:
    if on_network is not None:
        on_network(what)


def _trained(preset: Preset, subject: Subject, *, final: bool) -> tuple[Subject, Recipe]:
    """What an evaluation, or the final training, is of."""
    name, size = (
        (preset.final_recipe, preset.final_size()) if final else (preset.recipe, preset.size())
    )
    return subject.again(size), recipe_of(subject.reads, name)


def _work(architecture: Architecture, subject: Subject, by: Recipe) -> float:
    """Multiply-adds of the forward passes of a training."""
    examples = min(len(subject.data.train), by.part or len(subject.data.train))
    return _macs(architecture, subject, by) * by.epochs * examples


def _counted_up(
    preset: Preset,
    architecture: Architecture,
    subject: Subject,
    evaluation: Estimate,
    described: float,
) -> Option:
    """A preset whose final training is not measured: by multiply-adds it takes so many times."""
    evaluated, final = (_trained(preset, subject, final=last) for last in (False, True))
    factor = _work(architecture, *final) / _work(architecture, *evaluated)
    final_cost = replace(evaluation, steps=0).times(factor)
    return Option(preset, True, evaluation, final_cost, (), evaluated[1].epochs, described)


def costs(
    architectures: Sequence[Architecture], subject: Subject, by: Recipe, fabric: Fabric
) -> list[Estimate]:
    """Seconds of a training of each architecture by a recipe, building it included."""
    return [_cost(architecture, subject, by, fabric) for architecture in architectures]


def together(each: Sequence[Estimate]) -> Estimate:
    """The mean; low and high are the fastest's and the slowest's."""
    return Estimate(
        statistics.fmean(one.seconds for one in each),
        min(one.low for one in each),
        max(one.high for one in each),
        sum(one.steps for one in each),
    )


def _cost(architecture: Architecture, subject: Subject, by: Recipe, fabric: Fabric) -> Estimate:
    """Seconds of one training; measured on a narrower network, by multiply-adds, if need be."""
    narrow = subject
    while _macs(architecture, narrow, by) > MOST_MACS and (half := narrow.halved()) is not None:
        narrow = half
    began = time.perf_counter()
    network = narrow.network(architecture, by, 0)
    narrow.static_metrics(network)  # every evaluation counts too
    built = time.perf_counter() - began
    data = narrow.data
    task = narrow.short_task(network, by, fabric, SECONDS_A_NETWORK)
    steps = measure_steps(network, task, fabric, SECONDS_A_NETWORK)
    one = steps.estimate(by, len(data.train), len(data.validation))
    whole = Estimate(built + one.seconds, built + one.low, built + one.high, one.steps)
    if narrow is subject:
        return whole
    return whole.times(_macs(architecture, subject, by) / _macs(architecture, narrow, by))


def _macs(architecture: Architecture, subject: Subject, by: Recipe) -> float:
    """Multiply-adds of one image or token, counted on a network without weights."""
    with torch.device("meta"):
        network = architecture.space.build(architecture, subject.settings(by))
    return subject.static_metrics(network)["macs"]


def recommended(options: Sequence[Option], seconds: float, subject: Subject) -> Option | None:
    """The most thorough preset that fits whole; else the cheapest that fits at all; else None.

    Args:
        options: The presets from the least to the most thorough.
        seconds: How much time there is.
        subject: The data. A preset whose recipe takes a part of more training images or tokens
            than there are is not meant for them.
    """
    there = len(subject.data.train)
    meant = [
        option
        for option in options
        if option.own and (recipe_of(subject.reads, option.preset.recipe).part or 0) <= there
    ]
    whole = [o for o in meant if o.affords(seconds)[0] >= o.preset.evaluations]
    some = [o for o in meant if o.affords(seconds)[0] > 0]
    if whole:
        return whole[-1]
    return min(some, key=lambda option: option.evaluation.seconds, default=None)
