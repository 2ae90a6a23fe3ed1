"""A plan is stored whole: what a file or a study holds reads back equal."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from naokit.images.presets import PRESETS
from naokit.runs.plan import FinalTraining, Plan

texts = st.text(max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
fields = st.dictionaries(texts, values, max_size=4)
several = st.lists(texts, max_size=3).map(tuple)
counts = st.integers(1, 10**6)
finals = st.builds(FinalTraining, texts, fields, st.none() | counts)
plans = st.builds(
    Plan,
    space=fields,
    evaluator=fields,
    method=texts,
    seed=st.integers(),
    evaluations=counts,
    repeat=counts,
    times=counts,
    baseline=st.booleans(),
    objectives=several,
    limits=several,
    start=several,
    final=st.none() | finals,
)


@given(plan=plans, beside=fields)
def test_what_is_stored_reads_back_equal(plan: Plan, beside: dict[str, object]) -> None:
    stored = json.dumps(beside | plan.to_json())
    assert Plan.from_json(json.loads(stored)) == plan


@pytest.mark.parametrize(
    "wrong", [{"space": {}}, {"space": {}, "evaluator": {}, "seed": "one"}, {"evaluator": {}}]
)
def test_what_is_no_plan_is_told(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Plan.from_json(wrong)


def test_a_preset_says_a_final_training_by_its_own_names() -> None:
    preset = PRESETS["quick"]
    assert FinalTraining.of(preset).named() == {
        "final_recipe": "quick-final",
        "final_channels": 16,
        "final_cells": 1,
        "final_epochs": None,
    }
