"""What the model card says of an image classifier."""

from __future__ import annotations

from torch import nn

from naokit.export.about import PLACE, About
from naokit.export.config import CONFIG, WEIGHTS
from naokit.export.templates import card
from naokit.images.interface import Interface
from naokit.images.pictures.crops import shorter_side
from naokit.networks import count_macs

ABOUT = """\
An image classifier that naokit found and trained. Images of {{shape}} (channels, height, width),
{{ classes }} classes: {{ names }}."""

USE = """What is done with a picture before the network gets it:

{% for step in steps %}
{{ loop.index }}. {{ step | safe }}
{% endfor %}

`naokit predict {{ place }} picture.png` does all of it. With naokit from Python:

```python
import naokit

network = naokit.Pretrained.from_pretrained("{{ place }}")  # a folder, or owner/name on the hub
names = network.predict(network.prepare("picture.png"))  # or bytes, (batch, {{ shape }})
```

With torch (and Pillow and NumPy) alone, from `network.py` and `{{ weights }}`:

```python
import network

logits = network.load()(network.standardise(network.prepare("picture.png")))
names = [network.CLASS_NAMES[label] for label in logits.argmax(dim=1)]
```

With onnxruntime, from `model.onnx` or `model-int8.onnx`; the names are `class_names` of
`{{ config }}`:

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
picture = picture.convert("{{ mode }}")
{{ resize | safe }}
pixels = np.asarray(picture, np.float32).reshape({{ sides }}).transpose(2, 0, 1)
mean, std = (np.array(v, np.float32).reshape(-1, 1, 1) for v in ({{mean|literal}}, {{std|literal}}))
standardised = ((pixels / 255 - mean) / std)[None]  # (batch, {{ shape }}), float32
session = onnxruntime.InferenceSession("model.onnx")
(logits,) = session.run(["logits"], {"images": standardised})
class_names = json.loads(Path("{{ config }}").read_text())["class_names"]
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
if picture.size != ({{ width }}, {{ height }}):
    picture = ImageOps.fit(picture, ({{ width }}, {{ height }}), Image.Resampling.BICUBIC)"""

CENTRE = """\
scale = {{ shorter }} / min(picture.size)
sides = (round(picture.width * scale), round(picture.height * scale))
picture = picture.resize(sides, Image.Resampling.BILINEAR)
left, top = (picture.width - {{ width }}) // 2, (picture.height - {{ height }}) // 2
picture = picture.crop((left, top, left + {{ width }}, top + {{ height }}))"""


def about(network: nn.Module, interface: Interface) -> About:
    """What the card says of a classifier."""
    channels, height, width = interface.image
    shape = f"{channels} x {height} x {width}"
    names = interface.class_names
    shown = [*names[:20], *(["..."] if len(names) > 20 else [])]
    resize = CENTRE if interface.streamed else FIT
    use = card(
        USE,
        place=PLACE,
        shape=shape,
        weights=WEIGHTS,
        config=CONFIG,
        steps=interface.preparation(),
        sides=f"{height}, {width}, {channels}",
        mode="L" if channels == 1 else "RGB",
        resize=card(resize, shorter=shorter_side(height), width=width, height=height),
        mean=interface.mean,
        std=interface.std,
    )
    return About(
        "images",
        card(ABOUT, shape=shape, classes=len(names), names=", ".join(shown)),
        use,
        "image-classification",
        0.01,
        f", {count_macs(network, interface.image):,} multiply-accumulates an image",
    )
