"""The model card: `README.md` with the front matter of the Hugging Face hub.

Each kind's `card` says what is particular to its networks. A card names no licence: the weights are
the user's, who adds one before they are published.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from naokit.base import Json
from naokit.export.about import About
from naokit.export.bundle import Bundle
from naokit.export.config import CONFIG, file_checksum
from naokit.export.templates import card
from naokit.networks import count_parameters
from naokit.wording import one_line

CARD = "README.md"

TEXT = """---
{{ front | safe }}
---

# {{ title }}

{{ about | safe }}

| part of {{ data }} | {{ metric.name }} |
|---|---|
{% for part, value in reached %}
| {{ part }} | {{ "%.2f" | format(value) }}{{ metric.unit }} |
{% else %}
| | not measured |
{% endfor %}

## Use

{{ use | safe }}

`naokit export` writes `network.py` and `model.onnx` and checks that they compute the same.
`{{ config }}` holds the checksum of every file.

## Architecture

{{ parameters }} parameters{{ cost }}. Space {{ space | code }}:

{{ drawing | block }}

As text: {{ architecture | code }}. Sizes: {{ sizes }}.

## Training

{% if figures or recipe %}
| | |
|---|---|
{% for name, value in figures.items() %}
| {{ name.replace("_", " ") }} | {{ value }} |
{% endfor %}
{% for name, value in recipe.items() %}
| recipe: {{ name.replace("_", " ") }} | {{ value }} |
{% endfor %}
{% else %}
Not recorded.
{% endif %}

Made by {{ made_by }}.
"""


def text(bundle: Bundle, made_by: str) -> str:
    """The card of a network; names and words that came from elsewhere are shown as text.

    Args:
        bundle: The network.
        made_by: The program that writes it, with its version.
    """
    architecture, results = bundle.architecture, bundle.results
    about, metric = bundle.about(), bundle.metric
    data = _data(results.data) or about.data
    title = f"{architecture.space.name} on {data}"
    return card(
        TEXT,
        front=_front(title, data, about, bundle),
        title=title,
        about=about.about,
        data=data,
        metric=metric,
        reached=results.scores.items(),
        use=about.use,
        config=CONFIG,
        parameters=f"{count_parameters(bundle.network):,}",
        cost=about.cost,
        space=architecture.space.name,
        drawing=architecture.space.describe(architecture.choices),
        architecture=architecture,
        sizes=", ".join(
            f"{name} {value}"
            for name, value in vars(bundle.settings).items()
            if not isinstance(value, tuple)
        ),
        figures={n: _figure(v) for n, v in results.to_json().items() if isinstance(v, int | float)},
        recipe={n: _figure(v) for n, v in results.recipe.items()},
        made_by=made_by,
    )


def is_ours(folder: Path, config: Mapping[str, Json]) -> bool:
    """Whether the folder's card may be written: there is none, or naokit's own, unchanged.

    Args:
        folder: The folder of the card.
        config: The config of that folder; it lists the card that was written.
    """
    path = folder / CARD
    listed = config.get("files", {}).get(CARD, {})
    return not path.exists() or listed.get("sha256") == file_checksum(path)


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
        for part, value in bundle.results.scores.items()
    ]
    card = ModelCardData(
        library_name="naokit",
        pipeline_tag=about.task or None,
        tags=[*([about.task] if about.task else []), "neural-architecture-search", "naokit"],
        model_name=title if measured else None,
        eval_results=measured or None,
    )
    return str(card.to_yaml())


def _data(remembered: Mapping[str, Json]) -> str:
    """The name of the data set, if any; only the last part of a path, to keep the rest private."""
    name = str(remembered.get("data") or "")
    path = Path(name)
    here = path.is_absolute() or os.path.exists(name)  # noqa: PTH110  no text is too long for it
    return (path.name or name) if here else name


def _figure(value: Json) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "-"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
