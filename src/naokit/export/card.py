"""The model card: `README.md` with the front matter of the Hugging Face hub.

What it says of each kind of network: see `card_contents`. A card names no licence: the weights are
the user's, who adds one before they are published.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from naokit.base import Json
from naokit.export.about import About
from naokit.export.bundle import Bundle
from naokit.export.config import CONFIG, checksum
from naokit.networks import count_parameters
from naokit.wording import block, code, one_line, prose

CARD = "README.md"

TEXT = """---
{front}
---

# {title}

{about}

| part of {data} | {metric} |
|---|---|
{figures}

## Use

{use}

`naokit export` writes `network.py` and `model.onnx` and checks that they compute the same.
`{config}` holds the checksum of every file.

## Architecture

{parameters:,} parameters{cost}. Space {space}:

{drawing}

As text: {architecture}. Sizes: {sizes}.

## Training

{training}

Made by {made_by}.
"""


def text(bundle: Bundle, made_by: str) -> str:
    """The card of a network; names and words that came from elsewhere are shown as text.

    Args:
        bundle: The network.
        made_by: The program that writes it, with its version.
    """
    architecture, results = bundle.architecture, bundle.results
    about, metric = bundle.about(), bundle.metric
    data = _data(results) or about.data
    title = f"{architecture.space.name} on {data}"
    return TEXT.format(
        front=_front(title, data, about, bundle),
        title=prose(title),
        about=about.about,
        data=prose(data),
        metric=metric.name,
        figures="\n".join(
            f"| {part} | {value:.2f}{metric.unit} |" for part, value in reached(bundle)
        )
        or "| | not measured |",
        use=about.use,
        config=CONFIG,
        parameters=count_parameters(bundle.network),
        cost=about.cost,
        space=code(architecture.space.name),
        drawing=block(architecture.space.describe(architecture.choices)),
        architecture=code(architecture),
        sizes=", ".join(
            f"{name} {prose(value)}"
            for name, value in vars(bundle.settings).items()
            if not isinstance(value, tuple)
        ),
        training=_training(results),
        made_by=made_by,
    )


def is_ours(folder: Path, config: Mapping[str, Json]) -> bool:
    """Whether the folder's card may be written: there is none, or naokit's own, unchanged.

    Args:
        folder: of the card.
        config: of that folder; it lists the card that was written.
    """
    path = folder / CARD
    listed = config.get("files", {}).get(CARD, {})
    return not path.exists() or listed.get("sha256") == checksum(path)


def reached(bundle: Bundle) -> list[tuple[str, float]]:
    """The value of the metric on every part that was measured."""
    results, name = bundle.results, bundle.metric.name
    found = [(part, results.get(f"{part}_{name}")) for part in ("validation", "test")]
    return [(part, float(value)) for part, value in found if value is not None]


def _front(title: str, data: str, about: About, bundle: Bundle) -> str:
    from huggingface_hub import EvalResult, ModelCardData

    title, data = one_line(title), one_line(data)  # the rest of YAML is the library's business

    measured = [
        EvalResult(
            task_type=about.task or "other",
            dataset_type=data,
            dataset_name=data,
            dataset_split=part,
            metric_type=bundle.metric.name,
            metric_value=round(value * about.scale, 6),
        )
        for part, value in reached(bundle)
    ]
    card = ModelCardData(
        library_name="naokit",
        pipeline_tag=about.task or None,
        tags=[*([about.task] if about.task else []), "neural-architecture-search", "naokit"],
        model_name=title if measured else None,
        eval_results=measured or None,
    )
    return str(card.to_yaml())


def _data(results: Mapping[str, Json]) -> str:
    """The data set's name, if any; of a path the last part: where it lies is nobody's business."""
    name = str(results.get("data") or "")
    path = Path(name)
    here = path.is_absolute() or os.path.exists(name)  # noqa: PTH110  no text is too long for it
    return (path.name or name) if here else name


def _training(results: Mapping[str, Json]) -> str:
    """A line for every plain figure that was recorded, and the recipe's."""
    recipe = results.get("recipe") or {}
    figures = {name: value for name, value in results.items() if isinstance(value, int | float)}
    rows = [_row("", *figure) for figure in figures.items()]
    rows += [_row("recipe: ", *figure) for figure in recipe.items()]
    return "\n".join(["| | |", "|---|---|", *rows]) if rows else "Not recorded."


def _row(of: str, name: str, value: Json) -> str:
    return f"| {of}{prose(name.replace('_', ' '))} | {prose(_figure(value))} |"


def _figure(value: Json) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "-"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
