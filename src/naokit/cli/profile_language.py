"""What `naokit profile` shows of a language model."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from naokit.base import InputError
from naokit.cli.asked import Profiling
from naokit.cli.durations import about
from naokit.settings import LanguageSettings
from naokit.wording import counted

if TYPE_CHECKING:
    from naokit.base import Json
    from naokit.space import Architecture
    from naokit.text.subject import TextSubject
    from naokit.training.recipe import Recipe


SECONDS = 10.0
"""How long steps of a training are measured."""


def show_language_model(asked: Profiling) -> None:
    """Measures the model and prints what it costs, each figure once it is known.

    Raises:
        InputError: No such model can be built, or --recipe needs --data.
    """
    from naokit.cli.output import Figures
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
    what: dict[str, Json] = {
        "architecture": str(architecture),
        "space": dict(architecture.space.settings()),
        "vocabulary": model.settings.vocabulary,
        "hidden": model.settings.hidden,
        **count_language(model),
    }
    figures = Figures(json=asked.json)
    figures.add(what, lambda found: [*_cell(architecture), *_count_lines(found)])
    if not asked.counts:
        model = build(architecture, **size)
        assert isinstance(model, LanguageModel)
        figures.measure(lambda: dataclasses.asdict(measure_language(model)), _latency_lines)
        if by is None or subject is None:
            figures.add({"training": None}, _training_lines)
        else:
            text, way = subject, by
            figures.measure(
                lambda: {"training": _training(architecture, text, way)}, _training_lines
            )
    figures.end()


def _training(architecture: Architecture, subject: TextSubject, by: Recipe) -> dict[str, Json]:
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
    return {
        "recipe": by.name,
        "epochs": by.epochs,
        "tokens": min(len(data.train), by.part or len(data.train)),
        "memory_mb": memory / 1e6,
        "device": fabric.device.type,
        "tokens_a_measured_step": steps.examples,
        **dataclasses.asdict(steps.estimate(by, len(data.train), len(data.validation))),
    }


def _cell(architecture: Architecture) -> list[str]:
    """How the integers of a recurrent cell were read."""
    from naokit.runs.run import read_as

    return [f"{name:16} {table}" for name, table in read_as(architecture.space).items()]


def _count_lines(found: dict[str, Json]) -> list[str]:
    """What is counted."""
    return [
        f"size             vocabulary {found['vocabulary']:,}, hidden {found['hidden']:,}",
        f"parameters       {found['parameters']:,}",
        f"multiply-adds    {found['macs'] / 1e6:,.1f} M a token",
        f"weights          {found['weights_mb']:,.1f} MB",
        f"memory, training {found['training_mb']:,.0f} MB with {_batch(found)} a step",
    ]


def _latency_lines(found: dict[str, Json]) -> list[str]:
    """Median and spread in PyTorch."""
    one, many = (
        f"{found[f'{name}_ms']:,.1f} ms ± {found[f'{name}_spread_ms']:,.1f}"
        for name in ("latency", "latency_batch")
    )
    return [
        f"latency          on this processor, {found['threads']} "
        f"thread{'s' * (found['threads'] > 1)}; median and half the distance of the quartiles",
        f"  PyTorch        {one} for 1 token, {many} for {_batch(found)}",
    ]


def _batch(found: dict[str, Json]) -> str:
    return f"{found['batch']} x {found['steps']} tokens"


def _training_lines(found: dict[str, Json]) -> list[str]:
    """How long the recipe takes, and what that rests on."""
    training = found["training"]
    if training is None:
        return ["training time    --recipe NAME --data TEXT estimates it"]
    time = about(training["seconds"], training["low"], training["high"])
    return [
        f"training time    {time} by {training['recipe']}: "
        f"{counted(training['epochs'], 'epoch')} of {training['tokens']:,} tokens, "
        f"{training['memory_mb']:,.0f} MB",
        f"                 an estimate from {training['steps']} measured "
        f"step{'s' * (training['steps'] > 1)} of about {training['tokens_a_measured_step']:,} "
        f"tokens on {training['device']}",
    ]
