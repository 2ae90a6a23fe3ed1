"""Evaluations on the machines of a Ray cluster.

    submitter: _Slot -> _ActorLine  ~~ Ray ~~>  _Actor: two queues <- serve, in a thread

An actor is a worker. What a submitter and a worker say to each other is the same as everywhere;
Ray carries it, and the evaluator lies in its object store, once on each machine.
"""

from __future__ import annotations

import os
import pickle
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

from naokit.base import EvaluationFailed, InputError
from naokit.doors import Evaluator
from naokit.workers.cluster import Cluster
from naokit.workers.conversation import Line, Lost, Message, not_made, not_sent, serve
from naokit.workers.devices import VISIBLE
from naokit.workers.guard import Guard
from naokit.workers.slots import Slot, Slots, check_limits

TRIES = 5
"""How often an actor may die as it begins, before an evaluation is told so."""


class Ray(Slots):
    """So many actors of a Ray cluster, each with one evaluation at a time (`naokit[ray]`).

    Ray decides where they are; one that has no room waits for it, also for machines that Ray adds.
    An actor whose machine or process dies is made again, and what it evaluated has failed.
    The evaluator is sent with its data where these are in memory, once to each machine; pictures
    that are decoded while a network trains are read there, from the same paths. What stopped early
    goes on from its checkpoint where the machines share the folder of the search, else anew.

    Args:
        slots: How many actors are asked for. If None, as many as its machines hold now.
        address: The cluster: "auto" for the one that this machine belongs to, "host:port" or
            "ray://host:port". If None, Ray is started on this machine, and ended with this object.
        cpus: How many cores each actor has.
        gpus: How many GPUs each actor has; a half is one that two share.
        seconds: How long an evaluation may take there; beyond that it has failed ("out of time").
        memory: How many bytes an actor and its children may hold while they evaluate; beyond
            that the evaluation has failed ("out of memory"). So much is also reserved for it.
        retries: How often an evaluation begins again whose actor or machine died.
    """

    def __init__(
        self,
        slots: int | None = None,
        *,
        address: str | None = None,
        cpus: float = 1,
        gpus: float = 0,
        seconds: float | None = None,
        memory: int | None = None,
        retries: int = 0,
    ) -> None:
        if slots is not None and slots < 1:
            raise InputError(f"`slots` is {slots}; expected 1 or more, or None")
        if cpus < 0 or gpus < 0:
            raise InputError(f"`cpus` is {cpus:g} and `gpus` {gpus:g}; expected 0 or more")
        check_limits(seconds, memory)
        self._cluster = Cluster(address)
        asked = {"CPU": cpus, "GPU": gpus, "memory": memory or 0}
        self.room = self._cluster.room(asked)
        if not self.room and (slots is None or address is None):
            self._cluster.leave()
            raise InputError(
                f"the cluster has no room for a worker with {cpus:g} `cpus`, {gpus:g} `gpus` and "
                f"{memory or 0:,} bytes of `memory` now; ask for less, or have a number of `slots` "
                "wait for it in a cluster that grows"
            )
        store = _Store(self._cluster.ray)
        options = {"num_cpus": cpus, "num_gpus": gpus, "memory": memory, "max_concurrency": 2}
        super().__init__(
            [_Slot(seconds, memory, store, options) for _ in range(slots or self.room)]
        )
        self.retries = retries

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a person should know: more actors than the machines hold now."""
        if self.slots <= self.room:
            return ()
        return (f"{self.slots} workers are asked for; the cluster holds {self.room} now",)

    def close(self) -> None:
        """Ends the actors at once, and Ray where this object has started it."""
        super().close()
        self._cluster.leave()


class _Store:
    """The object store, which holds an evaluator and its data once on each machine.

    Args:
        ray: The module of that name.
    """

    def __init__(self, ray: Any) -> None:
        self.ray = ray
        self._lock = threading.Lock()
        self._evaluator: Evaluator | None = None
        self._stored: Any = None

    def put(self, evaluator: Evaluator) -> Any:
        """The reference of an evaluator, the same for all slots."""
        with self._lock:
            if evaluator is not self._evaluator:
                try:
                    self._stored = self.ray.put(evaluator.with_data())
                except (TypeError, AttributeError, ImportError, pickle.PicklingError) as error:
                    raise not_sent(error, "the evaluator") from error
                self._evaluator = evaluator
            return self._stored


class _Slot(Slot):
    """An actor of the cluster.

    Args:
        seconds: How long an evaluation may take.
        memory: How many bytes it may hold.
        store: Where evaluators lie.
        options: What Ray is told of the actor.
    """

    def __init__(
        self,
        seconds: float | None,
        memory: int | None,
        store: _Store,
        options: dict[str, Any],
    ) -> None:
        super().__init__(seconds, memory)
        self._store, self._options = store, options
        self._actor: Any = None

    def begin(self) -> Line:
        """Asks for an actor."""
        ray = self._store.ray
        actor = ray.remote(_Actor).options(**self._options)
        gpus = self._options["num_gpus"] > 0
        self._actor = actor.remote(self.memory, [*map(str, sys.path)], gpus=gpus)
        return _ActorLine(self._actor, self._store)

    def wait_for_room(self) -> None:
        """Waits until Ray has begun the actor; one may die as it begins, with its machine."""
        for _ in range(TRIES):
            try:
                self.opened()
            except EvaluationFailed:
                continue
            except Exception:  # noqa: BLE001, S110  # `evaluate` meets it again
                pass
            return

    def stop(self, grace: float) -> str:
        """Ends the actor; Ray says how it ended by itself."""
        del grace
        actor, self._actor = self._actor, None
        if actor is not None:
            with suppress(Exception):  # it has ended, or its cluster has
                self._store.ray.kill(actor)
        return ""


class _ActorLine:
    """The line to an actor.

    Args:
        actor: The actor.
        store: Where evaluators lie.
    """

    def __init__(self, actor: Any, store: _Store) -> None:
        self._actor, self._store = actor, store
        self._coming: Any = None

    def send(self, message: Message) -> None:
        """See `Line.send`; an evaluator is sent as its place in the store."""
        put = self._store.put
        parts = [put(part) if isinstance(part, Evaluator) else part for part in message]
        self._got(self._actor.take.remote(*parts))

    def receive(self, seconds: float | None = None) -> Message | None:
        """See `Line.receive`."""
        if self._coming is None:
            self._coming = self._actor.give.remote()
        if not self._store.ray.wait([self._coming], timeout=seconds)[0]:
            return None
        coming, self._coming = self._coming, None
        message: Message = self._got(coming)
        return message

    def _got(self, coming: Any) -> Any:
        errors = self._store.ray.exceptions
        try:
            return self._store.ray.get(coming)
        except (errors.RayTaskError, errors.RaySystemError) as error:
            said = _last_line(error)
            *_, own = said.partition("naokit.base.InputError: ")
            raise (InputError(own) if own else not_made(said)) from error
        except errors.RayError as error:
            if getattr(error, "actor_init_failed", False):
                raise InputError(
                    f"a worker cannot begin there ({_last_line(error)}): each machine needs the "
                    "same naokit"
                ) from None
            raise Lost(_last_line(error)) from None


def _last_line(error: Exception) -> str:
    """What Ray says at the end of a traceback or a list of ids, without its advice."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[-1].partition(" Some common causes include")[0].strip()


class _Actor:
    """A worker: it serves in a thread, so that it can be spoken to meanwhile.

    Args:
        memory: How many bytes it and its children may hold while they evaluate.
        path: Where the submitter finds modules; Ray itself tells of the script's folder alone.
        gpus: Whether it was given GPUs; if not, it shall see none.
    """

    def __init__(self, memory: int | None, path: Sequence[str], *, gpus: bool) -> None:
        sys.path.extend(place for place in path if place not in sys.path)
        if not gpus:
            os.environ[VISIBLE] = ""
        with suppress(OSError):  # Ray has done so already, unless it is told not to
            os.setpgid(0, 0)
        self._guard = Guard(-os.getpid())
        self._heard: SimpleQueue[Message] = SimpleQueue()
        self._said: SimpleQueue[Message] = SimpleQueue()
        threading.Thread(target=self._serve, args=(memory,), daemon=True).start()

    def take(self, *message: Any) -> None:
        """Takes a message of the submitter."""
        self._heard.put(message)

    def give(self) -> Message:
        """The next message for the submitter."""
        return self._said.get()

    def send(self, message: Message) -> None:
        """See `Line.send`."""
        self._said.put(message)

    def receive(self, seconds: float | None = None) -> Message:
        """See `Line.receive`."""
        return self._heard.get(timeout=seconds)

    def _serve(self, memory: int | None) -> None:
        try:
            serve(self, memory)
        finally:
            os._exit(1)  # an evaluation has ended its thread: nobody would answer any more
