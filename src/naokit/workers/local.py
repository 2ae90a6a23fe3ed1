"""Evaluations in processes of this machine, which end with the process that began them."""

from __future__ import annotations

import atexit
import multiprocessing
import os
import pickle
import signal
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue

from threadpoolctl import threadpool_limits

from naokit.base import EvaluationFailed, InputError
from naokit.doors import WORKER_DIED, Evaluator, Reporter, Result, Workers
from naokit.space import Architecture
from naokit.workers.here import evaluated

_SPAWN = multiprocessing.get_context("spawn")  # a forked BLAS or torch may hang
_READY = "ready"
_EPOCH, _ENDED, _RAISED = "epoch", "ended", "raised"
"""What a process says of an evaluation: epoch and value, its result, or its error."""


class Local(Workers):
    """So many processes, each with one evaluation at a time; `with Local(4) as workers: ...`.

    A process imports the module that was started, so that a script begins its work under
    `if __name__ == "__main__":`. It is sent the evaluator once, by pickling, and has its share of
    the cores, unless OMP_NUM_THREADS says otherwise. One that dies is replaced, and what it
    evaluated has failed.

    Args:
        processes: How many there are.
        retries: How often an evaluation begins again whose process died.
    """

    def __init__(self, processes: int, *, retries: int = 0) -> None:
        if processes < 1:
            raise InputError(f"`processes` is {processes}; expected 1 or more")
        self.slots, self.retries = processes, retries
        self._threads = ThreadPoolExecutor(processes)
        threads = max(1, (os.cpu_count() or 1) // processes)
        self._processes = [_Process(threads) for _ in range(processes)]
        self._idle: SimpleQueue[_Process] = SimpleQueue()
        for process in self._processes:
            self._idle.put(process)
        atexit.register(self.close)

    def submit(
        self,
        evaluator: Evaluator,
        architecture: Architecture,
        seed: int,
        told: Reporter | None = None,
    ) -> Future[Result]:
        """The result to come, of the next process that is idle."""
        return self._threads.submit(self._evaluate, evaluator, architecture, seed, told)

    def close(self) -> None:
        """Ends the processes at once."""
        atexit.unregister(self.close)
        self._threads.shutdown(wait=False, cancel_futures=True)
        for process in self._processes:
            process.end()

    def _evaluate(
        self, evaluator: Evaluator, architecture: Architecture, seed: int, told: Reporter | None
    ) -> Result:
        process = self._idle.get()
        try:
            return process.evaluate(evaluator, architecture, seed, told)
        finally:
            self._idle.put(process)


class _Process:
    """One process, started when it is first needed, and again when it has died."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._known: Evaluator | None = None
        self._process: multiprocessing.process.BaseProcess | None = None

    def evaluate(
        self, evaluator: Evaluator, architecture: Architecture, seed: int, told: Reporter | None
    ) -> Result:
        """What the evaluator gives or raises there; who is told of epochs is told here."""
        if self._process is None:
            self._start()
        sent = None if evaluator is self._known else evaluator
        try:
            reporter = None if told is None else _Remote(told.folder)
            call = pickle.dumps((sent, architecture, seed, reporter))
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise InputError(
                f"the evaluator or the architecture cannot be sent to another process ({error}): "
                "define it in a module, not in a function, or leave `workers` out"
            ) from error
        try:
            self._connection.send_bytes(call)
            while (message := self._connection.recv())[0] == _EPOCH:
                assert told is not None  # else there is nobody there to report to
                self._connection.send(_answer(told, *message[1:]))
        except (EOFError, OSError):
            code = self.end()
            raise EvaluationFailed(WORKER_DIED, f"its process ended with {code}") from None
        ended, found = message
        if ended == _RAISED:
            raise found
        self._known = evaluator
        result: Result = found
        return result

    def end(self) -> int | None:
        """Ends the process; its exit code."""
        process, self._process, self._known = self._process, None, None
        if process is None:
            return None
        process.kill()  # it holds nothing but an evaluation
        process.join()
        return process.exitcode

    def _start(self) -> None:
        self._connection, theirs = _SPAWN.Pipe()
        held, self._ours = _SPAWN.Pipe(duplex=False)
        self._process = _SPAWN.Process(target=_serve, args=(theirs, held, self._threads))
        self._process.start()
        theirs.close()  # so that its end shows here
        held.close()
        try:
            ready = self._connection.recv()
        except (EOFError, OSError):
            ready = None
        if ready != _READY:
            self.end()
            raise InputError(
                "a worker ended before it began, see above: a script begins its work under "
                "`if __name__ == '__main__':`, since each worker imports it"
            )


def _serve(calls: Connection, held: Connection, threads: int) -> None:
    """Evaluates what is sent, until nothing more can come."""
    end_with_parent(held)
    calls.send(_READY)
    evaluator: Evaluator | None = None
    while True:
        try:
            call = calls.recv_bytes()
        except EOFError:
            return
        try:
            sent, architecture, seed, told = _received(call)
            evaluator = sent or evaluator
            assert evaluator is not None
            if told is not None:
                told.connection = calls
            if "OMP_NUM_THREADS" not in os.environ:
                threadpool_limits(threads)  # of what is loaded by now
            answer = pickle.dumps((_ENDED, evaluated(evaluator, architecture, seed, told)))
        except Exception as error:  # noqa: BLE001  # it is raised where the result is waited for
            answer = pickle.dumps((_RAISED, _portable(error)))
        calls.send_bytes(answer)


class _Remote(Reporter):
    """Reports to the process that submitted the evaluation, and waits for what it says.

    Args:
        folder: Where the evaluation may keep a checkpoint.
    """

    connection: Connection

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def report(self, epoch: int, value: float) -> bool:
        """Whether to stop here, or the error that was raised there."""
        self.connection.send((_EPOCH, epoch, value))
        stops = self.connection.recv()
        if isinstance(stops, Exception):
            raise stops
        return bool(stops)


def _answer(told: Reporter, epoch: int, value: float) -> bool | Exception:
    """Whether to stop, or an error that the evaluation shall raise."""
    try:
        return told.report(epoch, value)
    except (EvaluationFailed, InputError) as error:
        return error


_Call = tuple[Evaluator | None, Architecture, int, _Remote | None]


def _received(call: bytes) -> _Call:
    """What was sent to this process."""
    try:
        received: _Call = pickle.loads(call)  # noqa: S301  # our parent sent it
    except Exception as error:
        raise InputError(
            f"the evaluator or the architecture cannot be made again in another process ({error}): "
            "define it in a module that can be imported, or leave `workers` out"
        ) from error
    return received


def _portable(error: Exception) -> Exception:
    """The error, or one that says the same and can be sent."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301  # written a moment ago
    except Exception:  # noqa: BLE001  # whatever its class does when it is made again
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


def end_with_parent(held: Connection) -> None:
    """Ends this process once the other end of the pipe is closed; Ctrl-C is the parent's."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def wait() -> None:
        held.poll(None)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
