"""What `naokit doctor` says of a machine that is well, and of one that is not."""

import json
import os
import re
import subprocess
import sys
import tomllib
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from typer.testing import CliRunner, Result

import naokit
from naokit.cli.app import app
from naokit.runs.doctor import examine
from naokit.runs.doctor import machine as looked_at_machine
from naokit.runs.doctor import place as looked_at_place
from naokit.runs.doctor.extras import EXTRAS

ROOT = Path(__file__).parents[2]
PARTS = {"onnx": "1.1", "onnxruntime": "1.2", "onnxscript": "0.3"}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["doctor", *map(str, arguments)])


def told(*arguments: object) -> dict[tuple[str, str], dict[str, Any]]:
    """What `--json` says, by topic and name."""
    found = json.loads(run(*arguments, "--json").stdout)
    return {(row["topic"], row["name"]): row for row in found["findings"]}


def line(output: str, *words: str) -> str:
    """The line that begins with these words."""
    return next(row for row in output.splitlines() if row.split()[: len(words)] == [*words])


def test_a_healthy_machine_is_named_and_nothing_is_left(tmp_path: Path) -> None:
    found = run("--out", tmp_path)
    assert (found.exit_code, found.stderr) == (0, "")
    assert found.stdout.splitlines()[-1] == "nothing is broken"
    assert line(found.stdout, "ok", "version", "naokit").endswith(naokit.__version__)
    assert line(found.stdout, "ok", "version", "torch").endswith(torch.__version__)
    for words in ("device cpu", "device auto", "precision 32-true", "folder sqlite"):
        assert line(found.stdout, "ok", *words.split())
    assert "broken" not in {row.split()[0] for row in found.stdout.splitlines()[:-2]}
    assert not list(tmp_path.iterdir())


def test_json_has_what_the_lines_say(tmp_path: Path) -> None:
    said = {
        tuple(row.split()[:3])
        for row in run("--out", tmp_path).stdout.splitlines()
        if row.startswith(("ok", "note"))
    }
    rows = told("--out", tmp_path)
    assert said == {(row["state"], *name) for name, row in rows.items()}
    assert rows["version", "naokit"]["figures"] == {"version": naokit.__version__}
    assert rows["device", "cpu"]["figures"]["cores"] >= 1
    assert rows["precision", "32-true"]["figures"] == {"works": True}
    assert rows["memory", "free"]["figures"]["free_bytes"] > 0
    assert rows["folder", "writing"]["figures"]["bytes_per_second"] > 0
    assert rows["folder", "sqlite"]["figures"] == {"folder": str(tmp_path), "locks": True}


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    rows = told("--out", tmp_path / "runs" / "new")
    assert rows["folder", "sqlite"]["figures"] == {"folder": str(tmp_path), "locks": True}
    assert not list(tmp_path.iterdir())


def test_a_file_in_place_of_the_folder_is_broken(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    found = run("--out", file)
    assert found.exit_code == 1
    assert "Not a directory" in line(found.stdout, "broken", "folder", "writing")
    assert "(--out)" in line(found.stdout, "broken", "folder", "writing")
    assert found.stdout.splitlines()[-1] == "1 line above says broken"
    assert json.loads(run("--out", file, "--json").stdout)["broken"] == 1


def test_a_disk_that_is_full_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    (found,) = looked_at_place.examine_folder(tmp_path)
    assert (found.state, "No space left" in found.text) == ("broken", True)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("writer", "reason"),
    [
        ("pass", "two processes write at once"),
        ("raise OSError('disk I/O error')", "OSError: disk I/O error"),
        ("import time; time.sleep(60)", "a lock is not answered in 0.5 s"),
    ],
)
def test_a_folder_where_nothing_is_locked_is_broken(
    writer: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looked_at_place, "_ANOTHER_WRITER", writer)
    monkeypatch.setattr(looked_at_place, "WAIT", 0.5 if "sleep" in writer else 60)
    found = {finding.name: finding for finding in looked_at_place.examine_folder(tmp_path)}
    assert found["writing"].state != "broken"
    assert found["sqlite"].state == "broken"
    assert f"({reason})" in found["sqlite"].text
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("precision", "state", "code"), [("bf16-mixed", "note", 0), ("32-true", "broken", 1)]
)
def test_a_precision_that_fails_is_told(
    precision: str, state: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_fabric = looked_at_machine.make_fabric

    def broken(device: str = "auto", asked: str = "auto") -> Any:
        if asked == precision:
            raise RuntimeError("no kernel image is available\nand more")
        return make_fabric(device, asked)

    monkeypatch.setattr(looked_at_machine, "make_fabric", broken)
    found = run("--out", tmp_path)
    assert found.exit_code == code
    said = line(found.stdout, state, "precision", precision)
    assert said.endswith("fails: no kernel image is available")


def test_a_step_that_computes_nonsense_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for rate, reason in ((float("inf"), "not finite"), (0.0, "changes no weight")):
        wrong = torch.optim.SGD
        monkeypatch.setattr(
            torch.optim, "SGD", lambda weights, _, wrong=wrong, rate=rate: wrong(weights, rate)
        )
        found = next(f for f in looked_at_machine.precisions() if f.name == "32-true")
        assert (found.state, reason in found.text) == ("broken", True)
        monkeypatch.undo()


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU computes in 16-mixed")
def test_a_processor_has_no_16_mixed() -> None:
    found = {finding.name: finding for finding in looked_at_machine.precisions()}
    assert found["16-mixed"].state == "note"
    assert "a processor has no 16-mixed precision" in found["16-mixed"].text


def test_gpus_and_what_hides_them_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = SimpleNamespace(name="A GPU", total_memory=8 * 10**9)
    fabric = SimpleNamespace(
        device="cuda:0", strategy=SimpleNamespace(precision=SimpleNamespace(precision="32-true"))
    )
    monkeypatch.setattr(looked_at_machine, "make_fabric", lambda: fabric)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda number: gpu)
    found = {finding.name: finding.text for finding in looked_at_machine.devices()}
    assert found["cuda:0"] == found["cuda:1"] == "A GPU, 8.0 GB"
    assert found["auto"] == "takes cuda:0 in 32-true"

    def old_driver() -> bool:
        warnings.warn("the driver is too old\nupdate it", stacklevel=1)
        return False

    monkeypatch.setattr(torch.cuda, "is_available", old_driver)
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setattr(looked_at_machine.shutil, "which", lambda name: f"/usr/bin/{name}")
    hidden = [finding for finding in looked_at_machine.devices() if finding.name == "cuda"]
    assert [finding.state for finding in hidden] == ["note", "note"]
    assert hidden[0].text == "the driver is too old"
    assert "built without CUDA" in hidden[1].text


@pytest.mark.parametrize(
    ("taken", "said", "state", "words"),
    [
        (8, None, "note", "8 threads on 4 cores hinder each other: set OMP_NUM_THREADS=4"),
        (2, "2", "note", "because of OMP_NUM_THREADS=2: good for up to 2 workers"),
        (2, None, "ok", "2 threads on 4 cores"),
        (4, "4", "ok", "4 threads on 4 cores"),
    ],
)
def test_threads_that_do_not_fit_the_cores_are_told(
    taken: int, said: str | None, state: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment: Mapping[str, str] = {} if said is None else {"OMP_NUM_THREADS": said}
    monkeypatch.setattr(looked_at_machine.os, "environ", environment)
    monkeypatch.setattr(looked_at_machine, "cores", lambda: 4)
    monkeypatch.setattr(torch, "get_num_threads", lambda: taken)
    (found,) = looked_at_machine.threads()
    assert (found.state, words in found.text) == (state, True)


def test_little_room_is_a_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (looked_at_machine, looked_at_place):
        monkeypatch.setattr(module, "LITTLE", 10**18)
    monkeypatch.setattr(looked_at_place, "SLOW", 10**18)
    rows = told("--out", tmp_path)
    for name in (("memory", "free"), ("folder", "space"), ("folder", "writing")):
        assert rows[name]["state"] == "note"
    assert run("--out", tmp_path).exit_code == 0


def test_a_missing_extra_is_told_with_the_command_and_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("naokit.runs.doctor.extras.version_of", PARTS.get)
    found = run("--out", tmp_path)
    assert found.exit_code == 0
    assert line(found.stdout, "ok", "extra", "export").endswith(
        "onnx 1.1, onnxruntime 1.2, onnxscript 0.3"
    )
    said = line(found.stdout, "note", "extra", "ray")
    assert "--workers ray" in said
    assert said.endswith("pip install 'naokit[ray]'")


def test_every_extra_is_looked_at() -> None:
    """Those of pyproject.toml, without what only developers need."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {
        name: tuple(re.split(r"[\[>=<]", package)[0] for package in packages)
        for name, packages in project["optional-dependencies"].items()
        if name not in ("docs", "dev")
    }
    assert {name: extra.packages for name, extra in EXTRAS.items()} == declared


def test_libraries_that_are_missing_or_do_not_load_are_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setattr(looked_at_machine, "version_of", {"torch": None, "numpy": "2"}.get)
    found = {(finding.topic, finding.name): finding for finding in examine(tmp_path)}
    assert found["version", "torch"].text == "not installed: pip install naokit"
    for name in (("version", "torch"), ("device", "all"), ("precision", "32-true")):
        assert found[name].state == "broken"
    assert found["folder", "sqlite"].state == "ok"  # what else can be looked at is


def test_no_optional_part_is_imported(tmp_path: Path) -> None:
    """In a process of its own, where no other test has imported one."""
    code = (
        "import sys\nfrom pathlib import Path\nfrom naokit.runs.doctor import examine\n"
        f"list(examine(Path({str(tmp_path)!r})))\n"
        "parts = {'onnx', 'onnxruntime', 'ray', 'tensorboard', 'tokenizers', 'psycopg'}\n"
        "assert not parts & set(sys.modules), parts & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
