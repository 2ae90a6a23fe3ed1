"""A search on text: perplexity to minimise, figures, failures."""

import math
from pathlib import Path

import pytest

from naokit import networks, spaces
from naokit.base import EvaluationFailed, InputError
from naokit.evaluators import TrainText
from naokit.study.goals import Limit
from naokit.study.limits import check_limits
from naokit.testing import EvaluatorContract
from naokit.text.recipes import TextRecipe

RECIPE = TextRecipe("tiny", 1, 4, learning_rate=5.0, bptt=8, average_after=None, output_dropout=0.1)
SPACE = spaces.load("recurrent", nodes=3)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for part, lines in (("train", 60), ("valid", 12), ("test", 12)):
        text = "a b c d e f\nb c d a\n" * lines
        (tmp_path / f"{part}.txt").write_text(text, encoding="utf-8")
    return tmp_path


class TestTrainText(EvaluatorContract):
    architectures = (SPACE.parse("0 0 1 1 1 2"), SPACE.parse("0 3 0 3 0 3"))

    @pytest.fixture(autouse=True)
    def _folder(self, folder: Path) -> None:
        self.folder = folder

    def evaluator(self) -> TrainText:
        return TrainText(self.folder, RECIPE, hidden=8)


def test_a_cell_is_scored_by_its_perplexity(folder: Path) -> None:
    evaluator = TrainText(folder, RECIPE, hidden=8)
    architecture = SPACE.parse("0 0 1 1 1 2")
    result = evaluator.evaluate(architecture, 0)
    words = len(evaluator.subject.data.vocabulary)
    assert 1 < result.value < words
    assert evaluator.direction == "minimize"
    assert evaluator.metric == "validation perplexity"
    assert result.value == evaluator.evaluate(architecture, 0).value
    assert result.value != evaluator.evaluate(architecture, 1).value
    # V H + V + (2 N + 4) H^2 with N = 3 nodes
    assert result.metrics["parameters"] == 8 * words + words + 10 * 64
    assert result.metrics["macs"] == 8 * words + 10 * 64
    assert evaluator.static_metrics(architecture) == {
        name: result.metrics[name] for name in ("parameters", "macs")
    }


def test_one_network_is_counted_for_all_of_a_space_of_same_cost(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[object] = []
    count = networks.count_parameters
    monkeypatch.setattr(networks, "count_parameters", lambda n: counted.append(n) or count(n))
    evaluator = TrainText(folder, RECIPE, hidden=8)
    with pytest.raises(InputError, match="random architectures of recurrent is within"):
        check_limits(SPACE, evaluator, [Limit.of("parameters<=10")])
    assert len(counted) == 1
    settings = evaluator.network_settings
    sizes = {
        count(SPACE.build(SPACE.parse(text), settings)) for text in ("0 0 1 1 2 2", "0 3 0 3 0 3")
    }
    assert sizes == {evaluator.static_metrics(SPACE.parse("0 0 1 1 1 2"))["parameters"]}


def test_latency_is_that_of_a_token(folder: Path) -> None:
    evaluator = TrainText(folder, RECIPE, hidden=8, latency=True)
    assert 0 < evaluator.evaluate(SPACE.parse("0 0 1 1 1 2"), 0).metrics["latency"] < 1000


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e6])
def test_an_exploded_cell_is_a_failed_evaluation(
    folder: Path, value: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("naokit.text.task.perplexity", lambda *_, **__: value)
    with pytest.raises(EvaluationFailed) as caught:
        TrainText(folder, RECIPE, hidden=8).evaluate(SPACE.parse("0 0 1 1 1 2"), 0)
    assert caught.value.reason == "diverged"


def test_a_loss_that_is_no_number_is_a_failed_evaluation(folder: Path) -> None:
    recipe = TextRecipe("wild", 1, 4, learning_rate=1e30, clip=1e30, bptt=8, average_after=None)
    with pytest.raises(EvaluationFailed) as caught:
        TrainText(folder, recipe, hidden=8).evaluate(SPACE.parse("0 1 1 1 2 1"), 0)
    assert caught.value.reason == "diverged"
    assert "not finite" in str(caught.value)


def test_the_clock_of_an_evaluation(folder: Path) -> None:
    evaluator = TrainText(folder, RECIPE, hidden=8, seconds=0.0)
    with pytest.raises(EvaluationFailed) as caught:
        evaluator.evaluate(SPACE.parse("0 0 1 1 1 2"), 0)
    assert caught.value.reason == "out of time"


def test_settings_tell_what_alters_results(folder: Path) -> None:
    settings = TrainText(folder, RECIPE, hidden=8).settings()
    assert settings["hidden"] == 8
    assert settings["recipe"]["bptt"] == 8
    assert settings["data"] == TrainText(folder, RECIPE, hidden=8).subject.data.fingerprint
    assert settings["data"] != TrainText(folder, RECIPE, hidden=8, tokens="char").settings()["data"]
