"""Progress bars on stderr: how far something is, how long it takes, what it found so far."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Column

from naokit.study.origins import CONTINUED, REPEAT, RESCORED, epochs_of
from naokit.wording import counted, value_text

if TYPE_CHECKING:
    from types import TracebackType

    from naokit.doors import Trial
    from naokit.study.corridor import Asked
    from naokit.study.standings import Ranking

LOOK = 1.0
"""Seconds between two looks at what other processes evaluated."""
MOST_SHOWN = 4
"""How many evaluations that run are named."""


def progress() -> Progress:
    """A bar on stderr with the time left; where there is little room the bar itself gets short."""
    return Progress(
        TextColumn("{task.description}", markup=False, table_column=_whole(12)),
        BarColumn(bar_width=24),
        TextColumn("{task.completed:g}/{task.total:g}", table_column=_whole(5)),
        TimeElapsedColumn(table_column=_whole(7)),
        TimeRemainingColumn(table_column=_whole(7)),
        TextColumn("{task.fields[note]}", markup=False),
        console=Console(stderr=True),
    )


def _whole(width: int) -> Column:
    """A column that does not get narrower than what it shows."""
    return Column(no_wrap=True, min_width=width)


class TrialsBar:
    """A bar of a study's evaluations, and one of the best few evaluated again.

    Args:
        title: The title of the bar of evaluations.
        metric: What the value of an evaluation is.
        evaluations: How many evaluations the study shall hold.
        repeats: How many repeats it shall hold.
        epochs: How many epochs a shared network is trained; 0 where there is none.
        budget: How many epochs all evaluations may have together, which the bar then counts; 0
            where it counts evaluations.
    """

    def __init__(
        self,
        title: str,
        metric: str,
        evaluations: int,
        repeats: int = 0,
        epochs: int = 0,
        budget: int = 0,
    ) -> None:
        self.metric, self.totals = metric, (budget or evaluations, repeats)
        self.in_epochs = budget > 0
        self.bar = progress()
        self.shared = self.bar.add_task(
            f"{'shared net':12}", total=epochs, start=False, visible=epochs > 0, note=""
        )
        first = self.bar.add_task(f"{title:12}", total=self.totals[0], note="")
        again = self.bar.add_task(
            f"{'again' if epochs else 'best again':12}",
            total=repeats,
            start=False,
            visible=repeats > 0,
            note="",
        )
        self.tasks = (first, again)
        self.seen: list[Trial] = []
        self.looked = -math.inf
        self.running: dict[int, str] = {}
        self.scored, self.began = 0, 0.0

    def __enter__(self) -> TrialsBar:
        self.bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.bar.stop()

    def stage(self, name: str) -> None:
        """Shows what a round does next; see `Study.optimize`."""
        words = {
            "proposing": "the method proposes",
            "preparing": "the shared network is trained",
            "waiting": "waiting for what other processes evaluate",
        }
        self.bar.update(self.tasks[0], note=words.get(name, "scoring"))
        if name == "waiting":
            return
        if name == "preparing":
            self.bar.start_task(self.shared)
        self.scored, self.began = 0, time.monotonic()

    def shared_step(self, epochs: float) -> None:
        """Shows how many epochs of the shared network are done."""
        self.bar.update(self.shared, completed=round(epochs, 1))

    def shared_epoch(self, loss: float) -> None:
        """Shows the loss of an epoch of the shared network."""
        self.bar.update(self.shared, note=f"loss {loss:.3g}")

    def begins(self, asked: Asked) -> None:
        """Shows that an evaluation begins."""
        self.running[asked.number] = f"{asked.number} {asked.origin}"

    def told(self, study: Ranking, trial: Trial) -> None:
        """Shows one more evaluation, after those of other processes and earlier ones."""
        self.running.pop(trial.number, None)
        if time.monotonic() - self.looked > LOOK:
            self.seen, self.looked = study.trials, time.monotonic()
        else:
            self.seen = [*self.seen, trial]
        self.scored += 1
        again = _is_again(trial)
        if again:
            self.bar.start_task(self.tasks[1])
        self._show()
        self.bar.update(self.tasks[int(again)], note=self._note(study, trial))

    def ended(self, study: Ranking, *, cut: bool) -> None:
        """Shows that no more follow; unless the search was cut, the bars are full then."""
        self.seen = study.trials
        if not cut:
            self.totals = (0, 0)
        self._show()

    def _show(self) -> None:
        repeats = sum(map(_is_again, self.seen))
        first = len(self.seen) - repeats - sum(t.origin == CONTINUED for t in self.seen)
        counts = (epochs_of(self.seen) if self.in_epochs else first, repeats)
        for task, done, total in zip(self.tasks, counts, self.totals, strict=True):
            self.bar.update(task, completed=done, total=max(done, total))

    def _note(self, study: Ranking, trial: Trial) -> str:
        """The best value within the limits so far, and the last or why there is none."""
        valued = [one for one in self.seen if one.value is not None]
        held = [one.value for one in valued if one.value is not None and study.goals.hold(one)]
        sign = study.goals.objectives[0].sign
        shown = "none within the limits yet, " if valued else ""
        if held:
            shown = f"best {value_text(max(held, key=lambda value: sign * value), self.metric)}, "
        if self.began and trial.value is not None:
            seconds = time.monotonic() - self.began
            return f"{shown}{60 * self.scored / max(seconds, 1e-3):.0f} a minute"
        return f"{shown}last {self._last(trial)} ({trial.origin}){self._at_work()}"

    def _at_work(self) -> str:
        """What runs meanwhile, where several evaluations run at once."""
        if not self.running:
            return ""
        few = list(self.running.values())[:MOST_SHOWN]
        more = len(self.running) - len(few)
        return f"; running: {', '.join(few)}{f' and {more} more' if more else ''}"

    def _last(self, trial: Trial) -> str:
        """What an evaluation gave."""
        if trial.stopped:
            value = value_text(trial.curve[trial.stopped], self.metric)
            return f"{value}, stopped after {counted(trial.stopped, 'epoch')}"
        return trial.reason if trial.value is None else value_text(trial.value, self.metric)


def _is_again(trial: Trial) -> bool:
    """Whether it evaluated one of the best architectures again."""
    return trial.origin in (REPEAT, RESCORED)
