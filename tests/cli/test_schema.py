"""`naokit schema`: what is shipped, written and documented is valid; what is refused is not."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from jsonschema import Draft202012Validator
from typer.testing import CliRunner, Result

from naokit.cli.app import app
from naokit.cli.config_file import parameters_of
from naokit.cli.schema import OPTIONS
from naokit.kinds import KINDS
from naokit.presets import Preset
from naokit.runs.plan import FinalTraining, OwnTraining, Plan
from naokit.training.recipe import Recipe

PAGE = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text()
NAMES = [*OPTIONS, "plan", "recipe-images", "recipe-text"]
RECIPES = [(reads, recipe) for reads, kind in KINDS.items() for recipe in kind.recipes.values()]
PRESETS = [
    preset
    for kind in KINDS.values()
    for presets in (kind.presets, kind.shared_presets)
    for preset in presets.values()
]
SEARCH = "search --space choices --table t.csv --architecture-column width --metric acc"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)))


@cache
def schema(what: str) -> dict[str, Any]:
    result = run("schema", what)
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def faults(what: str, value: object) -> list[str]:
    return [error.message for error in Draft202012Validator(schema(what)).iter_errors(value)]


@pytest.mark.parametrize("what", NAMES)
def test_it_is_a_schema_of_2020_12_that_describes_every_field(what: str) -> None:
    found = schema(what)
    assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(found)
    for one in (found, *found.get("$defs", {}).values()):
        assert one["description"]
        assert [name for name, field in one["properties"].items() if not field["description"]] == []


@pytest.mark.parametrize(("reads", "recipe"), RECIPES, ids=lambda value: getattr(value, "name", ""))
def test_every_recipe_is_valid(reads: str, recipe: Recipe) -> None:
    assert faults(f"recipe-{reads}", json.loads(json.dumps(recipe.to_json()))) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"momentum": 1.0}, "1.0 is greater than or equal to the maximum of 1"),
        ({"learning_rate": "fast"}, "'fast' is not of type 'number'"),
        ({"widgets": 3}, "Additional properties are not allowed ('widgets' was unexpected)"),
        ({"epochs": 2.5}, "2.5 is not of type 'integer'"),
        ({"colour_jitter": [0.1]}, "[0.1] is not valid under any of the given schemas"),
    ],
)
def test_a_recipe_that_is_refused_is_not_valid(change: dict[str, object], fault: str) -> None:
    kind = KINDS["images"]
    fields = kind.recipes["quick"].to_json() | change
    assert faults("recipe-images", fields) == [fault]
    with pytest.raises(ValueError, match=next(iter(change))):
        kind.recipe_type.from_json(fields)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: f"{type(preset).__name__}")
def test_a_plan_by_every_preset_is_valid(preset: Preset) -> None:
    own = OwnTraining(preset.recipe, preset.size())
    plan = Plan({}, {}, final=FinalTraining.of(preset), own=own, pruner=preset.pruner)
    assert faults("plan", json.loads(json.dumps(plan.to_json()))) == []


@pytest.mark.parametrize(
    "wrong", [{"space": {}}, {"space": {}, "evaluator": {}, "seed": "one"}, {"evaluator": {}}]
)
def test_what_is_no_plan_is_not_valid(wrong: dict[str, object]) -> None:
    assert len(faults("plan", wrong)) == 1
    with pytest.raises(ValueError, match="validation error"):
        Plan.from_json(wrong)


def test_what_a_search_writes_is_valid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_text("width,acc\n" + "".join(f"{n},{n * n % 7}\n" for n in range(9)))
    result = run(*SEARCH.split(), "--evaluations", 3, "--limit", "acc>=0", "--out", "a")
    assert result.exit_code == 0, result.output
    assert faults("search", yaml.safe_load(Path("a/run.yaml").read_text())) == []
    assert faults("plan", json.loads(Path("a/settings.json").read_text())) == []


@pytest.mark.parametrize("command", OPTIONS)
def test_a_file_of_options_has_the_names_that_its_command_reads(command: str) -> None:
    known = typer.main.get_command(app).commands[command]  # type: ignore[attr-defined]
    names = set(schema(command)["properties"])
    assert names == {"command", *parameters_of(known)}


@pytest.mark.parametrize(
    "text",
    [
        *re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL),
        "workers: 4",
        "workers: ray:2",
        "epochs-in-all:",
        "limit: parameters<=3",
        "final: false",
    ],
)
def test_options_that_are_read_are_valid(text: str) -> None:
    assert faults("search", yaml.safe_load(text)) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("evaluation: 3", "Additional properties are not allowed ('evaluation' was unexpected)"),
        ("seed: [1, 2]", "[1, 2] is not of type 'integer', 'null'"),
        ("seed: 1.5", "1.5 is not of type 'integer', 'null'"),
        ("final: perhaps", "'perhaps' is not of type 'boolean', 'null'"),
        ("hours: -1", "-1 is less than the minimum of 0"),
        ("command: train", "'search' was expected"),
        ("- seed", "['seed'] is not of type 'object'"),
    ],
)
def test_options_that_are_refused_are_not_valid(text: str, fault: str, tmp_path: Path) -> None:
    assert faults("search", yaml.safe_load(text)) == [fault]
    file = tmp_path / "run.yaml"
    file.write_text(text)
    assert run("search", "--config", file).exit_code == 2


def test_one_line_is_the_same() -> None:
    (line,) = run("schema", "plan", "--json").stdout.splitlines()
    assert json.loads(line) == schema("plan")


def test_an_unknown_name_lists_the_nearest() -> None:
    result = run("schema", "recipe")
    assert result.exit_code == 2
    assert result.stderr == (
        "error: there is no schema 'recipe'; did you mean recipe-text or recipe-images?\n"
    )
