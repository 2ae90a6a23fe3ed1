"""A third kind of data in one file, through public doors alone: rows of numbers and a class."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_wine
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import TensorDataset

import naokit
from naokit.base import derive_seed
from naokit.evaluators import Training
from naokit.export import Bundle, Results, export
from naokit.runs.final import Job, train_final
from naokit.settings import NetworkSettings
from naokit.space import Architecture
from naokit.spaces import Choice, Choices
from naokit.subject import Subject
from naokit.training.loop import train
from naokit.training.metric import Metric
from naokit.training.recipe import Recipe
from naokit.training.task import Task, Update


@dataclass(frozen=True)
class RowSettings(NetworkSettings):
    numbers: int = 13
    classes: int = 3


@dataclass(frozen=True, eq=False)
class Rows:  # standardised numbers and a class (N, 14)
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    name, fingerprint, held_out, remarks = "wine", "wine", None, ()


@dataclass(frozen=True, eq=False)
class RowUpdate(Update):
    chosen: np.ndarray


def tensors(rows: np.ndarray) -> TensorDataset:
    numbers, labels = torch.from_numpy(rows).split([13, 1], dim=1)
    return TensorDataset(numbers.float(), labels[:, 0].long())


def percent_right(network: nn.Module, rows: np.ndarray) -> float:
    numbers, labels = tensors(rows)[:]
    with torch.no_grad():
        return 100 * float((network.eval()(numbers).argmax(dim=1) == labels).float().mean())


class RowTask(Task[RowUpdate, TensorDataset]):
    metric = Metric("accuracy", " %", "maximize")

    def __init__(self, data: Rows, recipe: Recipe) -> None:
        self.data, self.recipe, self.fingerprint = data, recipe, data.fingerprint
        self.held_out, self.most_steps = len(data.validation), len(data.train)

    def plan(self, epoch: int, seed: int) -> list[RowUpdate]:
        rows = np.random.default_rng(derive_seed(seed, epoch)).permutation(len(self.data.train))
        parts = np.array_split(rows, len(rows) // self.recipe.batch)
        return [RowUpdate(len(part), 1.0, part) for part in parts]

    def prepare(self, update: RowUpdate, generator: torch.Generator) -> TensorDataset:
        return tensors(self.data.train[update.chosen])

    def loss(self, network: nn.Module, batch: TensorDataset, part: slice) -> Tensor:
        numbers, labels = batch[part]
        return F.cross_entropy(network(numbers), labels, reduction="sum")

    def measure(self, network: nn.Module) -> float:
        return percent_right(network, self.data.validation)


@dataclass(frozen=True)
class RowBundle(Bundle):
    network: nn.Module
    architecture: Architecture
    settings: RowSettings
    results: Results = field(default_factory=lambda: Results(RowTask.metric))

    kind, noun, metric, settings_type = "rows", "a classifier of rows", RowTask.metric, RowSettings

    def examples(self) -> tuple[Tensor, ...]:
        return (torch.randn(2, 13, generator=torch.Generator().manual_seed(0)),)


@dataclass(frozen=True)
class RowSubject(Subject):
    reads, metric = "rows", RowTask.metric

    @cached_property
    def data(self) -> Rows:
        numbers, labels = load_wine(return_X_y=True)
        rows = np.column_stack([(numbers - numbers.mean(0)) / numbers.std(0), labels])
        return Rows(*np.split(np.random.default_rng(0).permutation(rows), [118, 148]))

    def settings(self, recipe: Recipe) -> RowSettings:
        return RowSettings()

    def task(self, recipe: Recipe, fabric: Any) -> RowTask:
        return RowTask(self.data, recipe)

    def bundle(self, architecture, network, recipe, results) -> RowBundle:
        return RowBundle(network, architecture, RowSettings(), results)

    def tested(self, network: nn.Module, fabric: Any, on_tested=None) -> float:
        return percent_right(network, self.data.test)

    def macs(self, network: nn.Module) -> int:
        return sum(layer.weight.numel() for layer in network if isinstance(layer, nn.Linear))


def mlp(values: dict[str, Any], settings: Any) -> nn.Module:
    rest = [nn.ReLU(), nn.Linear(values["width"], settings.classes)]
    return nn.Sequential(nn.Linear(settings.numbers, values["width"]), *rest)


SPACE = Choices("mlp", (Choice("width", (2, 8, 32)),), mlp, data="rows")
RECIPE = Recipe("rows", epochs=8, batch=16, learning_rate=0.05)


def test_rows_of_numbers_are_a_kind_of_data(tmp_path: Path) -> None:
    evaluator, storage = Training(RowSubject(), RECIPE), f"sqlite:///{tmp_path}/wine.db"
    for evaluations in (2, 3):  # the second goes on where the first stopped
        study = naokit.create_study(SPACE, storage=storage, method="random")
        study.optimize(evaluator, evaluations)
    assert [trial.metrics["epochs"] for trial in study.trials] == [8.0] * 3
    best = study.best_architecture

    job, seed = Job(RowSubject(), RECIPE, tmp_path / "1"), derive_seed(0, "final", best.key)
    task = RowSubject().task(RECIPE, None)
    network = RowSubject().network(best, RECIPE, seed)
    train(network, task, seed=seed, checkpoint=job.folder, until=3)
    continued = train_final(best, job)
    whole = train_final(best, replace(job, folder=tmp_path / "2"))
    assert all(map(torch.equal, continued.network.parameters(), whole.network.parameters()))
    assert continued.results.test > 80
    (check,) = export(continued, tmp_path / "network", ["safetensors"])
    loaded = naokit.load(tmp_path / "network", SPACE, RowBundle)
    assert check.difference == 0
    assert percent_right(loaded, RowSubject().data.test) == continued.results.test
