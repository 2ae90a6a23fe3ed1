"""One study of a run."""

from pathlib import Path

import optuna

from naokit.doors import Evaluator, Result
from naokit.runs.studies import search_study
from naokit.space import Architecture
from naokit.spaces import ConvCells
from naokit.study.storage import address_of


class Stateful(Evaluator):
    """Knows where it may keep a state."""

    def __init__(self) -> None:
        self.folders: list[Path | None] = []

    def begin(self, folder: Path | None) -> None:
        self.folders.append(folder)

    def evaluate(self, architecture: Architecture, seed: int) -> Result:
        return Result(int(architecture.key[:6], 16) + seed % 7)


def test_an_evaluator_is_given_the_folder_of_the_run(tmp_path: Path) -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    evaluator = Stateful()
    study = search_study(
        ConvCells.small(nodes=1),
        evaluator,
        storage=address_of(tmp_path / "study.db"),
        folder=tmp_path,
        method="random",
        seed=0,
        evaluations=3,
        repeat=1,
        times=2,
    )
    assert evaluator.folders == [tmp_path]  # once, also for what is evaluated again
    assert len(study.trials) == 4
