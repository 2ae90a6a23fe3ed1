"""The final training: its files, several processes, and what it says when it fails."""

import csv
import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save
from tests.training.older import without_statistics

from naokit.base import EvaluationFailed, InputError
from naokit.files import write_whole
from naokit.images.accuracy import evaluate
from naokit.images.recipes import ImageRecipe
from naokit.images.subject import ImageSubject
from naokit.runs.final import Job, train_final
from naokit.space import Architecture
from naokit.spaces import ConvCells
from naokit.training.checkpoint import read_tensors

# Neither augmentation nor dropout: what several processes draw for their own images differs.
PLAIN = ImageRecipe("plain", epochs=2, batch=128, learning_rate=0.05, crop_padding=0, flip=False)
SPACE = ConvCells.small(nodes=1)


def architecture(text: str = "0 0 1 3 0 1 1 4") -> Architecture:
    return SPACE.parse(text)


def job(folder: Path, **changes: object) -> Job:
    return dataclasses.replace(Job(ImageSubject("digits", 4, 1), PLAIN, folder), **changes)


def log(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / "log.csv").read_text().splitlines()))


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training in one process."""
    folder = tmp_path_factory.mktemp("one")
    train_final(architecture(), job(folder))
    return folder


@pytest.mark.slow
def test_two_processes_train_what_one_does(one: Path, tmp_path: Path) -> None:
    """To nine digits in `tests/training/test_processes.py`; here the paths around it."""
    epochs, steps = [], []
    bundle = train_final(
        architecture(),
        job(tmp_path, processes=2, seconds=3600.0),
        on_epoch=epochs.append,
        on_step=steps.append,
    )
    assert [epoch.number for epoch in epochs] == [1, 2]
    assert steps[-1] == 2.0
    assert bundle.results.processes == 2
    alone, shared = (read_tensors(f / "last.safetensors")[0] for f in (one, tmp_path))
    assert alone.keys() == shared.keys()
    name = "weight.stem.0.weight"
    torch.testing.assert_close(shared[name], alone[name], atol=0.02, rtol=0)


@pytest.mark.slow
def test_what_fails_in_a_process_is_said_as_in_one(tmp_path: Path) -> None:
    wild = dataclasses.replace(PLAIN, learning_rate=1e30, clip=1e30)
    with pytest.raises(EvaluationFailed, match="not finite") as caught:
        train_final(architecture(), job(tmp_path, processes=2, recipe=wild))
    assert caught.value.reason == "diverged"


def test_a_log_has_a_row_an_epoch_and_goes_on(one: Path, tmp_path: Path) -> None:
    rows = log(one)
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert float(rows[0]["loss"]) > float(rows[1]["loss"]) > 0

    def killed(epoch: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_final(architecture(), job(tmp_path), on_epoch=killed)
    train_final(architecture(), job(tmp_path))
    again = log(tmp_path)
    assert [(row["epoch"], row["loss"]) for row in again] == [
        (row["epoch"], row["loss"]) for row in rows
    ]


def test_tensorboard_gets_the_same_figures(tmp_path: Path) -> None:
    train_final(architecture(), job(tmp_path, tensorboard=True))
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    found = [(event.step, event.value) for event in events.Scalars("loss")]
    rows = log(tmp_path)
    assert found == [(int(r["epoch"]), pytest.approx(float(r["loss"]), rel=1e-5)) for r in rows]


def test_the_held_out_images_are_recorded(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (60, 8, 8), dtype=np.uint8)
    np.savez(tmp_path / "mine.npz", images=images, labels=np.arange(60) % 3)
    made = job(tmp_path / "training", subject=ImageSubject(tmp_path / "mine.npz", 4, 1))
    bundle = train_final(architecture(), made)
    split = json.loads((tmp_path / "training" / "split.json").read_text())
    assert len(split["held_out"]) == 6
    assert split["fingerprint"] == made.subject.data.fingerprint
    assert bundle.results.validation is not None

    everything = train_final(
        architecture(),
        dataclasses.replace(
            made,
            folder=tmp_path / "all",
            subject=ImageSubject(tmp_path / "mine.npz", 4, 1, all_data=True),
        ),
    )
    assert everything.results.validation is None
    assert everything.results.best_epoch == 2
    assert not (tmp_path / "all" / "split.json").exists()


def test_the_split_is_of_the_training_that_began(tmp_path: Path) -> None:
    subjects = []
    for seed in (0, 1):
        images = np.random.default_rng(seed).integers(0, 256, (60, 8, 8), dtype=np.uint8)
        np.savez(tmp_path / f"{seed}.npz", images=images, labels=np.arange(60) % 3)
        subjects.append(ImageSubject(tmp_path / f"{seed}.npz", 4, 1))
    folder = tmp_path / "training"

    def killed(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_final(architecture(), job(folder, subject=subjects[0]), on_step=killed)
    train_final(architecture(), job(folder, subject=subjects[1]))
    split = json.loads((folder / "split.json").read_text())
    assert split["fingerprint"] == subjects[1].data.fingerprint
    with pytest.raises(InputError, match="its data are others"):
        train_final(architecture(), job(folder, subject=subjects[0]))
    assert json.loads((folder / "split.json").read_text()) == split


def copied(one: Path, folder: Path) -> Path:
    return Path(shutil.copytree(one, folder))


def test_best_weights_that_are_lost_are_taken_from_the_last_or_missed(
    one: Path, tmp_path: Path
) -> None:
    folder = copied(one, tmp_path / "training")
    tensors, header = read_tensors(folder / "last.safetensors")
    for best_epoch, lost in ((2, False), (1, True)):
        fields = json.loads(header["state"]) | {"best_epoch": best_epoch}
        written = save(tensors, header | {"state": json.dumps(fields)})
        write_whole(folder / "last.safetensors", written)  # not in place: tensors are mapped
        (folder / "best.safetensors").unlink(missing_ok=True)
        if lost:
            with pytest.raises(
                InputError, match=r"not there.*of the best epoch, 1: .*remove the folder"
            ):
                train_final(architecture(), job(folder))
        else:
            found = train_final(architecture(), job(folder)).network.state_dict()
            assert torch.equal(found["stem.0.weight"], tensors["weight.stem.0.weight"])


def test_a_damaged_best_says_what_helps(one: Path, tmp_path: Path) -> None:
    folder = copied(one, tmp_path / "training")
    flip(folder / "best.safetensors")
    with pytest.raises(
        InputError, match=r"best.safetensors is damaged.*remove the folder to start again"
    ):
        train_final(architecture(), job(folder))


def flip(path: Path) -> None:
    """One bit of the tensors."""
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)


def test_a_warm_start_tells_trainings_apart(one: Path, tmp_path: Path) -> None:
    short = dataclasses.replace(PLAIN, epochs=1)
    cold = job(tmp_path / "cold", recipe=short)
    warm = job(tmp_path / "warm", recipe=short, warm_start=one / "best.safetensors")
    assert train_final(architecture(), cold).results.warm_start is None
    told = train_final(architecture(), warm).results.warm_start
    assert told["taken"] == told["of"] > 10
    for made, folder, said in (
        (warm, "cold", "it began from scratch, this one begins with trained weights"),
        (cold, "warm", r"it began with trained weights \(`warm_start`\), this one"),
        (
            dataclasses.replace(warm, warm_start=tmp_path / "cold" / "best.safetensors"),
            "warm",
            "it began with other trained weights",
        ),
    ):
        with pytest.raises(InputError, match=said):
            train_final(architecture(), dataclasses.replace(made, folder=tmp_path / folder))
    assert train_final(architecture(), warm).results.warm_start == told  # continues


def test_a_warm_start_takes_the_weights_that_fit(one: Path, tmp_path: Path) -> None:
    still = dataclasses.replace(PLAIN, epochs=1, learning_rate=1e-12, weight_decay=0.0)
    warm = job(tmp_path / "a", recipe=still, warm_start=one / "best.safetensors")
    begun = train_final(architecture(), warm).network.state_dict()
    kept, _ = read_tensors(one / "best.safetensors")
    name = next(n for n in kept if n.endswith("weight") and kept[n].dim() == 4)
    torch.testing.assert_close(begun[name], kept[name])
    wider = dataclasses.replace(warm, folder=tmp_path / "b", subject=ImageSubject("digits", 6, 1))
    with pytest.raises(InputError, match=r"no weights .* fit this network of channels 6, cells 1"):
        train_final(architecture(), wider)  # biases of the classes and counters are no start
    assert not (tmp_path / "b").exists()
    deeper = dataclasses.replace(wider, subject=ImageSubject("digits", 4, 2))
    assert train_final(architecture(), deeper).results.warm_start["taken"] > 10


@pytest.mark.parametrize("processes", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_clock_that_ends_in_the_first_epoch_leaves_a_network(
    one: Path, tmp_path: Path, processes: int
) -> None:
    """One step is taken in any case; the same job goes on from it, here to the same weights."""
    cut = job(tmp_path, seconds=0, processes=processes, recipe=replaced(batch=16))
    bundle = train_final(architecture(), cut)
    results = bundle.results
    assert (results.epochs, results.complete, results.best_epoch) == (0, False, 0)
    assert 0 < results.epochs_done < 0.5
    assert results.validation is results.test is None  # no time at all
    kept, _ = read_tensors(tmp_path / "last.safetensors")
    assert torch.equal(bundle.network.state_dict()["stem.0.weight"], kept["weight.stem.0.weight"])
    if processes == 1:
        whole = job(tmp_path / "whole", recipe=cut.recipe)
        results = train_final(architecture(), dataclasses.replace(cut, seconds=None)).results
        assert results.complete
        assert results == train_final(architecture(), whole).results
        files = (tmp_path / "last.safetensors", tmp_path / "whole" / "last.safetensors")
        continued, uncut = (read_tensors(file)[0] for file in files)
        assert all(torch.equal(tensor, continued[name]) for name, tensor in uncut.items())


def replaced(**changes: object) -> ImageRecipe:
    return dataclasses.replace(PLAIN, **changes)


class Hands:
    """A clock that goes on by a second whenever somebody looks at it."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        self.now += 1.0
        return self.now


@pytest.mark.parametrize(("ema", "statistics"), [(0.0, None), (0.9, None), (0.0, 2), (0.9, 2)])
def test_what_was_learnt_by_the_middle_of_an_epoch_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ema: float, statistics: int | None
) -> None:
    """Time is kept for it: the stop comes before the limit."""
    hands = Hands()
    monkeypatch.setattr("naokit.training.clock.time", hands)
    monkeypatch.setattr("naokit.training.loop.time", hands)
    recipe = replaced(batch=16, ema=ema, statistics_batches=statistics)
    cut = job(tmp_path, seconds=120.0, recipe=recipe)
    tested: list[int] = []
    bundle = train_final(architecture(), cut, on_tested=tested.append)
    assert 0 < bundle.results.epochs_done < 1
    assert hands.now < 120
    assert tested[-1] == len(cut.subject.data.test)
    for part in ("validation", "test"):
        split = getattr(cut.subject.data, part)
        expected = evaluate(bundle.network, cut.subject.data, split)
        assert bundle.results.scores[part] == expected


def test_what_an_earlier_version_began_is_trained_as_it_was(tmp_path: Path) -> None:
    """Its recipe of the same name took no statistics anew."""
    before = train_final(architecture(), job(tmp_path)).results
    without_statistics(tmp_path / "last.safetensors")
    now = job(tmp_path, recipe=replaced(statistics_batches=2))
    after = train_final(architecture(), now).results
    assert after == before
    assert after.recipe["statistics_batches"] is None
    other = job(tmp_path, recipe=replaced(name="other", statistics_batches=2))
    with pytest.raises(InputError, match="recipe has name plain, this one other"):
        train_final(architecture(), other)


def test_the_seconds_of_a_log_go_on_where_a_training_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if each look at the clock took a second; what a kill lost was lost."""
    hands = Hands()
    monkeypatch.setattr("naokit.training.clock.time", hands)
    monkeypatch.setattr("naokit.training.loop.time", hands)
    while not train_final(architecture(), job(tmp_path, seconds=9.0)).results.complete:
        pass
    seconds = [float(row["seconds"]) for row in log(tmp_path)]
    _, header = read_tensors(tmp_path / "last.safetensors")
    assert seconds == sorted(seconds)
    assert seconds[-1] == json.loads(header["state"])["seconds"] > 20


def test_more_gpus_than_there_are_is_refused(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda: False)
    with pytest.raises(InputError, match="GPUs here, not 9"):
        train_final(architecture(), job(tmp_path, processes=9, device="cuda"))
