"""Every space keeps the contract; each has its own spellings and counts."""

import itertools
import sys

import numpy as np
import pytest

from naokit import spaces
from naokit.base import InputError
from naokit.graphs import canonical
from naokit.spaces import Choice, Choices, ConvCells, NasBench201, NasBenchGraph, TransNasMicro
from naokit.study import create_study
from naokit.testing import SpaceContract

NAONET_A = "0 7 1 15 2 8 1 7 0 6 1 7 0 8 4 7 1 5 0 7 0 7 1 13 0 6 0 14 0 9 1 10 0 14 2 6 1 11 0 7"

MLP = Choices(
    "mlp",
    (
        Choice("layers", (1, 2)),
        Choice("width", (16, 64)),
        Choice("second", (8, 32), when=("layers", (2,))),
    ),
    source=f"{__name__}:MLP",
)


class TestConvSmall(SpaceContract):
    space = ConvCells.small()

    def test_has_the_published_tokens(self) -> None:
        assert (self.space.grammar.vocabulary, self.space.grammar.length) == (12, 40)


class TestConvSmallOfTwoNodes(SpaceContract):
    space = ConvCells.small(nodes=2)


class TestConvLarge(SpaceContract):
    space = ConvCells.large()

    def test_reads_the_published_cell(self) -> None:
        assert str(self.space.parse(NAONET_A)) == NAONET_A


class TestTransNasMicro(SpaceContract):
    space = TransNasMicro()


class TestNasBenchGraph(SpaceContract):
    space = NasBenchGraph()


class TestNasBench201(SpaceContract):
    space = NasBench201()

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("|nor_conv_3x3~0|", "not a NAS-Bench-201 cell"),
            (
                "|conv~0|+|none~0|none~1|+|none~0|none~1|none~2|",
                "edge 0-1 has the unknown operation 'conv'",
            ),
        ],
    )
    def test_bad_text_is_explained(self, text: str, message: str) -> None:
        with pytest.raises(InputError, match=message):
            self.space.parse(text)


class TestChoices(SpaceContract):
    space = MLP

    def test_absent_choices_alter_nothing(self) -> None:
        one, other = self.space.parse("layers=1 width=16"), self.space.architecture((0, 0, 1))
        assert one != other
        assert one.key == other.key

    def test_present_choices_do(self) -> None:
        keys = {self.space.architecture((1, 0, c)).key for c in (0, 1)}
        assert len(keys) == 2

    def test_lists_are_taken_as_well(self) -> None:
        width = Choice("width", [16, 64])
        second = Choice("second", ["a", "b"], when=("width", [64]))
        space = Choices("mlp", [width, second])
        assert space == Choices(
            "mlp",
            (Choice("width", (16, 64)), Choice("second", ("a", "b"), when=("width", (64,)))),
        )
        assert space.parse("width=64 second=b").key
        with pytest.raises(InputError, match="`values` is 'relu'; expected several values"):
            Choice("activation", "relu")

    def test_a_missing_value_is_named(self) -> None:
        with pytest.raises(InputError, match="second has no value"):
            self.space.parse("layers=2 width=16")


class TestChoicesThatMayBeAbsent(SpaceContract):
    space = Choices(
        "models",
        (
            Choice("model", ("forest", "linear")),
            Choice("depth", (None, 2, 4, 8)),
            Choice("kernel", (None, "rbf")),
        ),
    )

    def test_none_is_no_value_and_leaves_the_numbers_in_order(self) -> None:
        absent, deep = (
            self.space.parse("model=linear kernel=rbf"),
            self.space.parse("model=forest depth=8"),
        )
        assert str(absent) == "model=linear depth=none kernel=rbf"
        assert self.space.values(absent.choices) == {"model": "linear", "kernel": "rbf"}
        assert absent.graphs[0].labels == ("input", "model=linear", "kernel=rbf", "output")
        assert [list(self.space.numbers(a.choices)) for a in (absent, deep)] == [[0.5], [1.0]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda words: words[:-1], "has 40 integers .*, not 39"),
        (lambda words: ["5", *words[1:]], r"integer 1 \(normal.2.x.input\) is 5; .*0 to 1"),
        (lambda words: [words[0], "4", *words[2:]], r"integer 2 .* is 4; an operation, 5 to 15"),
        (lambda words: ["x", *words[1:]], "integer 1 .* is x"),
    ],
)
def test_a_bad_genotype_names_the_position(change, message) -> None:
    text = " ".join(change(NAONET_A.split()))
    with pytest.raises(InputError, match=message):
        ConvCells.large().parse(text)


def test_renumbered_nodes_are_the_same_cell() -> None:
    space = ConvCells.small(nodes=2)
    one = space.parse("0 0 1 1 0 2 1 3 0 0 1 0 0 0 1 0")
    other = space.parse("0 2 1 3 0 0 1 1 0 0 1 0 0 0 1 0")
    assert one.key == other.key


def test_a_free_identity_is_no_operation_but_a_strided_one_is() -> None:
    space = ConvCells.small(nodes=2)
    reduction = "0 0 1 0 0 0 1 0"
    # Node 3 adds node 2 (= 0 + 0) to an operation on 1: nothing is left of the free identities.
    normal = canonical(space.parse(f"0 4 0 4 2 4 1 0 {reduction}").graphs[0])
    assert normal.labels == ("input0", "input1", "sep_conv_3x3", "sum", "output")
    assert (0, 3, 2) in normal.edges
    strided = space.parse("0 0 1 0 0 0 1 0 0 4 1 0 2 0 2 0").graphs[1]
    assert "identity" in canonical(strided).labels


def test_twice_the_same_is_not_once() -> None:
    space = NasBench201()
    once = space.parse("|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|skip_connect~1|none~2|")
    twice = space.parse(
        "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|skip_connect~0|skip_connect~1|skip_connect~2|"
    )
    assert once.key != twice.key


def test_nas_bench_201_has_its_published_number_of_distinct_cells() -> None:
    """5,425 classes after null operations, dead nodes and free identities are taken out."""
    space = NasBench201()
    every = itertools.product(range(5), repeat=6)
    assert len({space.architecture(choices).key for choices in every}) == 5425


def test_unknown_names_come_with_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean conv-small"):
        spaces.load("conv-smal")
    far = r"there is no space 'zzz'; there are conv-small, .*recurrent \(a space of your own is"
    with pytest.raises(InputError, match=far):
        spaces.load("zzz")


def test_a_space_of_ones_own_is_loaded_from_a_file(tmp_path) -> None:
    (tmp_path / "tiny_cells.py").write_text(
        "from torch import nn\n"
        "from naokit.spaces import ConvCells, Operation\n"
        "def tiny(channels, stride):\n"
        "    return nn.Conv2d(channels, channels, 1, stride)\n"
        "SPACE = ConvCells(2, (Operation('tiny', tiny), 'identity'), 'mine')\n"
    )
    space = spaces.load(f"{tmp_path}/tiny_cells.py:SPACE")
    assert space.name == "mine"
    assert spaces.from_settings(space.settings()).settings() == space.settings()
    (tmp_path / "tiny_cells.py").unlink()
    with pytest.raises(InputError, match="is Python code"):
        spaces.from_settings(space.settings())


MINE = "from naokit.spaces import Choice, Choices\nS = Choices('s', (Choice('a', (1, 2)),))\n"


def test_a_space_of_ones_own_is_found_from_another_folder_and_after_a_move(
    tmp_path, monkeypatch
) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "my.py").write_text(MINE)
    monkeypatch.chdir(tmp_path / "sub")
    settings = spaces.load("my.py:S").settings()
    study = create_study(spaces.load("my.py:S"), storage=f"sqlite:///{tmp_path}/s.db", name="s")
    older = {**settings, "source": "my.py:S"}
    assert spaces.from_settings(older).name == "s"
    study.optuna.set_user_attr("naokit", {**study.settings, "space": older})
    create_study(spaces.load("my.py:S"), storage=f"sqlite:///{tmp_path}/s.db", name="s")

    monkeypatch.chdir(tmp_path)
    assert spaces.from_settings(settings).settings() == settings
    (tmp_path / "sub" / "my.py").rename(tmp_path / "my.py")
    with pytest.raises(InputError, match="not run; if you trust it"):
        spaces.from_settings(settings)
    assert spaces.load("my.py:S") == spaces.from_settings(settings)
    create_study(spaces.load("my.py:S"), storage=f"sqlite:///{tmp_path}/s.db", name="s")


def test_a_module_in_the_current_folder_is_found(tmp_path, monkeypatch) -> None:
    package = tmp_path / "of_my_own"
    package.mkdir()
    (package / "space.py").write_text(MINE)
    (package / "broken.py").write_text("1 / 0")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [place for place in sys.path if place])
    before = list(sys.path)
    assert spaces.load("of_my_own.space:S").settings()["source"] == "of_my_own.space:S"
    with pytest.raises(InputError, match="could not be imported: ZeroDivisionError"):
        spaces.load("of_my_own.broken:S")
    assert sys.path == before


def test_suggested_architectures_are_ordinary_optuna_trials() -> None:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(lambda trial: float(len(str(MLP.suggest(trial)))), n_trials=10)
    present = [set(trial.params) for trial in study.trials]
    assert {"layers", "width"} in present
    assert {"layers", "width", "second"} in present


def test_spaces_are_sampled_evenly() -> None:
    space = ConvCells.small(nodes=1)
    generator = np.random.default_rng(0)
    drawn = np.array([space.sample(generator).choices for _ in range(2000)])
    for position, count in enumerate(space.grammar.counts):
        share = np.bincount(drawn[:, position], minlength=count) / len(drawn)
        np.testing.assert_allclose(share, 1 / count, atol=0.04)
