"""What is said of a model and its descriptors."""

from collections.abc import Mapping
from dataclasses import replace

from naokit.doors import Evaluator, Result
from naokit.report.model_words import model_lines
from naokit.report.overview import Overview, latest_model
from naokit.space import Architecture
from naokit.spaces import ConvCells
from naokit.study import Study, create_study

SPACE = ConvCells.small(nodes=2)


def value(architecture: Architecture) -> float:
    return int(architecture.key[:6], 16) / 16**6


class Telling(Evaluator):
    descriptor_names = ("hint",)
    descriptor_share = 0.1

    def descriptors(self, architecture: Architecture) -> Mapping[str, float]:
        return {"hint": -value(architecture)}

    def evaluate(self, architecture: Architecture, seed: int) -> Result:
        return Result(value(architecture))


def said(study: Study) -> str:
    return "\n".join(model_lines(Overview.of(study, 5)))


def test_what_descriptors_cost_and_were_worth_is_said() -> None:
    study = create_study(SPACE)
    study.optimize(Telling(), 12)
    model = study.trials[-1].model
    assert model["described_with"] > model["described_without"]
    count, cost = model["described"], model["described_cost"]
    assert (
        f"Described before training: {count:.0f} networks, for as much as {cost:.1f} evaluations "
        f"({100 * cost / (12 + cost):.0f} % of all). With these descriptors the rank correlation "
        f"was {model['described_with']:.2f}, without {model['described_without']:.2f}."
    ) in said(study)


def test_a_search_without_descriptors_says_nothing_of_them() -> None:
    study = create_study(SPACE)
    study.optimize(value, 5)
    assert "escribed" not in said(study)


def test_it_is_said_too_when_the_latest_proposal_described_nothing() -> None:
    study = create_study(SPACE)
    study.optimize(Telling(), 5)
    latest = study.trials[-1]
    explored = replace(latest, model={"results": 9.0})
    shown = latest_model([latest, explored])
    assert shown["described"] == latest.model["described"]
    assert shown["results"] == 9.0
