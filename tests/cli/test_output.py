"""What becomes of a command whose output goes nowhere, or that is stopped as it begins."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

NAOKIT = (sys.executable, "-m", "naokit")
GENOTYPE = "0 0 1 0 0 0 1 0"
FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="no device that is always full")


@needs_full
@pytest.mark.parametrize("command", [("zoo",), ("zoo", "--json"), ("--help",)])
def test_a_full_device_is_said_in_a_line(command: tuple[str, ...]) -> None:
    with FULL.open("w") as full:
        found = subprocess.run([*NAOKIT, *command], stdout=full, stderr=subprocess.PIPE, text=True)
    assert found.returncode == 1
    assert found.stderr == "failed: the output cannot be written: No space left on device\n"


@needs_full
def test_a_bar_on_a_full_device(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("arch,acc\na=1,1\na=2,2\n")
    options = ("--space", "choices", "--table", "t.csv", "--metric", "acc", "--seeds", "1")
    command = ("bench", *options, "--methods", "random")
    with FULL.open("w") as full:
        found = subprocess.run([*NAOKIT, *command], stdout=full, stderr=full, cwd=tmp_path)
    assert found.returncode in (1, 2)


@pytest.mark.parametrize("command", [("zoo",), ("--help",)])
def test_a_closed_pipe_is_quiet(command: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    found = subprocess.run([*NAOKIT, *command], stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert found.returncode == 1
    assert not found.stderr


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_command_is_stopped_as_it_begins(signum: int, tmp_path: Path) -> None:
    """Once a command is begun: its imports take longer than what it does."""
    script = tmp_path / "go.py"
    script.write_text(
        "import sys, os\n"
        "import naokit.cli.app\n"
        "class Slow:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'naokit.study.standings':\n"
        f"            os.kill(os.getpid(), {int(signum)})\n"
        "sys.meta_path.insert(0, Slow())\n"
        f"sys.argv = ['naokit', 'show', {GENOTYPE!r}]\n"
        "from naokit.cli import main\n"
        "main()\n"
    )
    found = subprocess.run([sys.executable, script], capture_output=True, text=True)
    assert found.returncode == 130, found.stderr
    assert found.stderr.startswith("interrupted")
    assert found.stderr.count("\n") == 1


@pytest.mark.slow
def test_ctrl_c_at_any_time(tmp_path: Path) -> None:
    for wait in range(20):
        process = subprocess.Popen(
            [*NAOKIT, "search", "--preset", "quick", "--out", tmp_path / str(wait)],
            stderr=subprocess.PIPE,
            text=True,
        )
        time.sleep(0.3 + 0.15 * wait)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 130, (wait, errors)
        assert "Traceback" not in errors
