"""What a model card says of an image classifier, and what of a language model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from naokit.base import Json
from naokit.export.bundle import AnyBundle
from naokit.export.config import CONFIG, VOCABULARY, WEIGHTS
from naokit.export.image_bundle import Bundle, preparation
from naokit.export.language_bundle import LanguageBundle
from naokit.export.literals import literal
from naokit.networks import count_macs, step_macs
from naokit.training.crops import shorter_side
from naokit.wording import prose

PLACE = "path/to/this/folder"

ABOUT_IMAGES = """\
An image classifier that naokit found and trained. Images of {shape} (channels, height, width),
{classes} classes: {names}."""

USE_IMAGES = """What is done with a picture before the network gets it:

{steps}

`naokit predict {place} picture.png` does all of it. With naokit from Python:

```python
import naokit

network = naokit.Pretrained.from_pretrained("{place}")  # a folder, or owner/name on the hub
names = network.predict(network.prepare("picture.png"))  # or bytes, (batch, {shape})
```

With torch (and Pillow and NumPy) alone, from `network.py` and `{weights}`:

```python
import network

logits = network.load()(network.standardise(network.prepare("picture.png")))
names = [network.CLASS_NAMES[label] for label in logits.argmax(dim=1)]
```

With onnxruntime, from `model.onnx` or `model-int8.onnx`; the names are `class_names` of
`{config}`:

```python
import json
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

picture = ImageOps.exif_transpose(Image.open("picture.png"))
if picture.mode.startswith(("I", "F")):  # 16 bits, or fractions of 1
    deep = np.asarray(picture)
    deep = np.rint(deep * 255) if deep.dtype.kind == "f" else (deep.astype(np.uint32) + 128) // 257
    picture = Image.fromarray(deep.astype(np.uint8))
picture = picture.convert("L" if picture.mode in ("1", "L", "LA", "La") else "RGB")
picture = picture.convert("{mode}")
{resize}
pixels = np.asarray(picture, np.float32).reshape({height}, {width}, {channels}).transpose(2, 0, 1)
mean, std = (np.array(v, np.float32).reshape(-1, 1, 1) for v in ({mean}, {std}))
standardised = ((pixels / 255 - mean) / std)[None]  # (batch, {shape}), float32
session = onnxruntime.InferenceSession("model.onnx")
(logits,) = session.run(["logits"], {{"images": standardised}})
class_names = json.loads(Path("{config}").read_text())["class_names"]
names = [class_names[label] for label in logits.argmax(axis=1)]
```

From `model.pt2`, with what is `standardised` above (`torch.export.load` runs what a file asks it
to: load one from somebody you trust):

```python
import torch

program = torch.export.load("model.pt2").module()
logits = program(torch.from_numpy(standardised))
names = [class_names[label] for label in logits.argmax(dim=1)]
```"""

FIT = """\
if picture.size != ({width}, {height}):
    picture = ImageOps.fit(picture, ({width}, {height}), Image.Resampling.BICUBIC)"""

CENTRE = """\
scale = {shorter} / min(picture.size)
sides = (round(picture.width * scale), round(picture.height * scale))
picture = picture.resize(sides, Image.Resampling.BILINEAR)
left, top = (picture.width - {width}) // 2, (picture.height - {height}) // 2
picture = picture.crop((left, top, left + {width}, top + {height}))"""

ABOUT_LANGUAGE = """\
A language model that naokit found and trained: a recurrent cell of {hidden} hidden units that reads
one token after another and says what comes next. {tokens:,} tokens of the kind `{kind}`, in
`{vocabulary}`."""

USE_LANGUAGE = """With naokit:

```
naokit generate {place} --prompt "the" --tokens 50
naokit evaluate {place} --data path/to/text
```

```python
import naokit

network = naokit.load("{place}")
spoken = network(tokens, network.start(1))  # ids (steps, 1) -> spoken.logits, spoken.state
```

With torch alone, from `network.py`, `{weights}` and `{vocabulary}`:

```python
import network

model = network.load()
{alone}
```

With onnxruntime, from `model.onnx`, step by step; the state begins with zeros:

```python
import onnxruntime

session = onnxruntime.InferenceSession("model.onnx")
logits, state = session.run(["logits", "next_state"], {{"token": token, "state": state}})
# token: int64 (batch,); state: float32 (batch, {state})
```"""

WRITES = 'print(network.generate(model, "the", 50))'
READS = "spoken = model(tokens, model.start(1))  # ids (steps, 1) -> spoken.logits, spoken.state"


@dataclass(frozen=True)
class Contents:
    """What depends on the kind of a network.

    Attributes:
        data: what the data set is called where its name is not known.
        about: what it is, in a paragraph.
        use: how it is used.
        task: the hub's name of what it does.
        metric: what it is judged by.
        unit: of the figures, with a space before it.
        scale: what the hub's figures are multiplied by.
        reached: (part, figure) of every part that was measured.
        cost: what is said after the number of parameters.
    """

    data: str
    about: str
    use: str
    task: str
    metric: str
    unit: str
    scale: float
    reached: list[tuple[str, float]]
    cost: str


def contents_of(bundle: AnyBundle) -> Contents:
    """Of a network of any kind."""
    return _language(bundle) if isinstance(bundle, LanguageBundle) else _image(bundle)


def _image(bundle: Bundle) -> Contents:
    """Of an image classifier."""
    channels, height, width = bundle.settings.image
    shape = f"{channels} x {height} x {width}"
    names = bundle.class_names
    macs = count_macs(bundle.network, bundle.settings.image)
    return Contents(
        "images",
        ABOUT_IMAGES.format(shape=shape, classes=len(names), names=_some(names)),
        USE_IMAGES.format(
            place=PLACE,
            shape=shape,
            weights=WEIGHTS,
            config=CONFIG,
            steps="\n".join(f"{n}. {step}" for n, step in enumerate(preparation(bundle), 1)),
            channels=channels,
            height=height,
            width=width,
            mode="L" if channels == 1 else "RGB",
            resize=(CENTRE if bundle.streamed else FIT).format(
                shorter=shorter_side(height), width=width, height=height
            ),
            mean=literal(bundle.mean),
            std=literal(bundle.std),
        ),
        "image-classification",
        "accuracy",
        " %",
        0.01,
        _reached(bundle.results, "accuracy"),
        f", {macs:,} multiply-accumulates an image",
    )


def _language(bundle: LanguageBundle) -> Contents:
    """Of a language model."""
    return Contents(
        "text",
        ABOUT_LANGUAGE.format(
            hidden=bundle.settings.hidden,
            tokens=len(bundle.vocabulary),
            kind=bundle.vocabulary.kind,
            vocabulary=VOCABULARY,
        ),
        USE_LANGUAGE.format(
            place=PLACE,
            weights=WEIGHTS,
            vocabulary=VOCABULARY,
            state=bundle.network.start(1).shape[1],
            alone=WRITES if bundle.vocabulary.definition is None else READS,
        ),
        "text-generation",
        "perplexity",
        "",
        1.0,
        _reached(bundle.results, "perplexity"),
        f", {step_macs(bundle.network):,} multiply-accumulates a token",
    )


def _reached(results: Mapping[str, Json], metric: str) -> list[tuple[str, float]]:
    found = [(part, results.get(f"{part}_{metric}")) for part in ("validation", "test")]
    return [(part, float(value)) for part, value in found if value is not None]


def _some(names: tuple[str, ...]) -> str:
    return ", ".join([*map(prose, names[:20]), *(["..."] if len(names) > 20 else [])])
