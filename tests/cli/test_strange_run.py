"""A run of a stranger: what its settings name and what lies in its folder opens nothing else."""

import json
import os
import shutil
import socket
import sqlite3
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from naokit.cli.app import app
from naokit.study.storage import address_of

CELL = "|none~0|+|none~0|none~1|+|{}~0|none~1|none~2|"
OPERATIONS = ("nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3", "skip_connect")
SEARCH = ("search", "--space", "nas-bench-201", "--table", "t.csv", "--metric", "acc")
SEARCH = (*SEARCH, "--evaluations", "3", "--method", "random")
READERS = (
    ("show", "run"),
    ("train", "run", "--out", "x"),
    ("transfer", "run", "--data", "digits", "--out", "x"),
    ("profile", "run"),
    (*SEARCH, "--out", "x", "--start-from", "run"),
)
JOURNAL_END = bytes.fromhex("d9d505f920a163d7")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run and its table."""
    folder = tmp_path_factory.mktemp("made")
    rows = [f"{CELL.format(name)},{90 + n}" for n, name in enumerate(OPERATIONS)]
    (folder / "t.csv").write_text("\n".join(["arch,acc", *rows]) + "\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        found = run(*SEARCH, "--out", "run")
    assert found.exit_code == 0, found.output
    return folder


@pytest.fixture
def here(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy, entered."""
    shutil.copytree(made, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def say(storage: object) -> None:
    """Lets the settings name another storage."""
    file = Path("run/settings.json")
    file.write_text(json.dumps({**json.loads(file.read_text()), "storage": storage}))


def contents(*folders: Path) -> dict[str, tuple[float, bytes]]:
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return {str(path): (path.stat().st_mtime, path.read_bytes()) for path in files}


def refuse(*command: str, saying: str) -> None:
    found = run(*command)
    assert found.exit_code == 2, (command, found.output)
    last = found.stderr.splitlines()[-1]  # a bar may have been begun
    assert last.startswith("error: "), command
    assert saying in last, command
    assert "Traceback" not in found.output


def test_its_settings_open_no_other_file(here: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim.db"
    shutil.copy("run/study.db", victim)
    for said in (
        f"sqlite:///{victim}",
        "sqlite:///run/../../victim.db",
        f"sqlite:///file:{victim}?uri=true",
        f"sqlite+pysqlite:///{victim}",
        f"sqlite:///{tmp_path}/new/none.db",
        "sqlite://",
    ):
        say(said)
        before = contents(tmp_path)
        for command in READERS:
            refuse(*command, saying="only where you name it:")
        assert contents(tmp_path) == before
        refuse(*SEARCH, "--out", "run", saying="is a run whose study lies in")
    say("sqlite:///..")
    refuse(*READERS[0], saying="no regular file")
    say(f"sqlite:///{victim}")
    found = run("show", "run", "--storage", f"sqlite:///{victim}")
    assert found.exit_code == 0, found.output
    assert run(*SEARCH, "--out", "run", "--storage", f"sqlite:///{victim}").exit_code == 0
    assert contents(tmp_path)[str(victim)] == before[str(victim)]


def test_its_settings_connect_nowhere(here: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        port = server.getsockname()[1]
        say(f"postgresql+psycopg://me:secret@127.0.0.1:{port}/x")
        for command in READERS:
            refuse(*command, saying=f"--storage 'postgresql+psycopg://me:***@127.0.0.1:{port}/x'")
        with pytest.raises(TimeoutError):
            server.accept()


def test_what_its_settings_name_is_read_in_its_folder(here: Path, tmp_path: Path) -> None:
    """A run that was moved, or copied beside the one that it was."""
    (here / "elsewhere").mkdir()
    shutil.copytree("run", "copy")
    with sqlite3.connect("run/study.db") as database:
        database.execute("update trial_values set value = 1")
    best = json.loads(run("show", "copy", "--json").stdout)["standings"][0]["mean"]
    assert best > 80
    assert run(*SEARCH, "--out", "copy").exit_code == 0
    shutil.move("copy", "elsewhere/copy")
    os.chdir("elsewhere")
    assert json.loads(run("show", "copy", "--json").stdout)["standings"][0]["mean"] == best
    os.chdir(here)


def test_reading_changes_nothing(here: Path) -> None:
    before = contents(here)
    assert run("show", "run").exit_code == 0
    assert run(*SEARCH, "--out", "../x", "--start-from", "run").exit_code == 0
    assert contents(here) == before
    with sqlite3.connect("run/study.db") as database:  # the kind that has files beside it
        database.execute("pragma journal_mode=wal")
    database.close()
    before = contents(here)
    assert run("show", "run").exit_code == 0
    assert contents(here) == before


@pytest.mark.parametrize("name", ["study.db", "study.db-journal", "study.db-wal", "study.db-shm"])
@pytest.mark.parametrize("kind", ["link", "dangling", "pipe", "folder"])
def test_what_lies_in_its_folder_leads_nowhere(
    here: Path, tmp_path: Path, name: str, kind: str
) -> None:
    victim = tmp_path / "victim"
    shutil.copy("run/study.db", victim)
    place = Path("run") / name
    place.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(place)
    elif kind == "folder":
        place.mkdir()
    else:
        place.symlink_to(victim if kind == "link" else tmp_path / "none")
    before = contents(tmp_path)
    for command in (READERS[0], READERS[-1], (*SEARCH, "--out", "run")):
        refuse(*command, saying="is no regular file but leads elsewhere")
    assert contents(tmp_path) == before
    if (name, kind) == ("study.db", "link"):
        assert run("show", "run", "--storage", f"sqlite:///{victim}").exit_code == 0


def test_a_journal_deletes_no_file(here: Path, tmp_path: Path) -> None:
    """SQLite deletes what the end of a journal names once it has undone it."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    name = os.fsencode(victim)
    checksum = sum(byte - 256 * (byte > 127) for byte in name) % 2**32
    end = len(name).to_bytes(4) + checksum.to_bytes(4) + JOURNAL_END
    cut_off(Path("run/study.db"))
    with Path("run/study.db-journal").open("ab") as journal:
        journal.write((2**30 // 4096 + 1).to_bytes(4) + name + end)
    for command in (READERS[0], READERS[-1], (*SEARCH, "--out", "run")):
        refuse(*command, saying="names another file, which SQLite would delete")
    assert victim.read_text() == "precious"


def cut_off(file: Path) -> None:
    """Leaves a database as a process that is killed while it writes."""
    child = os.fork()
    if not child:
        database = sqlite3.connect(file, isolation_level=None)
        database.execute("pragma cache_size=1")
        database.execute("begin")
        database.execute("update trial_values set value = 1")
        database.execute("create table more as select * from trial_user_attributes, trials")
        os._exit(0)
    os.waitpid(child, 0)
    assert file.with_name(file.name + "-journal").stat().st_size


def test_what_was_cut_off_is_read_as_it_was(here: Path) -> None:
    before = run("show", "run", "--json").stdout
    cut_off(Path("run/study.db"))
    assert run("show", "run", "--json").stdout == before


def test_a_path_is_no_address(here: Path) -> None:
    for name in ("q/lr?1", "q/lr?2", "a%20b", "{x}", "a#b"):
        assert run(*SEARCH, "--out", name, "--seed", len(name)).exit_code == 0
        assert run("show", name).exit_code == 0
        assert Path(name, "study.db").is_file()
        assert json.loads(Path(name, "settings.json").read_text())["storage"] == address_of(
            Path(name, "study.db")
        )
    assert not Path("q/lr").exists()
    refuse(*SEARCH, "--out", "x" * 300, saying="File name too long")
    refuse(*SEARCH, "--out", "t.csv", saying="exists")


def test_storage_is_that_of_a_run(here: Path) -> None:
    refuse("show", "naonet-a", "--storage", "sqlite:///x.db", saying="leave it out")
    refuse("show", "run", "--storage", "sqlite:///x.db", saying="there is no study at x.db")
    assert not Path("x.db").exists()
