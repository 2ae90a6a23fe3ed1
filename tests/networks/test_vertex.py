"""Networks of cells with operations on vertices: published sizes, channels, what is added."""

import numpy as np
import pytest
import torch

from naokit.base import InputError
from naokit.networks import count_parameters, without_weights
from naokit.networks.vertex import VertexCell, VertexPlan
from naokit.settings import ImageSettings
from naokit.spaces import NasBench101

SPACE = NasBench101()
SMALL = ImageSettings(3, 6, 1, (1, 8, 8))


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ("1", 882_570),
        ("111 c3", 11_051_402),
        ("110011011100101 mp-c3-mp-c1", 4_342_154),
        ("100110100001001010101 c3-mp-c3-c3-c1", 8_555_530),
        ("100000100001000111101 c1-c1-c3-c1-c3", 5_878_154),
        ("110000010010110100101 c1-c1-mp-c1-mp", 1_664_778),
        ("100000110000011100111 c1-mp-c3-c3-mp", 2_490_930),
    ],
)
def test_networks_have_the_published_size(text: str, parameters: int) -> None:
    with without_weights():
        network = SPACE.build(SPACE.parse(text), ImageSettings(10, 128, 3, (3, 32, 32)))
    assert count_parameters(network) == parameters


def test_channels_are_shared_by_what_the_output_reads() -> None:
    three = VertexPlan(("maxpool3x3",) * 3, ((0, 1), (0, 2), (0, 3), (1, 4), (2, 4), (3, 4)))
    assert three.channels(128) == (43, 43, 42)
    # Vertex 1 is as wide as the wider of its readers 2 and 3, of which 3 does not end the cell.
    chain = VertexPlan(
        ("maxpool3x3",) * 4, ((0, 1), (1, 2), (1, 3), (3, 4), (2, 5), (4, 5), (0, 5))
    )
    assert chain.channels(7) == (4, 4, 3, 3)


def test_a_vertex_cuts_off_the_channels_that_it_does_not_have() -> None:
    plan = VertexPlan(("maxpool3x3",) * 2, ((0, 1), (1, 2), (1, 3), (2, 3)))
    cell = VertexCell(plan, 4, 7)  # 4 channels of vertex 1, 3 of vertex 2
    x = torch.rand(2, 4, 5, 5)
    projected = cell.projections["1"](x)
    pool = torch.nn.MaxPool2d(3, 1, 1)
    expected = torch.cat([pool(projected), pool(pool(projected)[:, :3])], dim=1)
    torch.testing.assert_close(cell(x), expected)


def test_an_edge_from_input_to_output_adds_its_projection() -> None:
    plan = VertexPlan(("maxpool3x3",), ((0, 1), (0, 2), (1, 2)))
    cell, x = VertexCell(plan, 4, 6), torch.rand(2, 4, 5, 5)
    pooled = torch.nn.functional.max_pool2d(cell.projections["1"](x), 3, 1, 1)
    torch.testing.assert_close(cell(x), pooled + cell.projections["2"](x))
    alone = VertexCell(VertexPlan((), ((0, 1),)), 4, 6)
    torch.testing.assert_close(alone(x), alone.projections["1"](x))


@pytest.mark.parametrize("image", [(1, 8, 8), (1, 7, 9)])
def test_random_cells_of_any_size_train(image: tuple[int, int, int]) -> None:
    """Every weight gets a gradient: nothing is built that does not reach the output."""
    generator = np.random.default_rng(0)
    for cells in (1, 2):
        settings = ImageSettings(3, 6, cells, image)
        network = SPACE.build(SPACE.sample(generator), settings)
        logits = network(torch.randn(4, *image))
        assert logits.shape == (4, 3)
        logits.square().sum().backward()
        assert all(parameter.grad is not None for parameter in network.parameters())


def test_there_is_no_auxiliary_head() -> None:
    with pytest.raises(InputError, match="have no auxiliary head"):
        SPACE.build(SPACE.parse("1"), ImageSettings(3, 6, 1, (1, 8, 8), auxiliary=True))
