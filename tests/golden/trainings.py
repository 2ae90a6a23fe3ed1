"""Two short trainings, of images and of text, and what their exported files answer."""

import hashlib
import itertools
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from tests.golden.processor import processor
from torch import Tensor, nn

from naokit.export import export, standalone
from naokit.images.bundle import ImageBundle
from naokit.images.recipes import ImageRecipe
from naokit.images.subject import ImageSubject
from naokit.runs.final import Job, train_final
from naokit.spaces import ConvCells, RecurrentCells
from naokit.text.bundle import LanguageBundle
from naokit.text.recipes import TextRecipe
from naokit.text.subject import TextSubject
from naokit.training.checkpoint import read_tensors

RECORDED = Path(__file__).with_name("trainings.json")

IMAGES = ImageRecipe(
    "golden",
    epochs=2,
    batch=32,
    learning_rate=0.01,  # at .1 two epochs make much of what kernels round otherwise
    crop_padding=1,
    flip=True,
    auxiliary_weight=0.4,
    drop_path_keep=0.9,
    train_images=320,
)
TEXT = TextRecipe("golden", epochs=2, batch=4, bptt=10, average_after=1)


def machine() -> str:
    """What rounding may depend on."""
    return f"torch {torch.__version__}, {processor()}"


def train_images(folder: Path, **of_job: Any) -> ImageBundle | LanguageBundle:
    """A classifier of the digits; the job is continued where the folder holds a part of it."""
    architecture = ConvCells.small(nodes=2).parse("0 1 1 4 0 3 1 0 0 2 1 1 2 3 0 0")
    return train_final(architecture, Job(ImageSubject("digits", 4, 1), IMAGES, folder), **of_job)


def train_text(folder: Path, **of_job: Any) -> ImageBundle | LanguageBundle:
    """A language model of sentences that follow a simple rule."""
    source = folder / "text"
    if not source.exists():
        source.mkdir(parents=True)
        for part, lines in (("train", 120), ("valid", 20), ("test", 20)):
            (source / f"{part}.txt").write_text("\n".join(_sentences(part, lines)))
    architecture = RecurrentCells(nodes=3).parse("0 0 1 1 0 2")
    return train_final(architecture, Job(TextSubject(source, 16), TEXT, folder), **of_job)


TRAININGS: dict[str, Callable[..., ImageBundle | LanguageBundle]] = {
    "images": train_images,
    "text": train_text,
}


WORDS = ("the", "a", "company", "said", "it", "would", "not", "sell", "its", "shares", "in", "this")


def _sentences(seed: str, count: int) -> list[str]:
    """Each word has two followers."""
    generator = random.Random(seed)
    lines = []
    for _ in range(count):
        place, line = generator.randrange(len(WORDS)), []
        for _ in range(generator.randint(4, 12)):
            line.append(WORDS[place])
            place = (2 * place + generator.randint(1, 2)) % len(WORDS)
        lines.append(" ".join(line))
    return lines


class Interrupted(Exception):
    """Ends a training from outside."""


def interrupted(train: Callable[..., object], folder: Path, epochs: float) -> None:
    """Begins a training and ends it after so many epochs."""

    def told(done: float) -> None:
        if done >= epochs:
            raise Interrupted

    try:
        train(folder, on_step=told)
    except Interrupted:
        return
    raise AssertionError("the training ended before it was interrupted")


def weights(folder: Path) -> dict[str, Any]:
    """The weights after the last step: their checksum, and for each tensor its sum and size."""
    found = read_tensors(folder / "last.safetensors")[0]
    whole = hashlib.sha256()
    sums = {}
    for name, tensor in sorted(found.items()):
        if name.startswith("weight.") and tensor.is_floating_point():
            whole.update(name.encode() + tensor.numpy().tobytes())
            sums[name] = [tensor.double().sum().item(), tensor.double().abs().sum().item()]
    return {"sha256": whole.hexdigest(), "sums": sums}


def outputs(bundle: ImageBundle | LanguageBundle, folder: Path) -> dict[str, list[float]]:
    """What each exported file answers to one fixed batch, by name of the file."""
    export(bundle, folder)
    answers = {"model.safetensors": _answer(bundle, bundle.network)}
    answers["network.py"] = _answer(bundle, standalone.read_standalone(folder / "network.py"))
    return {name: [round(value, 6) for value in answer] for name, answer in answers.items()}


@torch.no_grad()
def _answer(bundle: ImageBundle | LanguageBundle, network: nn.Module) -> list[float]:
    generator = torch.Generator().manual_seed(0)
    if isinstance(bundle, LanguageBundle):
        ids = torch.randint(0, bundle.settings.vocabulary, (6, 2), generator=generator)
        found: Tensor = network(ids, network.start(2)).logits[-1]
    else:
        images = torch.rand((3, *bundle.settings.image), generator=generator)
        found = network(images)
    return list(itertools.islice(found.flatten().tolist(), 24))


def record(folder: Path) -> dict[str, Any]:
    """Everything of both trainings."""
    found: dict[str, Any] = {"machine": machine()}
    for name, train in TRAININGS.items():
        bundle = train(folder / name)
        found[name] = {
            "weights": weights(folder / name),
            "outputs": outputs(bundle, folder / f"{name}-exported"),
        }
    return found


def recorded() -> dict[str, Any]:
    """What was recorded."""
    found: dict[str, Any] = json.loads(RECORDED.read_text())
    return found
