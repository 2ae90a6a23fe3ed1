"""Faults, injected into searches on purpose, and what became of the searches.

    python -m benchmarks.chaos [EVALUATIONS]         (make chaos)

Each row is one search of 200 evaluations (`benchmarks.chaos_driver`) that is disturbed in one way
and begun again as often as it ends early. Afterwards its study must hold every evaluation once,
nothing may run any more or lie about, and no more may have been evaluated twice than was cut off.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

import optuna
import psutil
from optuna.trial import TrialState

from benchmarks.chaos_driver import MOMENT, misbehaves, study_in
from benchmarks.postgresql import Server, start_server, wait_until
from benchmarks.record import keep

MARK = "NAOKIT_CHAOS"
"""The variable by which all processes of a search are found."""
FAULTS = 10
NODE = {"num_cpus": 1, "object_store_memory": 80 << 20, "include_dashboard": False}
"""A node of the Ray cluster."""


@dataclass
class Ground:
    """A search that is disturbed.

    Attributes:
        storage: The address of its database.
        folder: Where its log is, and its database if that is a file.
        evaluations: How many it is to hold.
        place: Where they run: `here`, `local:2` or `ray:ADDRESS`.
        faults: How many faults are injected.
        server: The server of the database, if it has one.
        cluster: The Ray cluster, if evaluations run on one.
        wish: How some of its evaluations misbehave.
    """

    storage: str
    folder: Path
    evaluations: int
    place: str
    faults: int = FAULTS
    server: Server | None = None
    cluster: Any = None
    wish: str = ""
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)
    chance: random.Random = field(default_factory=lambda: random.Random(0))

    @property
    def slots(self) -> int:
        """How many evaluations run at once."""
        return 1 if self.place == "here" else 2

    def drive(self, *before: str) -> subprocess.Popen[bytes]:
        """Begins the search, or goes on with it; `before` is what comes before its command."""
        module = [sys.executable, "-m", "benchmarks.chaos_driver"]
        options = [self.storage, str(self.folder), str(self.evaluations), self.place, self.wish]
        with (self.folder / "errors").open("ab") as errors:
            return subprocess.Popen(
                [*before, *module, *options],
                env={**os.environ, MARK: self.mark},
                stderr=errors,
                stdout=errors,
            )

    def log(self, what: str) -> list[tuple[int, str]]:
        """The process and key of each evaluation that began or ended."""
        file = self.folder / "log"
        rows = [line.split() for line in file.read_text().splitlines()] if file.exists() else []
        return [(int(process), key) for said, process, key in rows if said == what]

    def comes(self, process: subprocess.Popen[bytes], more: int) -> bool:
        """Waits until so many more evaluations have ended; whether the search still runs."""
        target = len(self.log("ended")) + more
        wait_until(lambda: process.poll() is not None or len(self.log("ended")) >= target, 120)
        time.sleep(self.chance.uniform(0, 2 * MOMENT))
        return process.poll() is None

    def between(self) -> int:
        """How many evaluations there are between two faults."""
        return self.chance.randint(1, max(1, self.evaluations // (self.faults + 2)))

    def to_the_end(self) -> None:
        """Goes on until the search ends by itself."""
        self.ends(self.drive())

    def ends(self, process: subprocess.Popen[bytes]) -> None:
        """Waits until a search has ended; AssertionError with what it said unless it ended well."""
        assert process.wait(600) == 0, (self.folder / "errors").read_text()[-2000:]


def drivers_killed(ground: Ground) -> int:
    """The driver is killed at random moments."""
    for _ in range(ground.faults):
        driver = ground.drive()
        ground.comes(driver, ground.between())
        driver.kill()
        driver.wait()
    ground.to_the_end()
    return ground.faults


def workers_killed(ground: Ground) -> int:
    """What evaluates at the moment is killed."""
    driver, killed = ground.drive(), 0
    while killed < ground.faults and ground.comes(driver, ground.between()):
        ended = Counter(ground.log("ended"))
        running = [one for one in dict.fromkeys(ground.log("begun")) if not ended[one]]
        if running:
            with suppress(ProcessLookupError):
                os.kill(running[-1][0], signal.SIGKILL)
                killed += 1
    ground.ends(driver)
    return killed


def evaluations_hang(ground: Ground) -> int:
    """Some evaluations never end."""
    return _misbehaving(ground, "hang")


def evaluations_eat_memory(ground: Ground) -> int:
    """Some evaluations hold more and more memory."""
    return _misbehaving(ground, "eat")


def _misbehaving(ground: Ground, wish: str) -> int:
    ground.wish = wish
    ground.to_the_end()
    study = study_in(ground.storage)
    failed = {trial.architecture.key for trial in study.trials if trial.failed}
    assert failed == {t.architecture.key for t in study.trials if misbehaves(t.architecture.key)}
    return len(failed)


def two_drivers_at_once(ground: Ground) -> int:
    """Two drivers begin at the same moment, and one of them is killed in its midst."""
    first, second = ground.drive(), ground.drive()
    if ground.comes(first, ground.evaluations // 3):
        first.kill()
    first.wait()
    ground.ends(second)
    return 2


def nodes_lost(ground: Ground) -> int:
    """A node of the cluster goes, and another one comes."""
    driver, lost = ground.drive(), min(3, ground.faults)
    for _ in range(lost):
        ground.comes(driver, ground.between())
        ground.cluster.remove_node(next(iter(ground.cluster.worker_nodes)), allow_graceful=False)
        time.sleep(ground.chance.uniform(0.2, 1.0))
        ground.cluster.add_node(**NODE)
    ground.ends(driver)
    return lost


def database_restarted(ground: Ground) -> int:
    """The server of the database is stopped as an administrator would, and started anew."""
    assert ground.server is not None
    driver, restarts = ground.drive(), min(3, ground.faults)
    for _ in range(restarts):
        ground.comes(driver, ground.between())
        ground.server.stop()
        time.sleep(ground.chance.uniform(0.2, 1.0))
        ground.server.start_again()
    ground.ends(driver)
    return restarts


def disk_full(ground: Ground) -> int:
    """The disk of the study becomes full; then there is room again."""
    with small_disk(ground.folder / "disk") as disk:
        file = Path(ground.storage.partition("///")[2])
        scheme = ground.storage.partition(":")[0]
        ground.storage = f"{scheme}:///{disk}/{file.name}"
        driver = ground.drive()
        ground.comes(driver, ground.evaluations // 3)
        resize(disk, shutil.disk_usage(disk).used + (4 << 10))
        assert driver.wait(600) != 0, "the disk did not become full"
        resize(disk, 64 << 20)
        ground.to_the_end()
        shutil.copy(disk / file.name, file)
    ground.storage = f"{scheme}:///{file}"
    return 1


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A disk of its own; AssertionError where this user may mount none."""
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], check=False)
    assert mounted.returncode == 0, "only an administrator may mount a small disk"
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def resize(disk: Path, size: int) -> None:
    """Gives a small disk another size in bytes."""
    subprocess.run(["mount", "-o", f"remount,size={size}", disk], check=True)


def clock_set_back(ground: Ground) -> int:
    """The next driver's clock is two hours behind that of the one that was killed."""
    return _driven_otherwise(ground, "faketime", "-f", "-2h")


def host_renamed(ground: Ground) -> int:
    """The next driver finds the machine under another name, and the old one dead."""
    return _driven_otherwise(
        ground, "unshare", "--uts", "sh", "-c", 'hostname renamed; exec "$0" "$@"'
    )


def _driven_otherwise(ground: Ground, *before: str) -> int:
    """Kills a driver and goes on with one that is begun in another way."""
    assert shutil.which(before[0]), f"there is no {before[0]} on this machine"
    driver = ground.drive()
    ground.comes(driver, ground.evaluations // 3)
    driver.kill()
    driver.wait()
    ground.ends(ground.drive(*before))
    return 1


@dataclass(frozen=True)
class Verdict:
    """What became of a disturbed search.

    Attributes:
        faults: How many faults there were.
        evaluations: How many evaluations the study holds.
        distinct: How many architectures these are.
        failed: How many of them failed.
        wrong: How many values are not what the architecture gives.
        twice: How many evaluations were begun again, or made though nothing of them is kept.
        orphans: How many processes of the search are left.
        left: Files that are left beside the study, and trials that still run.
        as_undisturbed: Whether the study is that of an undisturbed search; None where evaluations
            at the same time make the order a matter of chance.
    """

    faults: int
    evaluations: int
    distinct: int
    failed: int
    wrong: int
    twice: int
    orphans: int
    left: int
    as_undisturbed: bool | None

    def holds(self, ground: Ground) -> bool:
        """Whether nothing is lost, done twice without need, or left."""
        again = ground.slots * (self.faults + 1)
        return (
            self.evaluations == self.distinct == ground.evaluations
            and not (self.wrong or self.orphans or self.left)
            and self.twice <= again
            and self.as_undisturbed is not False
        )


def disturbed(fault: Callable[[Ground], int], ground: Ground) -> Verdict:
    """A search that is disturbed, and what became of it."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    faults = fault(ground)
    study = study_in(ground.storage)
    trials, began = study.trials, Counter(key for _, key in ground.log("begun"))
    keys = {trial.architecture.key for trial in trials}
    running = [trial for trial in study.optuna.trials if trial.state == TrialState.RUNNING]
    beside = [
        p for p in ground.folder.iterdir() if p.name.endswith(("-journal", "-wal", ".lock", ".tmp"))
    ]
    found = [(trial.architecture, trial.value) for trial in trials]
    in_order = ground.slots == 1 and fault is not host_renamed  # whose trial waits for a while
    return Verdict(
        faults=faults,
        evaluations=study.evaluations,
        distinct=len(keys),
        failed=study.failed,
        wrong=sum(t.value not in (None, int(t.architecture.key[:6], 16) / 16**6) for t in trials),
        twice=began.total() - len(keys),
        orphans=len(orphans(ground)),
        left=len(running) + len(beside),
        as_undisturbed=found == undisturbed(ground) if in_order else None,
    )


def undisturbed(ground: Ground) -> list[tuple[object, float | None]]:
    """Architecture and value of each evaluation of a search that nobody disturbs, in order."""
    study = study_in(None)
    study.optimize(lambda one: int(one.key[:6], 16) / 16**6, ground.evaluations)
    return [(trial.architecture, trial.value) for trial in study.trials]


def orphans(ground: Ground) -> list[int]:
    """The processes of a search that are left a moment after it ended."""
    evaluated = {process for process, _ in ground.log("begun")}
    for _ in range(100):
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                marked = process.environ().get(MARK) == ground.mark
                actor = process.pid in evaluated and "ray::" in " ".join(process.cmdline())
                if (marked or actor) and process.status() != "zombie":
                    found.append(process.pid)
        if not found:
            break
        time.sleep(0.1)
    return found


EVERYWHERE = (drivers_killed, workers_killed)
DATABASES = ("sqlite", "journal", "postgres")
SCENARIOS = (
    *((fault, database, "local:2") for fault in EVERYWHERE for database in DATABASES),
    (drivers_killed, "sqlite", "here"),
    (drivers_killed, "postgres", "here"),
    (drivers_killed, "postgres", "ray"),
    (workers_killed, "sqlite", "ray"),
    (nodes_lost, "postgres", "ray"),
    (evaluations_hang, "sqlite", "ray"),
    (evaluations_hang, "sqlite", "local:2"),
    (evaluations_eat_memory, "sqlite", "local:2"),
    (two_drivers_at_once, "sqlite", "local:2"),
    (two_drivers_at_once, "journal", "local:2"),
    (two_drivers_at_once, "postgres", "local:2"),
    (database_restarted, "postgres", "local:2"),
    (disk_full, "sqlite", "here"),
    (disk_full, "journal", "here"),
    (clock_set_back, "sqlite", "here"),
    (clock_set_back, "postgres", "here"),
    (host_renamed, "postgres", "local:2"),
)


@contextmanager
def prepared(
    database: str,
    place: str,
    evaluations: int,
    server: Server | None = None,
    cluster: Any = None,
) -> Iterator[Ground]:
    """The ground of a search in a new folder and a new database."""
    with tempfile.TemporaryDirectory() as folder:
        files = {"sqlite": f"sqlite:///{folder}/s.db", "journal": f"journal:///{folder}/s.log"}
        storage = files.get(database) or cast(Server, server).database()
        faults = min(FAULTS, max(2, evaluations // 10))
        place = f"ray:{cluster.address}" if place == "ray" else place
        yield Ground(storage, Path(folder), evaluations, place, faults, server, cluster)


@contextmanager
def ray_cluster() -> Iterator[Any]:
    """A Ray cluster of two small nodes on this machine."""
    os.environ["RAY_AUTH_MODE"] = "disabled"  # else Ray writes a token into the home folder
    from ray.cluster_utils import Cluster

    cluster: Any = Cluster(initialize_head=True, head_node_args=NODE)
    cluster.add_node(**NODE)
    try:
        yield cluster
    finally:
        cluster.shutdown()


def main() -> None:
    """Every scenario; each row is kept as it is found."""
    evaluations = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    server, rows = start_server(), list[dict[str, Any]]()
    with ray_cluster() as cluster:
        for fault, database, place in SCENARIOS:
            began = time.monotonic()
            row: dict[str, Any] = {"fault": fault.__name__, "database": database, "place": place}
            with prepared(database, place, evaluations, server, cluster) as ground:
                row |= survived(fault, ground)
            rows.append(row | {"seconds": round(time.monotonic() - began, 1)})
            print(rows[-1], flush=True)
            keep("chaos", {"evaluations": evaluations, "rows": rows})
    server.stop()
    sys.exit(0 if all(row["survived"] for row in rows) else 1)


def survived(fault: Callable[[Ground], int], ground: Ground) -> dict[str, Any]:
    """Whether a search survived a fault, and what became of it."""
    try:
        verdict = disturbed(fault, ground)
    except AssertionError as error:
        return {"survived": False, "why": str(error)[-500:]}
    return {"survived": verdict.holds(ground), **asdict(verdict)}


if __name__ == "__main__":
    main()
