"""The winner of a run, trained to the end, exported and checked."""

from __future__ import annotations

from pathlib import Path

from naokit.evaluators import Supernet
from naokit.evaluators.learning import Learning
from naokit.export import export, save
from naokit.export.config import WEIGHTS
from naokit.export.results import Results
from naokit.networks import count_parameters
from naokit.report.contents import Exported
from naokit.runs.checks import training_of
from naokit.runs.final import Job, keep_former
from naokit.runs.folder import INHERITED, NETWORK, TRAINING
from naokit.runs.stages import Stages
from naokit.space import Architecture
from naokit.training.aside import settle


def train_and_export(winner: Architecture, stages: Stages, folder: Path) -> Exported:
    """Trains the winner, exports it and checks the files.

    Args:
        winner: The best architecture of the run.
        stages: The studies of the run. Their plan has a final training.
        folder: The folder of the run.
    """
    plan, evaluator = stages.plan, stages.evaluator
    assert isinstance(evaluator, Learning)  # see `check`
    assert plan.final is not None
    subject, recipe = training_of(stages.space, evaluator, plan.final)
    weights = None
    if plan.warm_start:
        subject, weights = subject.inheriting(), _inherited(winner, evaluator, folder)
    job = Job(
        subject,
        recipe,
        folder / TRAINING,
        seed=plan.seed,
        device=evaluator.device,
        precision=evaluator.precision,
        seconds=stages.hours.for_final,
        warm_start=weights,
    )
    settle(job.folder)  # a training that a kill of `naokit train` left aside
    if kept := keep_former(folder, job, winner):
        stages.watcher.remark(
            f"another architecture is best now; the former winner is kept: {kept}"
        )
    bundle = stages.watcher.train(winner, job)
    left_out: dict[str, str] = {}
    checks = export(bundle, folder / NETWORK, on_left_out=left_out.__setitem__)
    for name, why in left_out.items():
        stages.watcher.remark(f"not exported as {name}: {why}")
    return Exported(bundle.results, count_parameters(bundle.network), tuple(checks), left_out)


def _inherited(winner: Architecture, evaluator: Learning, folder: Path) -> Path:
    """The file of the winner's network with the weights of the shared one."""
    assert isinstance(evaluator, Supernet)  # see `check`
    subject, kept = evaluator.subject.inheriting(), folder / INHERITED
    network = evaluator.inherited(winner).cpu().eval()
    results = Results(subject.metric, data=subject.results())
    save(subject.bundle(winner, network, evaluator.recipe, results), kept)
    return kept / WEIGHTS
