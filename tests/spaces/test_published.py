"""The published networks: their parameters against sums written out here, apart from the code."""

import re

import pytest
import torch

import naokit
from naokit import spaces
from naokit.base import InputError
from naokit.networks import count_macs, count_parameters
from naokit.spaces.published import (
    GENOTYPES,
    IMAGE_NETWORKS,
    LANGUAGE_MODELS,
    Genotype,
    Size,
    genotype,
    written_in,
)

NETWORKS = [(g, size) for g in IMAGE_NETWORKS.values() for size in g.sizes]


def normalise(channels: int) -> int:
    return 2 * channels


def reduce(before: int, channels: int) -> int:
    """Two 1x1 convolutions to half of the channels."""
    return before * channels + normalise(channels)


def operation(name: str, channels: int, stride: int) -> int:
    kind, _, kernel = name.removesuffix("_padded").rpartition("_")
    side = int(kernel.rpartition("x")[2]) if "x" in kernel else 0
    square = channels * channels
    if "pool" in name:
        return 0
    if name == "identity":
        return 0 if stride == 1 else reduce(channels, channels)
    if kind == "sep_conv":
        return 2 * (side * side * channels + square + normalise(channels))
    if name in ("conv_1x3_3x1", "conv_1x7_7x1"):
        long = 3 if "1x3" in name else 7
        return 2 * (long * square + normalise(channels))
    return side * side * square + normalise(channels)


def parameters(published: Genotype, size: Size) -> int:
    """Sections 1.1 to 1.3, summed."""
    colours, f = size.image[0], size.channels
    if size.data == "ImageNet":
        total = 9 * colours * (f // 2) + normalise(f // 2)
        total += 9 * (f // 2) * f + normalise(f) + 9 * f * f + normalise(f)
        before, last = (f, 4), (f, 2)  # channels, relative side
    else:
        total = 9 * colours * 3 * f + normalise(3 * f)
        before = last = (3 * f, 4)
    channels = f
    for index in range(3 * size.cells + 2):
        reduction = index in (size.cells, 2 * size.cells + 1)
        channels *= 2 if reduction else 1
        branches = published.space.branches(published.architecture.choices, int(reduction))
        if before[1] != last[1]:
            total += reduce(before[0], channels)
        elif before[0] != channels:
            total += before[0] * channels + normalise(channels)
        if last[0] != channels:
            total += last[0] * channels + normalise(channels)
        for source, name in branches:
            total += operation(name, channels, 2 if reduction and source < 2 else 1)
        loose = set(range(7)) - {source for source, _ in branches}
        if reduction:
            total += sum(reduce(channels, channels) for end in loose if end < 2)
        before, last = last, (len(loose) * channels, last[1] / 2 if reduction else last[1])
    return total + last[0] * size.classes + size.classes


def built(published: Genotype, size: Size) -> torch.nn.Module:
    with torch.device("meta"):
        return naokit.build(
            published.name,
            classes=size.classes,
            channels=size.channels,
            cells=size.cells,
            image=size.image,
        )


@pytest.mark.parametrize(
    ("published", "size"), NETWORKS, ids=[f"{g.name}-{s.data}-{s.channels}" for g, s in NETWORKS]
)
def test_parameters_are_the_sum_of_the_parts(published: Genotype, size: Size) -> None:
    network = built(published, size)
    assert count_parameters(network) == parameters(published, size) == size.parameters
    assert count_macs(network, size.image) == size.macs


@pytest.mark.parametrize(
    ("name", "channels", "expected"),
    [
        ("naonet-a", 36, 11_470_150),
        ("naonet-a", 64, 36_186_058),
        ("naonet-a", 128, 144_576_394),
        ("naonet-a", 42, 11_353_831),
        ("naonet-b", 36, 2_921_302),
        ("naonet-ws", 36, 2_301_310),
        ("naonet-v2", 36, 4_387_654),
        ("naonet-v2", 52, 7_026_850),
    ],
)
def test_parameters_are_golden(name: str, channels: int, expected: int) -> None:
    """The first three were counted in the official code (docs/specification.md, section 5.2)."""
    size = next(size for size in IMAGE_NETWORKS[name].sizes if size.channels == channels)
    assert parameters(IMAGE_NETWORKS[name], size) == expected


def test_the_cifar_100_network_is_golden_too() -> None:
    size = next(size for size in IMAGE_NETWORKS["naonet-a"].sizes if size.data == "CIFAR-100")
    assert parameters(IMAGE_NETWORKS["naonet-a"], size) == 144_714_724


@pytest.mark.parametrize("name", IMAGE_NETWORKS)
def test_every_genotype_builds_and_runs(name: str) -> None:
    network = naokit.build(name, classes=3, channels=4, cells=1, image=(1, 8, 8))
    assert network(torch.randn(2, 1, 8, 8)).shape == (2, 3)
    assert genotype(name).source


def test_the_imagenet_network_is_counted() -> None:
    size = next(size for size in IMAGE_NETWORKS["naonet-a"].sizes if size.data == "ImageNet")
    assert count_macs(built(IMAGE_NETWORKS["naonet-a"], size), size.image) == pytest.approx(
        1.244e9, rel=1e-3
    )


@pytest.mark.parametrize("name", GENOTYPES)
def test_every_result_says_whose_it_is(name: str) -> None:
    """A source is a paper or a repository, which an abstract or a README alone is not."""
    for size in genotype(name).sizes:
        assert bool(size.result) == bool(size.source)
        assert not size.source or re.search(r"arXiv \d|github.com/|NeurIPS|ICLR", size.source)


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean naonet-"):
        naokit.build("naonet-c")


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        (
            "nao-rnn",
            "PTB",
            27_295_000,
        ),  # measured in the official code (docs/specification.md, section 5.2)
        ("nao-rnn-ws", "PTB", 27_295_000),
        ("darts-rnn", "PTB", 22_960_000),  # "22.960MB" in the README of DARTS
        ("nao-rnn", "WikiText-2", 33_278 * 701 + 26 * 700**2),
        ("lstm", "PTB", 27_290_746),  # as many as a cell of 11 nodes, at most
    ],
)
def test_language_models_have_the_published_parameters(name: str, data: str, expected: int) -> None:
    size = next(size for size in LANGUAGE_MODELS[name].sizes if size.data == data)
    with torch.device("meta"):
        model = naokit.build(name, vocabulary=size.vocabulary, hidden=size.hidden)
    assert count_parameters(model) == expected == size.parameters


def test_the_cell_of_darts_is_that_of_its_script() -> None:
    cell = LANGUAGE_MODELS["darts-rnn"].architecture
    assert cell.space.steps(cell.choices) == (
        *((0, "sigmoid"), (1, "relu"), (1, "relu"), (1, "identity")),
        *((2, "tanh"), (5, "sigmoid"), (3, "tanh"), (5, "relu")),
    )


@pytest.mark.parametrize("name", LANGUAGE_MODELS)
def test_every_language_model_builds_runs_and_is_made_again(name: str) -> None:
    model = naokit.build(name, vocabulary=7, hidden=4)
    assert model(torch.zeros(3, 2, dtype=torch.int64), model.start(2)).logits.shape == (3, 2, 7)
    space = LANGUAGE_MODELS[name].space
    assert spaces.from_settings(space.settings()) == space
    assert space.reads == "text"
    assert LANGUAGE_MODELS[name].source


@pytest.mark.parametrize(
    ("name", "sizes", "message"),
    [
        ("nao-rnn", {"channels": 8}, "recurrent read text: leave channels out; .*vocabulary, hid"),
        ("lstm", {"classes": 3, "hidden": 4}, "reference-recurrent read text: leave classes out"),
        ("naonet-b", {"hidden": 8}, "conv-small read images: leave hidden out; they take classes"),
        ("nao-rnn", {"vocabulary": 1}, "vocabulary of 2 or more"),
        ("naonet-b", {"image": (1, 8)}, r"`image` is \(1, 8\); expected the shape \(channels, h"),
        ("naonet-b", {"image": 8}, "`image` is 8"),
        (None, {}, "`architecture` is None; expected an architecture"),
    ],
)
def test_what_cannot_be_built_is_refused(name, sizes, message) -> None:
    with pytest.raises(InputError, match=message):
        naokit.build(name, **sizes)


@pytest.mark.parametrize(
    ("space", "options", "names"),
    [
        ("conv-small", {}, ["naonet-b", "naonet-ws", "naonet-v2", "enas"]),
        ("conv-small", {"nodes": 3}, []),
        ("conv-large", {}, ["naonet-a"]),
        ("recurrent", {}, ["nao-rnn-ws"]),
        ("recurrent", {"activations": "nao"}, ["nao-rnn"]),
        ("recurrent", {"nodes": 8}, ["darts-rnn"]),
        ("nas-bench-201", {}, []),
    ],
)
def test_the_published_cells_of_a_space(space: str, options: dict, names: list[str]) -> None:
    searched = spaces.load(space, **options)
    found = written_in(searched)
    assert list(found) == names
    for name, architecture in found.items():
        assert architecture.space == searched
        assert architecture.graphs == genotype(name).architecture.graphs
