"""What a search shows while it runs: a bar for each study, a bar for the final training."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING

import optuna

from naokit.cli.output import say
from naokit.cli.training import train_under_bar
from naokit.cli.wordings import for_command_line
from naokit.doors import Trial
from naokit.runs.watcher import Stage, Watcher
from naokit.space import Architecture
from naokit.study import Asked, Study
from naokit.study.progress import TrialsBar

if TYPE_CHECKING:
    from naokit.export import Bundle
    from naokit.runs.final import Job
    from naokit.training.loop import Epoch


class Bars(Watcher):
    """Shows a run on stderr.

    Args:
        on_begin: Called once the run began. If None, nothing is.
        on_told: Called after each evaluation. If None, nothing is.

    Attributes:
        evaluated: How many evaluations ended here.
    """

    def __init__(
        self,
        on_begin: Callable[[], None] | None = None,
        on_told: Callable[[], None] | None = None,
    ) -> None:
        self.on_begin, self.on_told, self.evaluated = on_begin, on_told, 0
        self.shown = ExitStack()
        self.bar: TrialsBar

    def __enter__(self) -> Bars:
        optuna.logging.set_verbosity(optuna.logging.WARNING)  # the bar says it once already
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.shown.close()

    def remark(self, line: str) -> None:
        """Says a remark on stderr, in the words of the command line."""
        say(for_command_line(line), err=True)

    def began(self) -> None:
        """Says so to whoever waits for it."""
        if self.on_begin is not None:
            self.on_begin()

    def study_begins(self, stage: Stage) -> None:
        """Shows the bar of a study."""
        bar = TrialsBar(
            stage.method,
            stage.metric,
            stage.evaluations,
            stage.repeats,
            stage.epochs,
            stage.budget,
        )
        self.bar = self.shown.enter_context(bar)

    def stage(self, name: str) -> None:
        """Says what a round does next."""
        self.bar.stage(name)

    def shared_step(self, epochs: float) -> None:
        """Moves the bar of the shared network."""
        self.bar.shared_step(epochs)

    def shared_epoch(self, epoch: Epoch) -> None:
        """Shows the loss of the shared network."""
        self.bar.shared_epoch(epoch.loss)

    def evaluation_begins(self, asked: Asked) -> None:
        """Shows what runs."""
        self.bar.begins(asked)

    def told(self, study: Study, trial: Trial) -> None:
        """Moves the bar."""
        self.evaluated += 1
        if self.on_told is not None:
            self.on_told()
        self.bar.told(study, trial)

    def study_ended(self, study: Study, *, cut: bool) -> None:
        """Shows where the bar ends."""
        self.bar.ended(study, cut=cut)
        self.shown.close()

    def train(self, architecture: Architecture, job: Job) -> Bundle:
        """Trains the winner under a bar."""
        return train_under_bar(architecture, job)
