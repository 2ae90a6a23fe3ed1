"""An image classifier as one Python file: its modules, the plan of the two cells, a reader."""

from __future__ import annotations

from naokit import base
from naokit.export.config import WEIGHTS
from naokit.export.image_bundle import Bundle
from naokit.export.literals import literal
from naokit.export.sources import Part, entry, joined, why_not
from naokit.networks import ImageNetwork, cell, depthwise, image, operations, stem
from naokit.predicting import prepared
from naokit.spaces import ConvCells, Operation
from naokit.training import pixels

MODULES = (depthwise, operations, cell, stem, image)

DOCSTRING = """An image classifier found by naokit. Needs torch and {weights}, nothing else.

    import network                     # this file
    model = network.load()             # weights from {weights} beside it
    images = network.prepare("picture.png")            # (B, {shape}) bytes; needs Pillow, NumPy
    logits = model(network.standardise(images))        # of CLASS_NAMES
"""

END = '''

SPACE = {space}
ARCHITECTURE = {architecture}
NORMAL = {normal}
REDUCTION = {reduction}
SETTINGS = {settings}
CLASS_NAMES = {class_names}
MEAN = {mean}
STD = {std}
STREAMED = {streamed}


def build() -> ImageNetwork:
    """The network with random weights."""
    return ImageNetwork(NORMAL, REDUCTION, SETTINGS, OPERATIONS)


def load(path: str | Path = Path(__file__).with_name("{weights}")) -> ImageNetwork:
    """The trained network, in eval mode."""
    network = build()
    network.load_state_dict(read_safetensors(Path(path).read_bytes()))
    return network.eval()


def prepare(*pictures: str | Path) -> Tensor:
    """Bytes (B, C, H, W) of picture files, as naokit shows them; needs Pillow and NumPy."""
    from PIL import Image

    channels, height, width = SETTINGS.image
    shown = []
    for path in pictures:
        with Image.open(path) as picture:
            found = bytearray(prepared(picture, SETTINGS.image, STREAMED).tobytes())
        flat = torch.frombuffer(found, dtype=torch.uint8)
        shown.append(flat.view(height, width, channels).permute(2, 0, 1))
    return torch.stack(shown)


def standardise(images: Tensor) -> Tensor:
    """Bytes (B, C, H, W) as the network was trained on them."""
    mean, std = (torch.tensor(values).view(-1, 1, 1) for values in (MEAN, STD))
    return (images.float() / 255 - mean) / std
'''


def obstacle(bundle: Bundle) -> str:
    """Why the network cannot be written as one file; empty where it can."""
    if not isinstance(bundle.network, ImageNetwork):
        return "only networks made of cells can be written as a stand-alone file"
    for operation in _own_operations(bundle):
        if why := why_not(f"the operation {operation.name}", operation.build, MODULES):
            return why
    return ""


def text(bundle: Bundle) -> str:
    """The file; what came from elsewhere stands in literals alone."""
    network = bundle.network
    assert isinstance(network, ImageNetwork)
    docstring = DOCSTRING.format(weights=WEIGHTS, shape=", ".join(map(str, bundle.settings.image)))
    end = END.format(
        space=literal(bundle.architecture.space.name),
        architecture=literal(str(bundle.architecture)),
        normal=literal(network.normal),
        reduction=literal(network.reduction),
        settings=literal(bundle.settings),
        class_names=literal(bundle.class_names),
        mean=literal(bundle.mean),
        std=literal(bundle.std),
        streamed=literal(bundle.streamed),
        weights=WEIGHTS,
    )
    own = [
        part
        for operation in _own_operations(bundle)
        for part in entry("OPERATIONS", operation.name, operation.build)
    ]
    parts: list[Part] = [base.NetworkSettings, base.ImageSettings, *MODULES, *own, pixels, prepared]
    return joined(docstring, parts, end)


def _own_operations(bundle: Bundle) -> list[Operation]:
    """The operations that a user made."""
    space = bundle.architecture.space
    own = space.operations if isinstance(space, ConvCells) else ()
    return [operation for operation in own if isinstance(operation, Operation)]
