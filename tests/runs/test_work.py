"""Workers of a run: they find the plan in its study and evaluate beside whoever began it."""

from pathlib import Path

import numpy as np
import pytest

from naokit import spaces
from naokit.base import InputError
from naokit.doors import Trial
from naokit.evaluators import Supernet, Tabular
from naokit.images.recipes import recipe
from naokit.images.subject import ImageSubject
from naokit.runs import work as working
from naokit.runs.plan import Plan
from naokit.runs.search import alone_in, search
from naokit.runs.watcher import Watcher
from naokit.runs.work import work
from naokit.study import Asked, Study, create_study, opening
from naokit.study.storage import address_of

SPACE = spaces.load("nas-bench-201")
EVALUATIONS = 8


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table of known results."""
    generator, file = np.random.default_rng(0), tmp_path / "table.csv"
    names = {str(SPACE.sample(generator)) for _ in range(60)}
    rows = [f"{name},{number % 17}" for number, name in enumerate(sorted(names))]
    file.write_text("\n".join(["arch,acc", *rows]) + "\n")
    return file


def table_of(file: Path) -> Tabular:
    return Tabular(SPACE, file, architecture_column="arch", metric="acc")


def plan_of(evaluator: Tabular) -> Plan:
    return Plan(
        dict(SPACE.settings()),
        dict(evaluator.settings()),
        method="evolution",
        evaluations=EVALUATIONS,
        repeat=2,
        times=2,
        baseline=True,
    )


class Told(Watcher):
    """Remembers, and interrupts after so many evaluations."""

    def __init__(self, until: int = 1000) -> None:
        self.until, self.begun, self.seen, self.said = (
            until,
            list[int](),
            list[Trial](),
            list[str](),
        )

    def remark(self, line: str) -> None:
        self.said.append(line)

    def evaluation_begins(self, asked: Asked) -> None:
        self.begun.append(asked.number)

    def told(self, study: Study, trial: Trial) -> None:
        self.seen.append(trial)
        if len(self.seen) == self.until:
            raise KeyboardInterrupt


def test_a_worker_does_what_a_search_left_and_the_search_finds_it_done(
    table: Path, tmp_path: Path
) -> None:
    plan = plan_of(table_of(table))
    storage, driver = address_of(tmp_path / "s.db"), Told(3)
    with pytest.raises(KeyboardInterrupt):
        search(plan, tmp_path / "run", storage=storage, watcher=driver)
    helper = Told()
    study = work(storage, watcher=helper)
    assert study.evaluations == EVALUATIONS
    assert len(driver.seen) + len(helper.seen) == 2 * (EVALUATIONS + 2)  # random search beside it
    assert helper.begun == [trial.number for trial in helper.seen]
    last = Told()
    found = search(plan, tmp_path / "run", storage=storage, watcher=last)
    assert found.findings.evaluations == EVALUATIONS
    assert last.seen == []


def test_a_worker_waits_for_a_plan_and_says_where_none_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working, "WAIT", 0.1)
    monkeypatch.setattr(opening, "LOOK", 0.2)
    storage, waits = address_of(tmp_path / "s.db"), Told()
    with pytest.raises(InputError, match="there is no study at"):
        work(storage)
    assert not (tmp_path / "s.db").exists()
    create_study(SPACE, storage=storage, name="another")
    with pytest.raises(InputError, match="holds no plan of a run: begin one with `naokit search`"):
        work(storage, watcher=waits)
    assert [line.startswith("waiting for a search in") for line in waits.said] == [True]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"data": "elsewhere"}, "looks its results up in a table: leave `data` out"),
        ({"version": "0.0.9"}, "the search runs naokit 0.1.0, this machine 0.0.9: install"),
    ],
)
def test_what_cannot_work_by_the_plan_is_told_before_anything_is_evaluated(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict, said: str
) -> None:
    storage = begun(table, tmp_path)
    monkeypatch.setattr(working, "__version__", change.pop("version", working.__version__))
    with pytest.raises(InputError, match=said):
        work(storage, **change)


def test_a_worker_with_other_data_is_refused(table: Path, tmp_path: Path) -> None:
    storage = begun(table, tmp_path)
    table.write_text(table.read_text().replace(",3\n", ",4\n"))
    with pytest.raises(InputError, match=r"is not what it was: table was .*; restore"):
        work(storage)


def begun(table: Path, folder: Path) -> str:
    """The storage of a run that holds one evaluation."""
    storage = address_of(folder / "s.db")
    plan = plan_of(table_of(table))
    with pytest.raises(KeyboardInterrupt):
        search(plan, folder / "run", storage=storage, watcher=Told(1))
    return storage


def test_an_evaluator_with_a_state_in_one_process_takes_no_workers(tmp_path: Path) -> None:
    space = spaces.load("conv-small", nodes=1)
    subject, by = ImageSubject("digits", 2, 1), recipe("quick")
    evaluator = Supernet(space, subject, by, pool=4, rounds=1)
    storage = address_of(tmp_path / "s.db")
    study = create_study(space, storage=storage, name="search")
    plan = Plan(dict(space.settings()), dict(evaluator.settings()), evaluations=4)
    study.optuna.set_user_attr("plan", plan.to_json())
    with pytest.raises(InputError, match="keeps its state in one process, that of the search"):
        work(storage)


def test_of_two_processes_in_one_folder_one_trains_the_winner(tmp_path: Path) -> None:
    with alone_in(tmp_path) as one, alone_in(tmp_path) as other:
        assert (one, other) == (True, False)
    with alone_in(tmp_path) as later:
        assert later
    assert not list(tmp_path.iterdir())
