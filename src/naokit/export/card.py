"""The model card: `README.md` with the front matter of the Hugging Face hub.

A card names no licence: the weights are the user's, who adds one before they are published.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from naokit.base import Json
from naokit.export.config import CONFIG, WEIGHTS, checksum
from naokit.networks import count_macs, count_parameters

if TYPE_CHECKING:
    from naokit.export.bundle import Bundle

CARD = "README.md"

TEXT = """---
{front}
---

# {title}

An image classifier that naokit found and trained. Images of {shape} (channels, height, width),
{classes} classes: {names}.

| part of {data} | accuracy |
|---|---|
{accuracies}

## Use

With naokit:

```python
import naokit

network = naokit.Pretrained.from_pretrained("{place}")  # a folder, or owner/name on the hub
names = network.predict(images)  # images: (batch, {shape}) bytes
```

With torch alone, from `network.py` and `{weights}`:

```python
import network

logits = network.load()(network.standardise(images))
```

With onnxruntime, from `model.onnx`; standardise the images first: (pixels / 255 - mean) / std with
mean {mean} and std {std} of each channel:

```python
import onnxruntime

session = onnxruntime.InferenceSession("model.onnx")
(logits,) = session.run(["logits"], {{"images": standardised}})  # float32
```

`naokit export` writes `network.py` and `model.onnx` and checks that they compute the same.
`{config}` holds the checksum of every file.

## Architecture

{parameters:,} parameters, {macs:,} multiply-accumulates an image. Space `{space}`:

```
{drawing}
```

As text: `{architecture}`. Sizes: {sizes}.

## Training

{training}

Made by {made_by}.
"""


def text(bundle: Bundle) -> str:
    """The card of a network."""
    from naokit.export.bundle import MADE_BY

    architecture, results = bundle.architecture, bundle.results
    shape = " x ".join(map(str, bundle.settings.image))
    title = f"{architecture.space.name} on {_data(results)}"
    return TEXT.format(
        front=_front(title, results),
        title=title,
        shape=shape,
        classes=len(bundle.class_names),
        names=_some(bundle.class_names),
        data=_data(results),
        accuracies="\n".join(f"| {part} | {value:.2f} % |" for part, value in _reached(results))
        or "| | not measured |",
        place="path/to/this/folder",
        weights=WEIGHTS,
        config=CONFIG,
        mean=_rounded(bundle.mean),
        std=_rounded(bundle.std),
        parameters=count_parameters(bundle.network),
        macs=count_macs(bundle.network, bundle.settings.image),
        space=architecture.space.name,
        drawing=architecture.space.describe(architecture.choices),
        architecture=architecture,
        sizes=", ".join(f"{k} {v}" for k, v in vars(bundle.settings).items() if k != "image"),
        training=_training(results),
        made_by=MADE_BY,
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


def _front(title: str, results: Mapping[str, Json]) -> str:
    from huggingface_hub import EvalResult, ModelCardData

    measured = [
        EvalResult(
            task_type="image-classification",
            dataset_type=_data(results),
            dataset_name=_data(results),
            dataset_split=part,
            metric_type="accuracy",
            metric_value=round(value / 100, 6),
        )
        for part, value in _reached(results)
    ]
    data = ModelCardData(
        library_name="naokit",
        pipeline_tag="image-classification",
        tags=["image-classification", "neural-architecture-search", "naokit"],
        model_name=title if measured else None,
        eval_results=measured or None,
    )
    return str(data.to_yaml())


def _data(results: Mapping[str, Json]) -> str:
    """The data set's name; of a path its last part: where it lies on a machine is nobody's."""
    name = str(results.get("data") or "images")
    path = Path(name)
    return (path.name or name) if path.is_absolute() or path.exists() else name


def _reached(results: Mapping[str, Json]) -> list[tuple[str, float]]:
    """(part, accuracy in percent) of every part that was measured."""
    parts = ("validation", "test")
    found = [(part, results.get(f"{part}_accuracy")) for part in parts]
    return [(part, float(value)) for part, value in found if value is not None]


def _training(results: Mapping[str, Json]) -> str:
    """A line for every plain figure that was recorded, and the recipe's."""
    recipe = results.get("recipe") or {}
    figures = {name: value for name, value in results.items() if isinstance(value, int | float)}
    rows = [f"| {name.replace('_', ' ')} | {_figure(value)} |" for name, value in figures.items()]
    rows += [
        f"| recipe: {name.replace('_', ' ')} | {_figure(value)} |" for name, value in recipe.items()
    ]
    return "\n".join(["| | |", "|---|---|", *rows]) if rows else "Not recorded."


def _figure(value: Json) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "-"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names) if len(names) <= 20 else ", ".join([*names[:20], "..."])


def _rounded(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:.6g}" for value in values)
