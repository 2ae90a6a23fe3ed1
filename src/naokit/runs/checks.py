"""What is asked of a plan before anything is written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from naokit.base import InputError
from naokit.doors import Evaluator, Workers
from naokit.evaluators.learning import Learning
from naokit.kinds import recipe_of
from naokit.runs.folder import is_run
from naokit.runs.plan import FinalTraining, OwnTraining, Plan
from naokit.runs.settings import read_settings, recorded_final
from naokit.space import Space
from naokit.study import check_method, checked_prior
from naokit.study.corridor import check_place
from naokit.study.goals import Goals, Limit
from naokit.study.limits import check_limits
from naokit.study.pruning import pruner_of
from naokit.study.stopping import check_epochs
from naokit.training.recipe import Recipe

if TYPE_CHECKING:
    from naokit.subject import Subject


def check(
    plan: Plan,
    space: Space,
    evaluator: Evaluator,
    folder: Path,
    workers: Workers | None = None,
    *,
    final: bool,
) -> None:
    """Raises InputError where an evaluation or the final training could not be made as planned."""
    check_method(plan.method)
    check_place(evaluator, workers)
    _check_stopping(plan, evaluator)
    if plan.prior is not None:
        checked_prior(space, plan.method, plan.prior)
    if isinstance(evaluator, Learning):
        _check_names(plan, evaluator)
        trainings = [(evaluator.subject, evaluator.recipe)]
        if plan.own is not None:
            trainings.append(training_of(space, evaluator, plan.own))
        if final and plan.final is not None:
            trainings.append(training_of(space, evaluator, plan.final))
        for subject, recipe in trainings:
            subject.check_data(recipe)
            _check_networks(space, subject, recipe)
        if evaluator.shared_epochs:
            _check_shared(plan, evaluator)
        else:
            _check_alone(plan)
    elif final and plan.final is not None:
        raise InputError("only an evaluator that trains says what a final training learns from")
    check_limits(space, evaluator, [Limit.of(text) for text in plan.limits])
    if plan.final is not None:
        _check_same_final(plan.final, folder)


def _check_alone(plan: Plan) -> None:
    """Raises InputError where a search that trains each network by itself cannot be as planned."""
    if plan.own is not None and plan.baseline:
        raise InputError(
            "random search beside the search would be judged by shorter trainings than its "
            "finalists: leave `baseline` out"
        )
    if plan.warm_start:
        raise InputError("`warm_start` is for an evaluator that shares weights")


def _check_stopping(plan: Plan, evaluator: Evaluator) -> None:
    """Raises InputError where evaluations cannot be stopped early as planned."""
    if plan.pruner is not None:
        pruner_of(plan.pruner)
        if evaluator.epochs == 1:
            raise InputError(
                "`pruner` stops evaluations that report their epochs: leave it out, or give a "
                "recipe of more than one epoch or `curve_columns`"
            )
    check_epochs(plan.pruner, evaluator, plan.epochs)


def training_of(space: Space, evaluator: Learning, training: OwnTraining) -> tuple[Subject, Recipe]:
    """What an architecture is trained on by itself, and how."""
    recipe = recipe_of(space.reads, training.recipe, training.epochs)
    return evaluator.subject.again(training.size), recipe


def _check_shared(plan: Plan, evaluator: Learning) -> None:
    """Raises InputError where weights cannot be shared as planned."""
    evaluator.check()
    if plan.baseline:
        raise InputError(
            "random search beside one by weight sharing would train a second shared network: leave "
            "`baseline` out, and run a search with `method=random` to compare"
        )
    size = evaluator.subject.size()
    if plan.warm_start and plan.final is not None and dict(plan.final.size) != dict(size):
        raise InputError(
            "`warm_start` takes the shared network's weights, whose size is "
            f"{evaluator.subject.size_in_words()}: give the final training that size"
        )


def _check_names(plan: Plan, evaluator: Learning) -> None:
    """Raises InputError for an objective or a limit that no evaluation will have a figure for."""
    goals = Goals.of(evaluator.direction, plan.objectives, plan.limits)
    score = evaluator.subject.metric.name
    first = goals.objectives[0].name if plan.objectives else score
    if first not in (score, "value"):
        raise InputError(
            f"networks are compared by their {score} first, not by {first}: give "
            f"`objective={score}`, then others"
        )
    if unknown := [name for name in goals.metric_names if name not in evaluator.metrics]:
        raise InputError(
            f"{unknown[0]!r} is no figure to limit, or to optimise besides {score}; those of an "
            f"evaluation are {', '.join(evaluator.metrics)}"
        )


def _check_networks(space: Space, subject: Subject, recipe: Recipe) -> None:
    """Raises InputError where the data or the sizes are none for the networks of a space."""
    from naokit.networks import without_weights  # needs torch, which no table does

    settings = subject.settings(recipe)
    architecture = space.sample(np.random.default_rng(0))
    try:
        with without_weights():
            space.build(architecture, settings)
    except InputError:
        raise
    except Exception:  # noqa: BLE001  a user's own network; its evaluations will tell
        return


def _check_same_final(final: FinalTraining, folder: Path) -> None:
    """Raises InputError where the run in this folder is to end in another final training."""
    former = recorded_final(read_settings(folder)) if is_run(folder) else None
    recorded = {} if former is None else former.named()
    for name, value in final.named().items():
        if name in recorded and recorded[name] != value:
            raise InputError(
                f"the run in {folder} was begun with {name.replace('_', ' ')} {recorded[name]}, "
                f"not {value}: give `{name}={recorded[name]}` to continue it, another `out` to "
                "start a new one, or train its winner with naokit train"
            )
