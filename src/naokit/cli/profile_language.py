"""What `naokit profile` shows of a language model."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import typer

from naokit.cli.output import print_json

if TYPE_CHECKING:
    from torch import nn

    from naokit.base import Architecture, Json


def show_language_model(architecture: Architecture, model: nn.Module, *, json: bool) -> None:
    """Measures the model and prints what it costs.

    Args:
        architecture: of its cell.
        model: a `LanguageModel`.
        json: one JSON object instead of lines.
    """
    from rich.console import Console

    from naokit.networks import LanguageModel
    from naokit.profiling import measure_language

    assert isinstance(model, LanguageModel)
    with Console(stderr=True).status("measuring"):
        found: dict[str, Json] = {
            "architecture": str(architecture),
            "space": dict(architecture.space.settings()),
            "vocabulary": model.settings.vocabulary,
            "hidden": model.settings.hidden,
            **dataclasses.asdict(measure_language(model)),
        }
    if json:
        print_json(found)
    else:
        typer.echo("\n".join([*_cell(architecture), *_lines(found)]))


def _cell(architecture: Architecture) -> list[str]:
    """How the integers of a recurrent cell were read."""
    from naokit.spaces import RecurrentCells

    space = architecture.space
    return [f"activations      {space.table}"] if isinstance(space, RecurrentCells) else []


def _lines(found: dict[str, Json]) -> list[str]:
    """The figures for people."""
    batch = f"{found['batch']} x {found['steps']} tokens"
    one, many = (
        f"{found[f'{name}_ms']:,.1f} ms ± {found[f'{name}_spread_ms']:,.1f}"
        for name in ("latency", "latency_batch")
    )
    return [
        f"size             vocabulary {found['vocabulary']:,}, hidden {found['hidden']:,}",
        f"parameters       {found['parameters']:,}",
        f"multiply-adds    {found['macs'] / 1e6:,.1f} M a token",
        f"weights          {found['weights_mb']:,.1f} MB",
        f"memory, training {found['training_mb']:,.0f} MB with {batch} a step",
        f"latency          on this processor, {found['threads']} "
        f"thread{'s' * (found['threads'] > 1)}; median and half the distance of the quartiles",
        f"  PyTorch        {one} for 1 token, {many} for {batch}",
    ]
