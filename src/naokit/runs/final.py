"""The final training: an architecture to its trained network, in one process or several.

FOLDER/last.safetensors, best.safetensors   checkpoints; the same job continues them
FOLDER/log.csv                              a row an epoch
FOLDER/split.json                           which images were held out
"""

from __future__ import annotations

import dataclasses
import itertools
import multiprocessing
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch.multiprocessing.spawn import ProcessExitedException, ProcessRaisedException

from naokit import spaces
from naokit.base import EvaluationFailed, InputError, Json, derive_seed
from naokit.export.bundle import Bundle
from naokit.export.config import CONFIG, check_checksum, read_any
from naokit.export.results import Results
from naokit.files import remove, write_json
from naokit.kinds import check_memory
from naokit.space import Architecture
from naokit.spaces import own_code
from naokit.subject import Subject
from naokit.training.checkpoint import (
    BEST,
    best_weights,
    checksum,
    load_weights,
    read_tensors,
    training_at,
)
from naokit.training.device import Device, Precision, make_fabric
from naokit.training.failures import memory_failures
from naokit.training.log import Log
from naokit.training.loop import Epoch, Trained, train
from naokit.training.processes import in_processes, share_statistics
from naokit.training.recipe import Recipe

if TYPE_CHECKING:
    from lightning_fabric import Fabric
    from torch import Tensor, nn

OnEpoch = Callable[[Epoch], None]
OnStep = Callable[[float], None]
OnTested = Callable[[int], None]


@dataclass(frozen=True)
class Job:
    """How an architecture is trained to the end.

    Attributes:
        subject: The data, and how large the network is.
        recipe: How the network is trained.
        folder: The folder of checkpoints, log and split.
        seed: The seed of weights, batches and augmentation.
        processes: How many processes train, each with a share of every batch.
        device: The device that trains, as `make_fabric` takes it.
        precision: The precision that it trains in, as `make_fabric` takes it.
        seconds: The limit on the clock, reading the data and measuring the test part included.
        tensorboard: Whether event files are written too.
        warm_start: A safetensors file of weights to begin with wherever their shapes agree; of a
            text, the rows of those tokens that the vocabulary beside it has too.
    """

    subject: Subject
    recipe: Recipe
    folder: Path
    seed: int = 0
    processes: int = 1
    device: Device = "auto"
    precision: Precision = "auto"
    seconds: float | None = None
    tensorboard: bool = False
    warm_start: Path | None = None


@dataclass(frozen=True)
class Watchers:
    """Who is told of a training; see `train_final`."""

    on_begin: Callable[[], None] | None = None
    on_epoch: OnEpoch | None = None
    on_step: OnStep | None = None


def train_final(
    architecture: Architecture,
    job: Job,
    *,
    on_begin: Callable[[], None] | None = None,
    on_epoch: OnEpoch | None = None,
    on_step: OnStep | None = None,
    on_tested: OnTested | None = None,
) -> Bundle:
    """Trains an architecture to the end; the weights of the best epoch are kept.

    Where `seconds` end within the first epoch, those of the last step are: at least one is taken.
    Continues the checkpoint in the job's folder. The result's `results` say how it went.

    Args:
        architecture: The architecture that is trained.
        job: How it is trained.
        on_begin: Called once data and checkpoint are accepted.
        on_epoch: Called after each epoch.
        on_step: Called after each step with the epochs done, a fraction.
        on_tested: Called with how many images or tokens of the test part were measured so far.

    Raises:
        EvaluationFailed: The training diverged, or memory ran out.
        InputError: Data, recipe, sizes or checkpoint do not fit.
    """
    began, before = time.monotonic(), training_at(job.folder)
    if before is not None:
        job = dataclasses.replace(job, recipe=job.recipe.as_recorded(before["recipe"]))
    job.subject.check_data(job.recipe)
    check_memory(architecture, job.subject.settings(job.recipe))
    if job.processes > job.recipe.batch:
        raise InputError(
            f"{job.processes} processes cannot share batches of {job.recipe.batch}: give fewer "
            "`processes`, or a larger `batch`"
        )
    job = _less(job, time.monotonic() - began)
    if job.processes == 1:
        fabric = make_fabric(job.device, job.precision)
        begun = _begin(architecture, job)
        trained = _train(begun, job, fabric, Watchers(on_begin, on_epoch, on_step))
    else:
        trained = _in_processes(architecture, job, Watchers(on_begin, on_epoch, on_step))
        fabric = make_fabric(job.device, job.precision)
        begun = _begin(architecture, job)
    network = begun.network
    load_weights(network, best_weights(job.folder), job.folder / BEST)
    test = job.subject.tested(network, fabric, on_tested) if trained.in_time else None
    results = _results(job, trained, test, begun.warm_start)
    return job.subject.bundle(architecture, network.cpu().eval(), job.recipe, results)


def _less(job: Job, seconds: float) -> Job:
    """The job once so many seconds of its limit are over."""
    return job if job.seconds is None else dataclasses.replace(job, seconds=job.seconds - seconds)


def keep_former(run: Path, job: Job, architecture: Architecture) -> Path | None:
    """Makes room in a run whose winner is another architecture now than the one trained there.

    Args:
        run: The folder of the run; `training` and `network` of the former winner move to `former-1`
            in it, or to the next number that is free.
        job: The training of the winner.
        architecture: The winner.

    Returns:
        Where they are kept; None where there is no training of another architecture or seed.
    """
    trained = training_at(job.folder)
    if trained is None or trained.get("seed") == _seed(architecture, job):
        return None
    kept = next(p for n in itertools.count(1) if not (p := run / f"former-{n}").exists())
    kept.mkdir()
    for folder in (run / "network", job.folder):  # the training last: a kill between is noticed
        if folder.exists():
            folder.rename(kept / folder.name)
    return kept


def _results(
    job: Job, trained: Trained, test: float | None, warm_start: Mapping[str, Json] | None
) -> Results:
    measured = len(job.subject.data.validation) and (trained.best_epoch or trained.in_time)
    return Results(
        job.subject.metric,
        job.recipe.to_json(),
        job.subject.results(),
        epochs=trained.epochs,
        epochs_done=trained.done,
        complete=trained.complete,
        best_epoch=trained.best_epoch,
        validation=trained.best if measured else None,
        test=test,
        batches_in_parts=trained.parts,
        reloads=trained.reloads,
        processes=job.processes,
        warm_start=warm_start,
    )


@dataclass(frozen=True)
class _Begun:
    """A network as the job begins with it.

    Attributes:
        network: The network.
        seed: The seed of its training.
        checksum: The checksum of the weights that it has from elsewhere. If None, it begins from
            scratch.
        warm_start: How many tensors those are, and of how many; of a text how many tokens as well.
    """

    network: nn.Module
    seed: int
    checksum: str | None = None
    warm_start: Mapping[str, Json] | None = None


def _begin(architecture: Architecture, job: Job) -> _Begun:
    """The job's network, with the weights of its warm start, if there is one."""
    seed = _seed(architecture, job)
    network = job.subject.network(architecture, job.recipe, seed)
    if job.warm_start is None:
        return _Begun(network, seed)
    own = network.state_dict()
    taken, told = _fitting(network, job.subject, job.warm_start)
    if not any(weights.dim() > 1 for weights in taken.values()):  # counters and biases are no start
        raise InputError(
            f"no weights of {job.warm_start} fit this network of {job.subject.size_in_words()}: "
            "leave `warm_start` out, or give the size of the trained network"
        )
    network.load_state_dict(own | taken)
    return _Begun(network, seed, checksum(taken), {"taken": len(taken), "of": len(own), **told})


def _seed(architecture: Architecture, job: Job) -> int:
    """That of a training, which tells it from those of other architectures."""
    return derive_seed(job.seed, "final", architecture.key)


def _fitting(
    network: nn.Module, subject: Subject, path: Path
) -> tuple[dict[str, Tensor], dict[str, Json]]:
    """The weights of the file that the network can begin with, and what to say of them."""
    config = read_any(path.parent) if (path.parent / CONFIG).exists() else {}
    check_checksum(path, config.get("sha256"))
    return subject.fitting(network, read_tensors(path)[0], path.parent)


def _train(
    begun: _Begun,
    job: Job,
    fabric: Fabric,
    watchers: Watchers,
) -> Trained:
    """Trains in this process, with the others of `fabric` if there are any."""
    log, first = Log(job.folder, tensorboard=job.tensorboard), fabric.global_rank == 0

    def begins() -> None:
        if first:
            _record_split(job)
            if watchers.on_begin is not None:
                watchers.on_begin()

    def told(epoch: Epoch) -> None:
        if first:
            log.write(epoch)
            if watchers.on_epoch is not None:
                watchers.on_epoch(epoch)

    with memory_failures():
        task = job.subject.task(job.recipe, fabric)
    return train(
        share_statistics(begun.network, fabric),
        task,
        seed=begun.seed,
        fabric=fabric,
        seconds=job.seconds,
        reserve=_measured_at_the_end(job),
        checkpoint=job.folder,
        warm_start=begun.checksum,
        split_batches=True,
        on_begin=begins,
        on_epoch=told,
        on_step=watchers.on_step if first else None,
    )


def _measured_at_the_end(job: Job) -> int:
    """How many images or tokens: the test part by one process, the held-out ones by all."""
    data = job.subject.data
    return len(data.validation) + job.processes * len(data.test)


def _record_split(job: Job) -> None:
    """Writes which images are held out, in place of what a training that never began left."""
    path, held_out = job.folder / "split.json", job.subject.split()
    if held_out is not None:
        write_json(path, held_out)
    else:
        remove(path)


class _Relay:
    """Passes on what other processes tell: the begin, an epoch, a step, or why they failed."""

    def __init__(self, watchers: Watchers) -> None:
        self.queue = multiprocessing.get_context("spawn").SimpleQueue()
        self.failure: Exception | None = None
        self.begins = watchers.on_begin
        self.told = {
            bool: self._begun,
            Epoch: watchers.on_epoch,
            float: watchers.on_step,
            tuple: self._failed,
        }
        self.reader = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> _Relay:
        self.reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.queue.put(None)
        self.reader.join()

    def _read(self) -> None:
        while (message := self.queue.get()) is not None:
            tell: Callable[[Any], None] | None = self.told[type(message)]
            if tell is not None:
                tell(message)

    def _begun(self, _: bool) -> None:
        if self.begins is not None:
            self.begins()

    def _failed(self, message: tuple[str, str]) -> None:
        reason, text = message
        self.failure = EvaluationFailed(reason, text) if reason else InputError(text)


def _in_processes(architecture: Architecture, job: Job, watchers: Watchers) -> Trained:
    """Trains in new processes, each of which reads the data for itself."""
    unread = dataclasses.replace(job, subject=job.subject.unread())
    settings = dict(architecture.space.settings())
    code = own_code.entry_of(settings["source"]) if settings.get("source") else None
    what = (settings, code, str(architecture), unread)
    with _Relay(watchers) as relay:
        try:
            trained = in_processes(
                job.processes, job.device, job.precision, _share, *what, relay.queue
            )
        except (ProcessExitedException, ProcessRaisedException) as error:
            died: Exception = EvaluationFailed("a process died", str(error))
        else:
            return Trained(**trained)
    raise relay.failure or died


def _share(
    fabric: Fabric, space: Mapping[str, Json], code: str | None, genotype: str, job: Job, queue: Any
) -> dict[str, Json]:
    """What each of several processes does; the fields of a `Trained`, as Fabric wants no other."""
    try:
        if code is not None:
            own_code.take(code)
        architecture = spaces.from_settings(space).parse(genotype)
        begun = _begin(architecture, job)
        watchers = Watchers(lambda: queue.put(True), queue.put, queue.put)
        return dataclasses.asdict(_train(begun, job, fabric, watchers))
    except InputError as error:
        queue.put(("", str(error)))
        raise
    except EvaluationFailed as error:
        queue.put((error.reason, str(error)))
        raise
