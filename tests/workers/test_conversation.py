"""What is said to a worker, in which order and how long is waited for what it answers."""

import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

from naokit.base import EvaluationFailed
from naokit.doors import Result
from naokit.spaces import ConvCells
from naokit.testing.workers import WorkersEvaluator, WorkersReporter
from naokit.workers.conversation import (
    ANSWER,
    ENDED,
    EPOCH,
    EVALUATE,
    KNOW,
    KNOWN,
    LEAVING,
    Call,
    Conversation,
    Message,
    Over,
    Remote,
)

ONE = ConvCells.small(nodes=1).parse("0 0 1 0 0 3 1 4")


class Clock:
    """A clock that stands still unless it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Said:
    """A line to a worker whose answers are known; each takes a second."""

    def __init__(self, clock: Clock, *answers: Message | None) -> None:
        self.clock, self.answers = clock, iter(answers)
        self.sent: list[object] = []
        self.waited: list[float | None] = []

    def send(self, message: Message) -> None:
        self.sent.append(message[0])

    def receive(self, seconds: float | None = None) -> Message | None:
        self.waited.append(seconds)
        self.clock.now += 1
        return next(self.answers)


class Slow(WorkersReporter):
    """Takes ten seconds to answer."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock

    def report(self, epoch: int, value: float) -> bool:
        self.clock.now += 10
        return super().report(epoch, value)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    clock = Clock()
    with monkeypatch.context() as patch:
        patch.setattr("naokit.workers.conversation.time.monotonic", clock)
        yield clock


def test_only_the_time_of_the_worker_counts_and_the_evaluator_is_sent_once(clock: Clock) -> None:
    epochs = (EPOCH, 1, 0.5), (EPOCH, 2, 0.6), (ENDED, Result(2.0))
    line = Said(clock, (KNOWN,), *epochs, *epochs)
    call = Call(WorkersEvaluator(), ONE, 0, Slow(clock))
    conversation = Conversation(line)
    assert [conversation.evaluate(call, 5.0).value for _ in range(2)] == [2, 2]
    assert line.waited == [None, 5, 4, 3, 5, 4, 3]
    assert line.sent == [KNOW, EVALUATE, ANSWER, ANSWER, EVALUATE, ANSWER, ANSWER]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [(None, "out of time"), ((LEAVING, EvaluationFailed("out of memory")), "out of memory")],
)
def test_a_worker_that_takes_too_much_is_of_no_more_use(
    clock: Clock, answer: Message | None, reason: str
) -> None:
    conversation = Conversation(Said(clock, (KNOWN,), answer))
    with pytest.raises(Over) as over:
        conversation.evaluate(Call(WorkersEvaluator(), ONE, 0, None), 5.0)
    assert over.value.failure.reason == reason


def test_checkpoints_are_kept_where_the_folder_of_the_search_is_there(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run").mkdir()
    sent = pickle.dumps(Remote(Path("run", "trials", "one")))
    monkeypatch.chdir("/")  # as another process may be
    here, elsewhere = pickle.loads(sent), pickle.loads(sent)
    here.arrived(Said(clock))
    assert here.folder == tmp_path / "run" / "trials" / "one"
    (tmp_path / "run").rmdir()  # as on a machine with other disks
    elsewhere.arrived(Said(clock))
    assert elsewhere.folder is None
