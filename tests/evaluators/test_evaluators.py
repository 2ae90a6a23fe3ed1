"""Evaluators: training from scratch on real digits, and tables of known results."""

import dataclasses
import gzip
from pathlib import Path

import pytest

from naokit import evaluators
from naokit.base import EvaluationFailed, InputError
from naokit.evaluators import Tabular, Train
from naokit.evaluators.function import Function
from naokit.evaluators.tabular import columns_space, read_tables
from naokit.graphs import canonical
from naokit.images.recipes import RECIPES
from naokit.space import Architecture
from naokit.spaces import (
    Choice,
    Choices,
    ConvCells,
    NasBench201,
    NasBenchGraph,
    TransNasMicro,
    from_settings,
)
from naokit.study import Study, create_study
from naokit.testing import EvaluatorContract

SHARED = Path(__file__).parents[3] / "shared" / "data" / "tabular"
SPACE = ConvCells.small(nodes=1)
ONE = SPACE.parse("0 0 1 0 0 3 1 4")
ROWS = [
    ("|none~0|+|none~0|none~1|+|nor_conv_3x3~0|none~1|none~2|", "90.5", "a", "1.5"),
    ("|skip_connect~0|+|none~0|none~1|+|none~0|nor_conv_3x3~1|none~2|", "80.0", "b", "2.5"),
    ("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|", "", "c", ""),
]


def table(path: Path, rows=ROWS, header: str = "arch,acc,class,ms") -> Path:
    path.write_text("\n".join([header, *(",".join(row) for row in rows)]) + "\n")
    return path


class TestTabular(EvaluatorContract):
    @pytest.fixture(autouse=True)
    def _table(self, tmp_path: Path) -> None:
        self.table = table(tmp_path / "t.csv")

    architectures = tuple(NasBench201().parse(row[0]) for row in ROWS[:2])

    def evaluator(self) -> Tabular:
        return Tabular(
            NasBench201(),
            self.table,
            architecture_column="arch",
            metric="acc",
            also=["ms"],
            direction="minimize",
        )

    def test_another_table_is_not_what_it_was(self) -> None:
        settings = self.evaluator().settings()
        table(self.table, ROWS[:1])
        with pytest.raises(InputError, match="the evaluator tabular is not what it was: table was"):
            evaluators.from_settings(settings)


class TestTrain(EvaluatorContract):
    architectures = (ONE,)

    def evaluator(self) -> Train:
        brief = dataclasses.replace(RECIPES["quick"], epochs=1, batch=32, train_images=96)
        return Train("digits", brief, channels=4)


class TestFunction(EvaluatorContract):
    architectures = (ONE,)

    def evaluator(self) -> Function:
        return Function(spelled_length, "maximize")


def spelled_length(architecture: Architecture) -> float:
    return float(len(str(architecture)))


def test_settings_without_a_source_make_no_evaluator() -> None:
    for settings in ({}, {"evaluator": "train", "recipe": {}}, {"evaluator": "Mine"}):
        with pytest.raises(InputError, match="do not say where its data come from"):
            evaluators.from_settings(settings)


def test_data_that_moved_are_the_same_data(tmp_path: Path) -> None:
    def searched(folder: str) -> Study:
        (tmp_path / folder).mkdir()
        evaluator = Tabular(
            NasBench201(),
            table(tmp_path / folder / "t.csv"),
            architecture_column="arch",
            metric="acc",
        )
        storage = f"sqlite:///{tmp_path}/s.db"
        study = create_study(evaluator.space, storage=storage, method="random")
        study.optimize(evaluator, 1)
        return study

    recorded = searched("a").settings["evaluator"]
    assert recorded["source"]["tables"] == [str(tmp_path / "a" / "t.csv")]
    assert searched("b").settings["evaluator"] == recorded


def test_training_gives_a_real_score_that_its_seed_repeats() -> None:
    quick = dataclasses.replace(RECIPES["quick"], epochs=4, batch=32, train_images=800)
    evaluator = Train("digits", quick)
    result = evaluator.evaluate(ONE, seed=1)
    assert 30 < result.value <= 100
    assert result.metrics["parameters"] > 1000
    assert evaluator.evaluate(ONE, seed=1).value == result.value
    assert evaluator.settings()["recipe"]["train_images"] == 800


def test_a_training_that_takes_too_long_has_failed() -> None:
    with pytest.raises(EvaluationFailed) as caught:
        Train("digits", "quick", seconds=0.01).evaluate(ONE, seed=1)
    assert caught.value.reason == "out of time"


def test_a_table_is_looked_up_by_canonical_form_first_row_first(tmp_path: Path) -> None:
    """Rows 1 and 2 compute the same: a convolution from input to output."""
    evaluator = Tabular(
        NasBench201(), table(tmp_path / "t.csv"), architecture_column="arch", metric="acc"
    )
    first, second = (evaluator.space.parse(row[0]) for row in ROWS[:2])
    assert evaluator.evaluate(first, 0).value == evaluator.evaluate(second, 0).value == 90.5
    assert len(evaluator.values) == 2


def test_a_class_column_says_what_is_distinct(tmp_path: Path) -> None:
    evaluator = Tabular(
        NasBench201(),
        table(tmp_path / "t.csv"),
        architecture_column="arch",
        metric="acc",
        class_column="class",
    )
    assert evaluator.evaluate(evaluator.space.parse(ROWS[1][0]), 0).value == 80.0
    study = create_study(evaluator.space, method="random")
    study.optimize(evaluator, 50)
    assert study.evaluations == 3
    assert [trial.reason for trial in study.trials if trial.value is None] == ["no value"]


def test_what_the_table_does_not_hold_is_a_failed_evaluation(tmp_path: Path) -> None:
    evaluator = Tabular(
        NasBench201(), table(tmp_path / "t.csv"), architecture_column="arch", metric="acc"
    )
    with pytest.raises(EvaluationFailed, match="no row for"):
        evaluator.evaluate(evaluator.space.architecture((3,) * 6), 0)


def test_two_tables_are_joined_on_the_architecture(tmp_path: Path) -> None:
    one = table(tmp_path / "a.csv")
    other = table(tmp_path / "b.csv", [(ROWS[0][0], "7")], "arch,energy")
    evaluator = Tabular(
        NasBench201(),
        [one, other],
        architecture_column="arch",
        metric="energy",
        direction="minimize",
    )
    assert list(evaluator.values.values()) == [7.0]


@pytest.mark.parametrize(
    ("make", "metric", "message"),
    [
        (lambda p: p / "none.csv", "acc", "there is no file"),
        (lambda p: table(p / "t.csv", []), "acc", "no rows"),
        (lambda p: table(p / "t.csv"), "top1", "no column 'top1'; it has arch, acc, class, ms"),
        (lambda p: table(p / "t.csv", [(ROWS[0][0], "x", "", "")]), "acc", "line 2 .* acc is 'x'"),
        (lambda p: table(p / "t.csv", [("|x|", "1", "", "")]), "acc", "line 2 .*not a NAS-Bench"),
    ],
)
def test_bad_tables_are_explained(tmp_path: Path, make, metric: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Tabular(NasBench201(), make(tmp_path), architecture_column="arch", metric=metric)


@pytest.mark.parametrize(("row", "values"), [("1,2", 2), ("3,4,5,6", 4)])
def test_a_row_of_another_length_is_named(tmp_path: Path, row: str, values: int) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f"a,b,y\n1,2,3\n\n{row}\n")
    with pytest.raises(InputError, match=rf"t\.csv, line 4: {values} values under 3 columns"):
        read_tables(path, "a,b")


def test_a_missing_column_comes_with_the_table_and_the_nearest(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv", [("1", "2")], "arch,c10_val_200")
    message = r"^/[^()]*t\.csv has no column 'c10_val'; did you mean c10_val_200\?"
    with pytest.raises(InputError, match=message):
        Tabular(NasBench201(), (str(path),), architecture_column="arch", metric="c10_val")


def test_rows_that_name_an_architecture_again_are_counted_out_and_said(tmp_path: Path) -> None:
    rows = [("1", "2", "5"), ("1", "3", "6"), ("2", "2", "7"), ("1", "2", "8")]
    path = table(tmp_path / "t.csv", rows, "a,b,y")
    space = columns_space("choices", *read_tables(path, "a"))
    found = Tabular(space, path, architecture_column="a", metric="y")
    assert found.understood == (
        f"{path}: in 2 of 4 rows an architecture comes again; its first row counts",
    )
    assert list(found.values.values()) == [5, 7]
    whole = columns_space("choices", *read_tables(path, "a,b"))
    repeated = Tabular(whole, path, architecture_column="a,b", metric="y")
    assert "in 1 of 4 rows" in repeated.understood[0]


@pytest.mark.parametrize("result", ["y", "y_1"])
def test_a_result_is_no_part_of_an_architecture(tmp_path: Path, result: str) -> None:
    path = table(tmp_path / "t.csv", [("1", "2", "5"), ("2", "3", "6")], "a,y_1,y")
    columns = f"a,{result}"
    space = columns_space("choices", *read_tables(path, columns))
    with pytest.raises(InputError, match=rf"`architecture_column`: {result} is the result that is"):
        Tabular(space, path, architecture_column=columns, metric="y", curve_columns=["y_1"])


BLANKS = [("forest", "2", "", "1"), ("forest", "16", "", "2"), ("forest", "4", "", "4")]
BLANKS += [("linear", "", "0.1", "3"), ("linear", "", "1e-2", "5")]


def test_a_blank_is_a_choice_that_does_not_apply(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv", BLANKS, "model,depth,reg,y")
    space = columns_space("choices", *read_tables(path, "model,depth,reg"))
    assert [choice.values for choice in space.choices] == [
        ("forest", "linear"),
        (None, 2, 4, 16),
        (None, 0.01, 0.1),
    ]
    evaluator = Tabular(space, path, architecture_column="model,depth,reg", metric="y")
    assert evaluator.evaluate(evaluator.space.parse("model=linear reg=0.01"), 0).value == 5
    assert from_settings(space.settings()) == space


def test_conditions_read_blanks_where_a_choice_is_absent(tmp_path: Path) -> None:
    space = Choices(
        "models",
        (
            Choice("model", ("forest", "linear")),
            Choice("depth", (2, 4, 16), when=("model", ("forest",))),
            Choice("reg", (0.01, 0.1), when=("model", ("linear",))),
        ),
    )
    columns = {"architecture_column": "model,depth,reg", "metric": "y"}
    path = table(tmp_path / "t.csv", BLANKS, "model,depth,reg,y")
    assert len(Tabular(space, path, **columns).values) == 5
    path = table(tmp_path / "t.csv", [*BLANKS, ("forest", "", "", "1")], "model,depth,reg,y")
    with pytest.raises(InputError, match="line 7 of the table: depth has no value"):
        Tabular(space, path, **columns)


MLP = Choices("mlp", (Choice("lr", (0.1, 0.01)), Choice("depth", (1, 2, 4))))


def test_a_column_of_genotypes_of_choices_is_read_as_the_space_writes_them(tmp_path: Path) -> None:
    rows = [("lr=0.1 depth=2", "1"), ('"depth=1,lr=1e-2"', "2"), ("lr=0.01 depth=4", "3")]
    path = table(tmp_path / "t.csv", rows, "arch,y")
    evaluator = Tabular(MLP, path, architecture_column="arch", metric="y")
    assert list(evaluator.space.classes) == [(0, 1), (1, 0), (1, 2)]
    assert evaluator.evaluate(evaluator.space.parse("lr=0.01 depth=1"), 0).value == 2


@pytest.mark.parametrize(
    ("header", "row", "message"),
    [
        ("arch", "lr=0.1 depth=9", "depth is 9; expected one of 1, 2, 4"),
        ("arch", "lr=0.1", "mlp: depth has no value in 'lr=0.1'"),
        ("arch", "0.1 2", "mlp: '0.1' is no NAME=VALUE; its names are lr, depth"),
        ("arch", "lr=0.1 lr=0.01 depth=2", "mlp: lr is given twice in .*"),
        ("lr", "0.1", "depth has no value: name its column beside lr"),
        ("lr,width", "0.1,2", "mlp has no choice 'width'; it has lr, depth"),
    ],
)
def test_a_row_of_choices_that_does_not_parse_is_named(
    tmp_path: Path, header: str, row: str, message: str
) -> None:
    path = table(tmp_path / "t.csv", [(row, "1")], f"{header},y")
    with pytest.raises(InputError, match=f"^line 2 of the table: {message}$"):
        Tabular(MLP, path, architecture_column=header, metric="y")


@pytest.mark.parametrize(
    ("space", "text"),
    [
        (NasBench201(), ROWS[0][0].replace("|none~0", "|Xnone~0", 1)),
        (NasBench201(), ROWS[0][0].replace("none~2", "none~21")),
        (TransNasMicro(), "arch-1_30_321"),
        (SPACE, "0 0 1 0 0 3 1 --4"),
    ],
)
def test_what_only_looks_like_an_architecture_is_told(tmp_path: Path, space, text: str) -> None:
    path = table(tmp_path / "t.csv", [(text, "1")], "arch,y")
    with pytest.raises(InputError, match=r"^line 2 of the table: "):
        Tabular(space, path, architecture_column="arch", metric="y")


def test_two_texts_of_a_column_that_would_be_one_choice_are_told(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv", [("a b", "1"), ("a-b", "2")], "arch,y")
    with pytest.raises(InputError, match="'a b' and 'a-b' of the table are both written a-b"):
        columns_space("choices", *read_tables(path, "arch"))


def test_a_damaged_gzip_file_is_explained(tmp_path: Path) -> None:
    whole = gzip.compress(b"arch,acc\n" * 50)
    (tmp_path / "t.csv.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="not a readable CSV"):
        Tabular(NasBench201(), tmp_path / "t.csv.gz", architecture_column="arch", metric="acc")


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.exists(), reason="no shared data here")
def test_the_real_table_has_its_published_optimum() -> None:
    evaluator = Tabular(
        NasBench201(),
        SHARED / "nas-bench-201-cifar10.csv.gz",
        architecture_column="arch",
        metric="c10_val_200",
        class_column="unique_str",
    )
    assert len(evaluator.values) == 6466
    assert max(evaluator.values.values()) == pytest.approx(91.607, abs=1e-3)


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.skipif(not SHARED.exists(), reason="no shared data here")
def test_nas_bench_graph_has_each_network_once_but_those_whose_output_reads_the_input() -> None:
    space = NasBenchGraph()
    table = SHARED / "nas-bench-graph-arxiv-photo.csv.gz"
    classes = Tabular(
        space, table, architecture_column="link,ops", metric="arxiv_val"
    ).space.classes
    rows = set(classes.values())
    assert len(rows) == len(classes) == 26206
    every = space.everything(space.size)
    assert every is not None
    assert len(every) == 27938
    absent = [architecture for architecture in every if architecture.key not in rows]
    for graph in (canonical(graph) for architecture in absent for graph in architecture.graphs):
        assert (0, graph.outputs[0]) in [edge[:2] for edge in graph.edges]
