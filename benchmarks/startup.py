"""CPU seconds of `naokit --help` and of `import naokit`, each in fresh processes."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys

from benchmarks.record import write

RUNS = 10


def cpu_seconds(arguments: list[str]) -> float:
    """User and system time of one run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measures medians of ten runs, after one that fills the caches."""
    commands = {
        "naokit --help": ["-m", "naokit", "--help"],
        "import naokit": ["-c", "import naokit"],
        "python itself": ["-c", "pass"],
    }
    rows = {}
    for name, arguments in commands.items():
        cpu_seconds(arguments)
        found = [cpu_seconds(arguments) for _ in range(RUNS)]
        rows[name] = {"median": statistics.median(found), "max": max(found)}
    write("startup", {"runs": RUNS, "cpu_seconds": rows})


if __name__ == "__main__":
    main()
