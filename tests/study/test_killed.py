"""Processes that are killed in the middle of a study: nothing is lost or done twice."""

import signal
import sqlite3
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import optuna
import pytest
from tests.study.shared_studies import SPACE, architectures, score, study_of

from naokit.study import create_study, open_study

KILLED = """
import sys, time, optuna
from pathlib import Path
from naokit.spaces import ConvCells
from naokit.study import create_study
folder = Path(sys.argv[1])
optuna.logging.set_verbosity(optuna.logging.WARNING)
study = create_study(ConvCells.small(nodes=1), storage=f"sqlite:///{folder}/k.db", name="k",
                     method="evolution", seed=1)
def score(architecture):
    time.sleep(0.05)
    with (folder / "log").open("a") as log:
        log.write(f"{architecture}\\n")
    return int(architecture.key[:6], 16) / 16**6
study.optimize(score, 20)
"""


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT])
def test_nothing_is_lost_or_done_twice_when_it_is_killed(tmp_path: Path, sign) -> None:
    for wait in (0.35, 0.25):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(tmp_path)], stderr=subprocess.DEVNULL
        )
        done = _count(tmp_path)
        while _count(tmp_path) == done and process.poll() is None:
            time.sleep(0.02)
        time.sleep(wait)
        process.send_signal(sign)
        process.wait()
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=True)
    whole = create_study(SPACE, method="evolution", seed=1)
    whole.optimize(score, 20)
    killed = open_study(SPACE, f"sqlite:///{tmp_path}/k.db", "k")
    assert killed.evaluations == 20
    assert architectures(killed) == architectures(whole)
    log = (tmp_path / "log").read_text().splitlines()
    assert len(set(log)) == 20
    assert len(log) <= 22  # what was in flight may have been evaluated, but not stored


def test_a_killed_process_that_nobody_waited_for_is_dead_too(tmp_path: Path) -> None:
    # In the middle of an evaluation: a trial that has no architecture yet is kept for a minute.
    long = KILLED.replace("time.sleep(0.05)", "(folder / 'begun').touch(); time.sleep(60)")
    process = subprocess.Popen([sys.executable, "-c", long, str(tmp_path)])
    while not (tmp_path / "begun").exists() and process.poll() is None:
        time.sleep(0.02)
    process.kill()
    time.sleep(0.1)  # a zombie now: `wait` comes later
    study = create_study(
        SPACE, storage=f"sqlite:///{tmp_path}/k.db", name="k", method="evolution", seed=1
    )
    states = [trial.state.name for trial in study.optuna.trials]
    process.wait()
    assert states
    assert "RUNNING" not in states


def _count(folder: Path) -> int:
    if not (folder / "k.db").exists():
        return 0
    try:
        with sqlite3.connect(folder / "k.db") as database:
            query = "select count(*) from trials where state = 'COMPLETE'"
            return int(database.execute(query).fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def test_a_trial_without_an_architecture_is_given_a_minute(tmp_path: Path) -> None:
    """Its process was cut off while it made the trial, or is still making it."""
    study = study_of(tmp_path)
    for seconds in (50, 70):
        running = optuna.trial.create_trial(state=optuna.trial.TrialState.RUNNING)
        running.datetime_start = datetime.now() - timedelta(seconds=seconds)
        study.optuna.add_trial(running)
    trials = study_of(tmp_path).optuna.get_trials()
    assert [trial.state.name for trial in trials] == ["RUNNING", "FAIL"]
