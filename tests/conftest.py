"""What every test runs under: one thread, no network, checked shapes; a trained network to use."""

import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_DATASETS_OFFLINE", "1")
os.environ["OMP_NUM_THREADS"] = "1"  # two workers share two cores, and so do their children

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import jaxtyping
import pytest

if TYPE_CHECKING:
    from naokit.export import Bundle, Check
    from naokit.images.bundle import ImageBundle
    from naokit.text.bundle import LanguageBundle

SHAPED = ["naokit.method.fit", "naokit.method.model", "naokit.networks"]
"""Where annotations give shapes; mypy checks what elsewhere has only types."""
jaxtyping.install_import_hook(SHAPED, "beartype.beartype")

SHAPED_ROOMS = {"images", "method", "networks", "text"}
"""The rooms whose tests are of these; in whole runs checks take a fifth of the time."""


@pytest.fixture(autouse=True)
def _shapes_are_checked(request: pytest.FixtureRequest) -> None:
    """Where they are tested."""
    (room, *_) = request.path.relative_to(Path(__file__).parent).parts
    jaxtyping.config.update("jaxtyping_disable", room not in SHAPED_ROOMS)


@pytest.fixture(scope="session", autouse=True)
def own_spaces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What the tests allow to be run is no one's business after them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        yield


@pytest.fixture
def few_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The digits are 500: 300 to learn from, 100 and 100 to judge by."""
    from sklearn.datasets import load_digits

    whole = load_digits()
    few = SimpleNamespace(images=whole.images[:500], target=whole.target[:500])
    monkeypatch.setattr("sklearn.datasets.load_digits", lambda: few)
    monkeypatch.setattr("naokit.images.reading.arrays.DIGITS_TRAIN", 300)
    monkeypatch.setattr("naokit.images.reading.arrays.DIGITS_VALIDATION", 100)


@pytest.fixture
def undescribed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Searches on data describe no networks, which takes time."""
    monkeypatch.setattr("naokit.method.descriptors.SPENT", 0.0)


@pytest.fixture
def small_exports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs export two small files, not every format, of which some take seconds."""
    from naokit.export import export

    def export_few(bundle: "Bundle", folder: Path, **_: object) -> object:
        return export(bundle, folder, ("safetensors", "python"))

    monkeypatch.setattr("naokit.runs.winner.export", export_few)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> "ImageBundle":
    """A tiny network that learnt the digits for two epochs."""
    from naokit.images.recipes import ImageRecipe
    from naokit.images.subject import ImageSubject
    from naokit.runs.final import Job, train_final
    from naokit.spaces import ConvCells

    recipe = ImageRecipe(
        "short", 2, 16, learning_rate=0.1, crop_padding=0, flip=False, train_images=400
    )
    job = Job(ImageSubject("digits", 4, 1), recipe, tmp_path_factory.mktemp("training"))
    return train_final(ConvCells.small(nodes=1).parse("0 1 1 4 0 3 1 0"), job)


@pytest.fixture(scope="session")
def exported(
    trained: "ImageBundle", tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, "Check"]]:
    """Its folder in every format, and the checks by name of the file; copy what you change."""
    from naokit.export import export

    folder = tmp_path_factory.mktemp("network")
    checks = export(trained, folder, ("safetensors", "onnx", "pt2", "python", "int8"))
    return folder, {check.file.name: check for check in checks}


@pytest.fixture(scope="session")
def language_model() -> "LanguageBundle":
    """A language model of twelve words with random weights, large enough to differ by the word."""
    import torch

    from naokit.export import Results
    from naokit.settings import LanguageSettings
    from naokit.spaces import RecurrentCells
    from naokit.text.bundle import LanguageBundle
    from naokit.text.task import PERPLEXITY
    from naokit.text.vocabulary import Vocabulary

    architecture = RecurrentCells(nodes=3).parse("0 0 1 1 0 2")
    settings = LanguageSettings(12, 8, output_dropout=0.5, state_dropout=0.25)
    network = architecture.space.build(architecture, settings).eval()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(0, 0.7, generator=generator)
    vocabulary = Vocabulary("word", ("the", "company", "said", "<eos>", "<unk>", *"abcdefg"))
    results = Results(PERPLEXITY, data={"data": "ptb"}, validation=92.5, test=90.25)
    return LanguageBundle(network, architecture, settings, vocabulary, results)
