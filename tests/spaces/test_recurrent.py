"""The space of recurrent cells: official texts, tables of activations, what is the same cell."""

import re

import pytest

from naokit import spaces
from naokit.base import InputError
from naokit.graphs import canonical
from naokit.networks import ACTIVATIONS, count_parameters
from naokit.settings import ImageSettings, LanguageSettings
from naokit.spaces import Activation, RecurrentCells
from naokit.spaces.recurrent import TABLES
from naokit.testing import SpaceContract

NAO = "0 1 0 1 1 1 3 0 4 1 4 1 5 1 1 1 7 1 1 1 1 2"
NAO_WS = "0 1 1 1 2 2 1 2 4 1 4 1 4 1 7 1 8 2 1 0 4 1"


class TestRecurrent(SpaceContract):
    space = RecurrentCells()

    def test_has_the_published_tokens(self) -> None:
        grammar = self.space.grammar
        assert (grammar.vocabulary, grammar.length, grammar.group) == (16, 22, 2)
        assert grammar.tokens(self.space.read(NAO_WS))[:4] == (1, 13, 2, 13)


class TestRecurrentOfOneNode(SpaceContract):
    space = RecurrentCells.of_table("nao", nodes=1)


class TestRecurrentWithTwoActivations(SpaceContract):
    space = RecurrentCells(4, ("relu", "tanh"), "short")


def test_the_official_strings_decode_as_their_scripts_do() -> None:
    nao, sharing = RecurrentCells.of_table("nao"), RecurrentCells.of_table("nao-ws")
    assert nao.steps(nao.read(NAO)) == (
        *((0, "relu"), (0, "relu"), (1, "relu"), (3, "tanh"), (4, "relu"), (4, "relu")),
        *((5, "relu"), (1, "relu"), (7, "relu"), (1, "relu"), (1, "identity")),
    )
    assert sharing.steps(sharing.read(NAO_WS)) == (
        *((0, "relu"), (1, "relu"), (2, "sigmoid"), (1, "sigmoid"), (4, "relu"), (4, "relu")),
        *((4, "relu"), (7, "relu"), (8, "sigmoid"), (1, "tanh"), (4, "relu")),
    )
    assert nao.parse(NAO).key != sharing.parse(NAO).key


def test_every_activation_of_a_table_can_be_built() -> None:
    assert {name for table in TABLES.values() for name in table} == set(ACTIVATIONS)


def test_renumbered_nodes_are_the_same_cell() -> None:
    space = RecurrentCells(4)
    # 0 -> relu -> tanh, and 0 -> sigmoid -> identity, in two orders
    one, other = space.parse("0 1 1 0 0 2 3 3"), space.parse("0 2 0 1 1 3 2 0")
    assert one.key == other.key
    assert one.key != space.parse("0 2 0 1 2 3 1 0").key


def test_an_identity_is_a_node_like_any_other() -> None:
    graph = canonical(RecurrentCells(2).parse("0 3 1 1").graphs[0])
    assert graph.labels == ("input0", "identity", "relu", "output")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 1 1", "recurrent with 2 nodes has 4 integers (input activation a node), not 3"),
        ("0 1 2 1", "integer 3 (node2.input) is 2; an earlier node, 0 to 1, was expected"),
        ("0 1 -1 1", "integer 3 (node2.input) is -1; an earlier node"),
        (
            "0 4 1 1",
            "integer 2 (node1.activation) is 4; an activation was expected: 0 tanh, 1 relu",
        ),
        ("0 -1 1 1", "integer 2 (node1.activation) is -1; an activation"),
        ("0 relux 1 1", "there is no activation 'relux'; did you mean relu?"),
    ],
)
def test_a_bad_genotype_names_the_position(text: str, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        RecurrentCells(2).parse(text)


def test_an_activation_may_be_named() -> None:
    space = RecurrentCells(2)
    assert space.parse("0 relu, 1 identity") == space.parse("0 1 1 3")


def test_the_description_says_what_surrounds_the_nodes_and_the_table() -> None:
    space = RecurrentCells.of_table("nao", nodes=2)
    assert space.describe(space.read("0 1 1 2")).splitlines() == [
        "0 = tanh(input, state)",
        "1 = relu(0)",
        "2 = identity(1)",
        "output = mean(1 to 2), which is the next state",
        "f(a) is gated: a + c (f(W a) - a), where c = sigmoid(V a); node 0 starts from the state",
        "activations: 0 tanh, 1 relu, 2 identity, 3 sigmoid (nao)",
    ]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RecurrentCells(0), "at least one node"),
        (lambda: RecurrentCells(2, ("relu", "relu")), "different names"),
        (lambda: RecurrentCells(2, ("sigmoyd",)), "did you mean sigmoid"),
        (lambda: RecurrentCells(2, (Activation("two words", abs),)), "letters and digits"),
        (lambda: spaces.load("recurrent", activations="nao-wz"), "did you mean nao-ws"),
        (lambda: spaces.load("conv-small", activations="nao"), "no activations to set"),
    ],
)
def test_a_space_that_cannot_be_is_explained(make, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()


def test_spaces_are_loaded_with_nodes_and_table() -> None:
    assert spaces.load("recurrent") == RecurrentCells(11, TABLES["nao-ws"])
    assert spaces.load("recurrent", nodes=3, activations="nao") == RecurrentCells(3, TABLES["nao"])


def test_a_space_of_ones_own_is_loaded_from_a_file_and_builds(tmp_path) -> None:
    import torch

    place = f"{tmp_path}/mine.py:SPACE"
    (tmp_path / "mine.py").write_text(
        "from naokit.spaces import Activation, RecurrentCells\n"
        "def doubled(values):\n"
        "    return 2 * values\n"
        "SPACE = RecurrentCells(2, ('relu', Activation('doubled', doubled)), 'mine')\n"
    )
    space = spaces.load(place, nodes=3)
    assert space.settings() == {
        "space": "mine",
        "nodes": 3,
        "activations": ["relu", "doubled"],
        "source": place,
    }
    assert spaces.from_settings(space.settings()).settings() == space.settings()
    model = space.build(space.parse("0 1 1 0 1 doubled"), LanguageSettings(5, 4))
    assert model(torch.zeros(2, 1, dtype=torch.int64)).logits.shape == (2, 1, 5)
    with pytest.raises(InputError, match="leave `activations` out"):
        spaces.load(place, activations="nao")


@pytest.mark.parametrize(("table", "text"), [("nao", NAO), ("nao-ws", NAO_WS)])
def test_parameters_are_golden(table: str, text: str) -> None:
    """docs/specification.md, section 5.2: measured in the official code."""
    import torch

    architecture = RecurrentCells.of_table(table).parse(text)
    with torch.device("meta"):
        model = architecture.space.build(architecture, LanguageSettings(10_000, 850))
    assert count_parameters(model) == 27_295_000 == 10_000 * 850 + 10_000 + 26 * 850**2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (ImageSettings(), "needs LanguageSettings"),
        (LanguageSettings(10, 0), "1 or more hidden units, not 10 and 0"),
    ],
)
def test_other_settings_are_refused(settings, message: str) -> None:
    architecture = RecurrentCells(1).parse("0 1")
    with pytest.raises(InputError, match=message):
        architecture.space.build(architecture, settings)
