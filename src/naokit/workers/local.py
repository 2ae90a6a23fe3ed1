"""Evaluations in processes of this machine, which end with the process that began them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from naokit.base import InputError
from naokit.workers import process
from naokit.workers.conversation import Line
from naokit.workers.devices import cores, environment, remarks
from naokit.workers.slots import Slot, Slots, check_limits


class Local(Slots):
    """So many processes, each with one evaluation at a time; `with Local(4) as workers: ...`.

    A process imports the module that was started, so that a script begins its work under
    `if __name__ == "__main__":`. It is sent the evaluator once, by pickling, and has its share of
    the cores, unless OMP_NUM_THREADS says otherwise. One that dies is replaced, and what it
    evaluated has failed. Nothing that a process has begun outlives it.

    Args:
        processes: How many there are.
        devices: The devices that are given to them in turn, such as "cuda:0", "cuda:1" or "cpu":
            a process sees no other, and its evaluator finds it by itself. If empty, they see what
            this process sees.
        seconds: How long an evaluation may take there; beyond that it has failed ("out of time").
        memory: How many bytes a process and its children may hold while they evaluate; beyond
            that the evaluation has failed ("out of memory").
        retries: How often an evaluation begins again whose process died.
    """

    def __init__(
        self,
        processes: int,
        *,
        devices: Sequence[str] = (),
        seconds: float | None = None,
        memory: int | None = None,
        retries: int = 0,
    ) -> None:
        if processes < 1:
            raise InputError(f"`processes` is {processes}; expected 1 or more")
        check_limits(seconds, memory)
        threads = {"OMP_NUM_THREADS": str(max(1, cores() // processes))}
        shared = {} if "OMP_NUM_THREADS" in os.environ else threads
        seen = [environment(device) for device in devices] or [{}]
        super().__init__(
            [
                _Process(seconds, memory, shared | seen[number % len(seen)])
                for number in range(processes)
            ]
        )
        self._devices, self.retries = devices, retries

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a person should know: more processes than cores or devices, devices not there."""
        return remarks(self.slots, self._devices)


class _Process(Slot):
    """A process of this machine.

    Args:
        seconds: How long an evaluation may take.
        memory: How many bytes it may hold.
        variables: What its environment has besides this process's.
    """

    def __init__(
        self, seconds: float | None, memory: int | None, variables: Mapping[str, str]
    ) -> None:
        super().__init__(seconds, memory)
        self._variables = variables
        self._process: process.Process | None = None
        self._exit_code = 0

    def begin(self) -> Line:
        """Starts the process."""
        if process.importing:
            raise InputError(
                "a script begins its work under `if __name__ == '__main__':`, since each worker "
                "imports it"
            )
        self._process = process.Process(self._variables, self.memory)
        return self._process.line

    def stop(self, grace: float) -> str:
        """Kills it: it holds nothing but an evaluation."""
        ended, self._process = self._process, None
        if ended is None:
            return ""
        self._exit_code = ended.end(grace)
        return process.in_words(self._exit_code)

    def unready(self, how: str) -> Exception:
        """The error of a process that could not import what was started, or was ended by others."""
        if self._exit_code < 0:
            return super().unready(how)
        return InputError(
            f"a worker ended before it began, see above ({how}): a script begins its work under "
            "`if __name__ == '__main__':`, since each worker imports it"
        )
