"""JSON schemas of what a run stores, for editors: made of the types that read it."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from naokit.base import Json
from naokit.runs.plan import FinalTraining, OwnTraining, Plan

if TYPE_CHECKING:
    from naokit.training.recipe import Recipe

DIALECT = GenerateJsonSchema.schema_dialect
"""The version of JSON Schema, 2020-12, as a schema names it."""

_ATTRIBUTE = re.compile(r"^ {4}(\w+): (.*(?:\n {5,}.*)*)", re.MULTILINE)
"""Name and text of one attribute in a docstring."""


def plan_schema() -> dict[str, Json]:
    """The schema of a run's `settings.json`, which holds its plan and other fields beside it."""
    found = TypeAdapter(Plan).json_schema()
    _describe(found, Plan)
    for part in (OwnTraining, FinalTraining):
        _describe(found["$defs"][part.__name__], part)
    return {"$schema": DIALECT, **found}


def recipe_schema(recipe: type[Recipe]) -> dict[str, Json]:
    """The schema of a stored recipe of a class."""
    found = recipe.model().model_json_schema()
    _describe(found, recipe)
    return {"$schema": DIALECT, **found}


def _describe(schema: JsonSchemaValue, kind: type) -> None:
    """Writes what the docstrings of a class and its bases say into its schema."""
    schema["description"] = _docstring(kind).partition("\n\nAttributes:\n")[0]
    for one in reversed(kind.__mro__):
        section = _docstring(one).partition("\nAttributes:\n")[2]
        for name, text in _ATTRIBUTE.findall(section):
            schema["properties"][name]["description"] = " ".join(text.split())


def _docstring(kind: type) -> str:
    return inspect.cleandoc(kind.__doc__ or "")
