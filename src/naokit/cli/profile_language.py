"""What `naokit profile` shows of a language model."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from naokit.base import InputError
from naokit.cli.asked import Profiling
from naokit.cli.durations import about
from naokit.settings import LanguageSettings
from naokit.wording import counted

if TYPE_CHECKING:
    from naokit.base import Json
    from naokit.profiling import Estimate
    from naokit.space import Architecture
    from naokit.text.costs import LanguageCounts, LanguageProfile
    from naokit.text.subject import TextSubject
    from naokit.training.recipe import Recipe


SECONDS = 10.0
"""How long steps of a training are measured."""


@dataclass(frozen=True)
class TextTrainingCost:
    """The memory and the time of a training by a recipe.

    Attributes:
        recipe: The name of the recipe.
        epochs: The number of epochs.
        tokens: The number of training tokens.
        memory_mb: The most that the training holds at one time, in megabytes.
        device: The type of the device that was measured.
        tokens_a_measured_step: The mean number of tokens in a measured step.
        estimate: The time.
    """

    recipe: str
    epochs: int
    tokens: int
    memory_mb: float
    device: str
    tokens_a_measured_step: int
    estimate: Estimate

    def to_json(self) -> dict[str, Json]:
        """One object, the time among its fields."""
        fields = dataclasses.asdict(self)
        estimate = fields.pop("estimate")
        return {**fields, **estimate}


def show_language_model(asked: Profiling) -> None:
    """Measures the model and prints what it costs, each figure once it is known.

    Raises:
        InputError: No such model can be built, or --recipe needs --data.
    """
    from naokit.cli.output import Figures, measuring
    from naokit.cli.subject import say_what_was_read
    from naokit.kinds import build, recipe_of
    from naokit.networks import LanguageModel, without_weights
    from naokit.text.costs import count_language, measure_language
    from naokit.text.subject import TextSubject

    architecture, size = asked.architecture, asked.size
    by = None if asked.recipe is None else recipe_of("text", asked.recipe)
    if by is not None and asked.data is None and not asked.counts:
        raise InputError(
            "--recipe needs --data for a language model: how long its text is and how many words "
            "it knows set the time"
        )
    subject = None
    if asked.data is not None:
        hidden = size.get("hidden", LanguageSettings.hidden)
        subject = TextSubject(asked.data, hidden, asked.tokens or "word")
        say_what_was_read(subject.data)
        size = {**size, "vocabulary": len(subject.data.vocabulary)}
    with without_weights():
        model = build(architecture, **size)
    assert isinstance(model, LanguageModel)
    counts, figures = count_language(model), Figures(json=asked.json)
    figures.add(
        {
            "architecture": str(architecture),
            "space": dict(architecture.space.settings()),
            "vocabulary": model.settings.vocabulary,
            "hidden": model.settings.hidden,
            **dataclasses.asdict(counts),
        },
        [*_cell(architecture), *_count_lines(model.settings, counts)],
    )
    if not asked.counts:
        model = build(architecture, **size)
        assert isinstance(model, LanguageModel)
        with measuring():
            profile = measure_language(model)
        figures.add(dataclasses.asdict(profile), _latency_lines(profile))
        if by is None or subject is None:
            figures.add({"training": None}, _training_lines(None))
        else:
            with measuring():
                cost = _training(architecture, subject, by)
            figures.add({"training": cost.to_json()}, _training_lines(cost))
    figures.end()


def _training(architecture: Architecture, subject: TextSubject, by: Recipe) -> TextTrainingCost:
    """Memory and time of a training by a recipe."""
    from naokit.networks import LanguageModel
    from naokit.profiling import measure_steps
    from naokit.text.costs import language_training_bytes
    from naokit.text.recipes import TextRecipe
    from naokit.training.device import make_fabric

    model, data, fabric = subject.network(architecture, by, 0), subject.data, make_fabric()
    assert isinstance(model, LanguageModel)
    assert isinstance(by, TextRecipe)
    memory = language_training_bytes(model, by.batch, by.bptt)
    task = subject.short_task(model, by, fabric, SECONDS)
    steps = measure_steps(model, task, fabric, SECONDS)
    return TextTrainingCost(
        by.name,
        by.epochs,
        min(len(data.train), by.part or len(data.train)),
        memory / 1e6,
        fabric.device.type,
        steps.examples,
        steps.estimate(by, len(data.train), len(data.validation)),
    )


def _cell(architecture: Architecture) -> list[str]:
    """How the integers of a recurrent cell were read."""
    from naokit.runs.run import read_as

    return [f"{name:16} {table}" for name, table in read_as(architecture.space).items()]


def _count_lines(size: LanguageSettings, counts: LanguageCounts) -> list[str]:
    """What is counted."""
    return [
        f"size             vocabulary {size.vocabulary:,}, hidden {size.hidden:,}",
        f"parameters       {counts.parameters:,}",
        f"multiply-adds    {counts.macs / 1e6:,.1f} M a token",
        f"weights          {counts.weights_mb:,.1f} MB",
        f"memory, training {counts.training_mb:,.0f} MB with {_batch(counts)} a step",
    ]


def _latency_lines(profile: LanguageProfile) -> list[str]:
    """Median and spread in PyTorch."""
    one = f"{profile.latency_ms:,.1f} ms ± {profile.latency_spread_ms:,.1f}"
    many = f"{profile.latency_batch_ms:,.1f} ms ± {profile.latency_batch_spread_ms:,.1f}"
    return [
        f"latency          on this processor, {profile.threads} "
        f"thread{'s' * (profile.threads > 1)}; median and half the distance of the quartiles",
        f"  PyTorch        {one} for 1 token, {many} for {_batch(profile)}",
    ]


def _batch(counts: LanguageCounts) -> str:
    return f"{counts.batch} x {counts.steps} tokens"


def _training_lines(training: TextTrainingCost | None) -> list[str]:
    """How long the recipe takes, and what that rests on."""
    if training is None:
        return ["training time    --recipe NAME --data TEXT estimates it"]
    estimate = training.estimate
    time = about(estimate.seconds, estimate.low, estimate.high)
    return [
        f"training time    {time} by {training.recipe}: "
        f"{counted(training.epochs, 'epoch')} of {training.tokens:,} tokens, "
        f"{training.memory_mb:,.0f} MB",
        f"                 an estimate from {estimate.steps} measured "
        f"step{'s' * (estimate.steps > 1)} of about {training.tokens_a_measured_step:,} "
        f"tokens on {training.device}",
    ]
