"""An image classifier as one Python file: its modules, the plan of the two cells, a reader."""

from __future__ import annotations

from torch import nn

from naokit.export.config import WEIGHTS
from naokit.export.sources import SourcePart, joined
from naokit.export.templates import program
from naokit.images.interface import Interface
from naokit.images.pictures import pixels
from naokit.images.predicting import prepared
from naokit.networks import ImageNetwork, cell, depthwise, image, operations, stem
from naokit.settings import ImageSettings, NetworkSettings
from naokit.space import Architecture, Space
from naokit.spaces import ConvCells, Operation

MODULES = (depthwise, operations, cell, stem, image)

DOCSTRING = """An image classifier found by naokit. Needs torch and {{ weights | safe }}, nothing else.

    import network                     # this file
    model = network.load()             # weights from {{ weights | safe }} beside it
    images = network.prepare("picture.png")            # (B, {{ shape | safe }}) bytes; needs Pillow, NumPy
    logits = model(network.standardise(images))        # of CLASS_NAMES
"""  # noqa: E501  what is put in is shorter

END = '''

SPACE = {{ space }}
ARCHITECTURE = {{ architecture }}
NORMAL = {{ normal }}
REDUCTION = {{ reduction }}
SETTINGS = {{ settings }}
CLASS_NAMES = {{ class_names }}
MEAN = {{ mean }}
STD = {{ std }}
STREAMED = {{ streamed }}


def build() -> ImageNetwork:
    """The network with random weights."""
    return ImageNetwork(NORMAL, REDUCTION, SETTINGS, OPERATIONS)


def load(path: str | Path = Path(__file__).with_name("{{ weights | safe }}")) -> ImageNetwork:
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


def obstacle(network: nn.Module, space: Space) -> str:
    """Why the network cannot be written as one file; empty where it can."""
    if not isinstance(network, ImageNetwork):
        return "only networks made of cells can be written as a stand-alone file"
    operations = space.operations if isinstance(space, ConvCells) else ()
    own = [operation.name for operation in operations if isinstance(operation, Operation)]
    if own:
        return (
            f"the operation {own[0]} is your own: a stand-alone file holds naokit's operations "
            "alone; export to ONNX or .pt2, which hold any"
        )
    return ""


def source(
    network: nn.Module, architecture: Architecture, settings: ImageSettings, interface: Interface
) -> str:
    """The file; what came from elsewhere stands in literals alone."""
    assert isinstance(network, ImageNetwork)
    shape = ", ".join(map(str, settings.image))
    docstring = program(DOCSTRING, weights=WEIGHTS, shape=shape)
    end = program(
        END,
        space=architecture.space.name,
        architecture=str(architecture),
        normal=network.normal,
        reduction=network.reduction,
        settings=settings,
        class_names=interface.class_names,
        mean=interface.mean,
        std=interface.std,
        streamed=interface.streamed,
        weights=WEIGHTS,
    )
    parts: list[SourcePart] = [NetworkSettings, ImageSettings, *MODULES, pixels, prepared]
    return joined(docstring, parts, end)
