"""Who is told of a run while it goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from naokit.doors import Trial
from naokit.space import Architecture
from naokit.study import Asked, Study

if TYPE_CHECKING:
    from naokit.export import Bundle
    from naokit.runs.final import Job
    from naokit.training.loop import Epoch


@dataclass(frozen=True)
class Stage:
    """One study of a run, as it begins.

    Attributes:
        method: Who proposes.
        metric: What the value of an evaluation is.
        evaluations: How many the study shall hold.
        repeats: How many are evaluations again, at most.
        epochs: How many a shared network is trained; 0 where there is none.
        budget: How many epochs all evaluations may have together; 0 where these do not count.
    """

    method: str
    metric: str
    evaluations: int
    repeats: int
    epochs: int = 0
    budget: int = 0


class Watcher:
    """Who is told of a run; nothing is done unless a subclass does it."""

    def remark(self, line: str) -> None:
        """Takes what a person should know: how data were read, what was left out."""

    def began(self) -> None:
        """Is told that the study is open, and is the one that the plan asks for."""

    def study_begins(self, stage: Stage) -> None:
        """Is told of a study before its first evaluation."""

    def stage(self, name: str) -> None:
        """Is told what happens next; see `on_stage` of `Study.optimize`."""

    def shared_step(self, epochs: float) -> None:
        """Is told after each update of a shared network how many epochs are done."""

    def shared_epoch(self, epoch: Epoch) -> None:
        """Is told of each epoch of a shared network."""

    def evaluation_begins(self, asked: Asked) -> None:
        """Is told of each evaluation before it begins, and again where it begins anew."""

    def told(self, study: Study, trial: Trial) -> None:
        """Is told of each evaluation that ended."""

    def study_ended(self, study: Study, *, cut: bool) -> None:
        """Is told of a study after its last evaluation; `cut`: time ended before it did."""

    def train(self, architecture: Architecture, job: Job) -> Bundle:
        """Trains the winner to the end; a subclass may show how far that is."""
        from naokit.runs.final import train_final  # needs torch, which no table does

        return train_final(architecture, job)
