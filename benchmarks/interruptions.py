"""Evaluations lost, repeated or changed when `naokit search` is stopped at random moments.

    python -m benchmarks.interruptions path/to/nas-bench-201-cifar10.csv.gz

A search on the table is stopped ten times, with SIGKILL and SIGINT in turn, at random moments after
its first new evaluation, then run to its end; an uninterrupted one is its measure.
"""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.record import write

STOPS, EVALUATIONS = 10, 400


def command(table: str, out: Path) -> list[str]:
    """The command of the search."""
    return [
        *(sys.executable, "-m", "naokit", "search", "--space", "nas-bench-201", "--table", table),
        *("--metric", "c10_val_200", "--class-column", "unique_str", "--seed", "0"),
        *("--evaluations", str(EVALUATIONS), "--out", str(out), "--json"),
    ]


def evaluations(out: Path) -> list[tuple[str, float]]:
    """The architecture and value of each finished evaluation of the study, in order."""
    with sqlite3.connect(out / "study.db") as database:
        rows = database.execute(
            "select a.value_json, v.value from trials t"
            " join trial_user_attributes a on a.trial_id = t.trial_id and a.key = 'architecture'"
            " join trial_values v on v.trial_id = t.trial_id"
            " where t.state = 'COMPLETE' order by t.number"
        )
        return [(json.loads(text)["text"], value) for text, value in rows]


def main() -> None:
    """Compares a search with ten stops to one without."""
    table = sys.argv[1]
    chance = random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        whole, stopped = Path(folder) / "whole", Path(folder) / "stopped"
        subprocess.run(command(table, whole), check=True, capture_output=True)
        kept: list[tuple[str, float]] = []
        lost, codes = 0, []
        for stop in range(STOPS):
            process = subprocess.Popen(
                command(table, stopped), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            before = len(kept)
            while process.poll() is None and count(stopped) <= before:
                time.sleep(0.02)
            time.sleep(chance.uniform(0, 2.0))
            seen = count(stopped)
            process.send_signal(signal.SIGKILL if stop % 2 else signal.SIGINT)
            codes.append(process.wait())
            kept = evaluations(stopped)
            lost += max(0, seen - len(kept))
            print(stop, codes[-1], seen, len(kept), flush=True)
        subprocess.run(command(table, stopped), check=True, capture_output=True)
        expected, found = evaluations(whole), evaluations(stopped)
    write(
        "interruptions",
        {
            "stops": STOPS,
            "exit_codes": codes,
            "evaluations": len(found),
            "lost": lost,
            "repeated": len(found) - len({text for text, _ in found}),
            "same_sequence_as_uninterrupted": found == expected,
        },
    )


def count(out: Path) -> int:
    """The number of finished evaluations; 0 while the file is being made."""
    try:
        return len(evaluations(out)) if (out / "study.db").exists() else 0
    except sqlite3.OperationalError:
        return 0


if __name__ == "__main__":
    main()
