"""One loop: it learns, repeats, resumes bit for bit, and fails with a reason."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save
from torch import nn

from naokit.base import EvaluationFailed, InputError
from naokit.images.accuracy import evaluate
from naokit.images.augmentation import Augmentation
from naokit.images.data import ImageData, Split
from naokit.images.recipes import RECIPES, ImageRecipe, recipe
from naokit.images.task import ImageTask
from naokit.training import loop
from naokit.training.checkpoint import read_tensors
from naokit.training.device import make_fabric
from naokit.training.schedule import learning_rate

RECIPE = ImageRecipe(
    "test", epochs=3, batch=16, learning_rate=0.05, crop_padding=1, flip=True, cutout=2
)


def blobs(amount: int, seed: int) -> Split:
    """Dark images are class 0, bright ones class 1."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 2, amount)
    noise = generator.integers(0, 100, (amount, 1, 6, 6))
    return Split((noise + 120 * labels[:, None, None, None]).astype(np.uint8), labels)


DATA = ImageData("blobs", blobs(99, 0), blobs(40, 1), blobs(40, 2), ("dark", "bright"))


def train(network, data, recipe, *, fabric=None, **options):
    """The loop on these data, by this recipe."""
    fabric = fabric or make_fabric()
    return loop.train(network, ImageTask(data, recipe, fabric), fabric=fabric, **options)


class Tiny(nn.Module):
    """A convolution, dropout and two heads."""

    def __init__(self) -> None:
        super().__init__()
        self.progress = 0.0
        self.body = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.1))
        self.heads = nn.ModuleList(nn.Linear(4, 2) for _ in range(2))

    def forward(self, images):
        features = self.body(images).mean((2, 3))
        logits = self.heads[0](features)
        return (logits, self.heads[1](features)) if self.training else logits


def tiny() -> Tiny:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Tiny()


def weights(network: nn.Module) -> list[torch.Tensor]:
    return list(network.state_dict().values())


def same(one: nn.Module, other: nn.Module) -> bool:
    return all(torch.equal(a, b) for a, b in zip(weights(one), weights(other), strict=True))


def test_it_learns_and_reports() -> None:
    network, epochs = tiny(), []
    result = train(network, DATA, RECIPE, seed=0, on_epoch=epochs.append)
    assert result.complete
    assert result.best > 90
    assert [epoch.number for epoch in epochs] == [1, 2, 3]
    assert epochs[-1].loss < epochs[0].loss
    assert result.best == max(epoch.validation for epoch in epochs)
    assert network.progress == pytest.approx(1, abs=0.1)
    assert evaluate(network, DATA, DATA.validation) == result.last


def test_equal_seeds_give_equal_weights_and_leave_the_global_generator_alone() -> None:
    networks = [tiny() for _ in range(3)]
    state = torch.get_rng_state()
    for network, seed in zip(networks, (0, 0, 1), strict=True):
        train(network, DATA, RECIPE, seed=seed)
    assert torch.equal(torch.get_rng_state(), state)
    assert same(networks[0], networks[1])
    assert not same(networks[0], networks[2])


def test_equal_images_give_equal_weights_whatever_their_strides() -> None:
    images = np.empty((len(DATA.train), 6, 6, 1), dtype=np.uint8).transpose(0, 3, 1, 2)
    images[:] = DATA.train.images
    assert images.strides != DATA.train.images.strides
    other = dataclasses.replace(DATA, train=Split(images, DATA.train.labels))
    networks = [tiny(), tiny()]
    for network, data in zip(networks, (DATA, other), strict=True):
        train(network, data, RECIPE, seed=0)
    assert same(*networks)


@pytest.mark.parametrize("stop", [1, 2])
def test_a_training_stopped_after_any_epoch_continues_to_the_same_weights(
    tmp_path: Path, stop: int
) -> None:
    whole = tiny()
    train(whole, DATA, RECIPE, seed=0)

    def killed(epoch: loop.Epoch) -> None:
        if epoch.number == stop:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tiny(), DATA, RECIPE, seed=0, checkpoint=tmp_path, on_epoch=killed)
    continued, epochs = tiny(), []
    result = train(continued, DATA, RECIPE, seed=0, checkpoint=tmp_path, on_epoch=epochs.append)
    assert [epoch.number for epoch in epochs] == list(range(stop + 1, 4))
    assert same(continued, whole)
    assert result.epochs == 3
    again = train(tiny(), DATA, RECIPE, seed=0, checkpoint=tmp_path)
    assert dataclasses.replace(again, seconds=0) == dataclasses.replace(result, seconds=0)


EVERYTHING = dataclasses.replace(
    RECIPE, ema=0.9, mixup=0.4, label_smoothing=0.1, nesterov=True, balance=True, warm_up_epochs=1
)


@pytest.mark.parametrize("recipe", [RECIPE, EVERYTHING], ids=["plain", "everything"])
@pytest.mark.parametrize("stop", [3, 9, 16])
def test_a_training_killed_at_any_step_continues_to_the_same_weights(
    tmp_path: Path, stop: int, recipe: ImageRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkpoint is written after every step; a kill loses the step it came in."""
    monkeypatch.setattr(loop, "SAVE_EVERY", -1.0)
    whole, epochs = tiny(), []
    train(whole, DATA, recipe, seed=0, checkpoint=tmp_path / "whole", on_epoch=epochs.append)
    steps: list[float] = []

    def killed(done: float) -> None:
        steps.append(done)
        if len(steps) == stop:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tiny(), DATA, recipe, seed=0, checkpoint=tmp_path / "cut", on_step=killed)
    continued, rest = tiny(), []
    train(continued, DATA, recipe, seed=0, checkpoint=tmp_path / "cut", on_epoch=rest.append)
    assert same(continued, whole)
    assert [epoch.loss for epoch in rest] == [epoch.loss for epoch in epochs[-len(rest) :]]
    kept = [read_tensors(tmp_path / name / "best.safetensors")[0] for name in ("whole", "cut")]
    assert all(torch.equal(tensor, kept[1][name]) for name, tensor in kept[0].items())


def test_the_clock_keeps_the_steps_that_were_done(tmp_path: Path) -> None:
    long = dataclasses.replace(RECIPE, epochs=2, batch=2)
    whole = tiny()
    train(whole, DATA, long, seed=0)
    runs = 0
    while not train(network := tiny(), DATA, long, seed=0, checkpoint=tmp_path, seconds=0).complete:
        runs += 1
        assert runs < 200
    assert runs > 50  # a step a run, and none twice
    assert same(network, whole)


def test_a_checkpoint_of_another_training_is_refused(tmp_path: Path) -> None:
    train(tiny(), DATA, RECIPE, seed=0, checkpoint=tmp_path)
    with pytest.raises(InputError, match="its seed or its architecture is another"):
        train(tiny(), DATA, RECIPE, seed=1, checkpoint=tmp_path)
    other = nn.Sequential(nn.Flatten(), nn.Linear(36, 2))
    with pytest.raises(InputError, match=r"of another network: 1\.weight is absent there"):
        train(other, DATA, RECIPE, seed=0, checkpoint=tmp_path)
    (tmp_path / "last.safetensors").write_bytes(b"broken")
    with pytest.raises(InputError, match="is damaged"):
        train(tiny(), DATA, RECIPE, seed=0, checkpoint=tmp_path)


def test_a_checkpoint_that_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch
) -> None:
    train(tiny(), DATA, dataclasses.replace(RECIPE, epochs=1), seed=0, checkpoint=tmp_path)
    before = (tmp_path / "last.safetensors").read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(InputError, match=r"No space left on device.*unchanged"):
        train(tiny(), DATA, RECIPE, seed=0, checkpoint=tmp_path / "new")
    assert (tmp_path / "last.safetensors").read_bytes() == before
    assert list((tmp_path / "new").iterdir()) == []


def test_a_diverging_training_fails_with_a_reason() -> None:
    wild = dataclasses.replace(RECIPE, learning_rate=1e30, clip=1e30)
    with pytest.raises(EvaluationFailed) as caught:
        train(tiny(), DATA, wild, seed=0)
    assert caught.value.reason == "diverged"


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: not enough memory: you tried"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"),
    ],
)
def test_running_out_of_memory_fails_with_a_reason(error: Exception) -> None:
    class Greedy(Tiny):
        def forward(self, images):
            raise error

    with pytest.raises(EvaluationFailed) as caught:
        train(Greedy(), DATA, RECIPE, seed=0)
    assert caught.value.reason == "out of memory"


def test_memory_that_is_really_not_there_fails_with_a_reason() -> None:
    class Greedy(Tiny):
        def forward(self, images):
            return torch.empty(2**60)

    with pytest.raises(EvaluationFailed) as caught:
        train(Greedy(), DATA, RECIPE, seed=0)
    assert caught.value.reason == "out of memory"


def test_other_errors_are_not_hidden() -> None:
    class Broken(Tiny):
        def forward(self, images):
            raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        train(Broken(), DATA, RECIPE, seed=0)


def test_the_clock_ends_a_training_without_losing_it() -> None:
    result = train(tiny(), DATA, dataclasses.replace(RECIPE, epochs=1000), seed=0, seconds=0.2)
    assert not result.complete
    assert result.epochs < 1000


def test_the_clock_ends_a_training_whose_epochs_are_one_step(tmp_path: Path) -> None:
    whole = dataclasses.replace(RECIPE, epochs=50, batch=len(DATA.train))
    result = train(tiny(), DATA, whole, seed=0, checkpoint=tmp_path, seconds=0)
    assert (result.epochs, result.complete) == (1, False)
    assert train(tiny(), DATA, whole, seed=0, checkpoint=tmp_path, seconds=0).epochs == 2


def test_a_last_batch_of_one_image_is_left_out() -> None:
    assert len(DATA.train) % 14 == 1
    assert train(tiny(), DATA, dataclasses.replace(RECIPE, batch=14), seed=0).complete


def test_recipes_are_the_published_ones_and_survive_json() -> None:
    final, search = RECIPES["cifar10-2018"], RECIPES["search-2018"]
    assert (final.epochs, final.batch, final.learning_rate, final.cutout) == (600, 128, 0.024, 16)
    assert (final.drop_path_keep, final.dropout_keep, final.auxiliary_weight) == (0.7, 0.6, 0.4)
    assert (search.epochs, search.cosine_epochs, search.cutout) == (25, 100, 0)
    assert learning_rate(search, 25) == pytest.approx(0.0205, abs=1e-4)
    for found in RECIPES.values():
        assert ImageRecipe.from_json(found.to_json()) == found
    with pytest.raises(InputError, match="did you mean quick"):
        recipe("quik")
    with pytest.raises(InputError, match="`recipe` is None; expected the name of a recipe"):
        recipe(None)


def test_augmentation_follows_its_generator_and_standardises() -> None:
    images = torch.from_numpy(DATA.train.images)
    mean, std = (torch.tensor(a, dtype=torch.float32) for a in DATA.statistics)
    changed = Augmentation(RECIPE, DATA.image, mean, std)
    first, again, other = (changed(images, torch.Generator().manual_seed(s)) for s in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    plain = changed.standardise(images)
    assert float(plain.mean()) == pytest.approx(0, abs=1e-4)
    assert float(plain.std()) == pytest.approx(1, abs=1e-2)
    assert (first == 0).any()


def test_bf16_trains_too() -> None:
    fabric = make_fabric("cpu", "bf16-mixed")
    assert train(tiny(), DATA, RECIPE, seed=0, fabric=fabric).best > 90


def test_tied_weights_are_saved_and_continued(tmp_path: Path) -> None:
    def tied() -> Tiny:
        network = tiny()
        network.heads[1] = network.heads[0]
        return network

    whole, continued = tied(), tied()
    train(whole, DATA, RECIPE, seed=0)
    with pytest.raises(KeyboardInterrupt):
        train(tied(), DATA, RECIPE, seed=0, checkpoint=tmp_path, on_epoch=_interrupt)
    train(continued, DATA, RECIPE, seed=0, checkpoint=tmp_path)
    assert same(continued, whole)


def _interrupt(epoch: loop.Epoch) -> None:
    raise KeyboardInterrupt


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / "last.safetensors").write_bytes(save({"a": torch.zeros(1)}))
    with pytest.raises(InputError, match="no checkpoint of a training"):
        train(tiny(), DATA, RECIPE, seed=0, checkpoint=tmp_path)


@pytest.mark.parametrize("name", ["last.safetensors", "best.safetensors"])
def test_a_flipped_bit_is_noticed(tmp_path: Path, name: str) -> None:
    train(tiny(), DATA, dataclasses.replace(RECIPE, epochs=1), seed=0, checkpoint=tmp_path)
    content = bytearray((tmp_path / name).read_bytes())
    content[-10] ^= 4
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=rf"{name} is damaged: its checksum is .{{8}}, expected"):
        read_tensors(tmp_path / name)


@pytest.mark.parametrize("state", ["no JSON {", "[]", '{"epochs": 1, "unknown": 2}'])
def test_a_state_that_cannot_be_read_is_said_in_a_line(tmp_path: Path, state: str) -> None:
    train(tiny(), DATA, dataclasses.replace(RECIPE, epochs=1), seed=0, checkpoint=tmp_path)
    tensors, header = read_tensors(tmp_path / "last.safetensors")
    (tmp_path / "last.safetensors").write_bytes(save(tensors, header | {"state": state}))
    with pytest.raises(
        InputError, match=r"no checkpoint of a training; remove the folder to start again"
    ):
        train(tiny(), DATA, RECIPE, seed=0, checkpoint=tmp_path)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"epochs": 0}, "at least 1 epoch"),
        ({"train_images": 1}, "2 or more train_images"),
        ({"learning_rate": 0.0}, "learning_rate of a recipe must be above 0"),
        ({"drop_path_keep": 1.5}, "drop_path_keep of a recipe must be above 0 and at most 1"),
        ({"ema": 1.0}, "ema of a recipe must be at least 0 and below 1"),
        ({"restart_epochs": 5, "epoch_decay": 0.9}, "one schedule at most"),
        ({"warmup": 3}, "a recipe has no warmup; it has"),
    ],
)
def test_an_impossible_recipe_is_refused(fields: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        ImageRecipe.from_json({**RECIPE.to_json(), **fields})
    with pytest.raises(InputError, match="needs epochs"):
        ImageRecipe.from_json({"name": "x"})


def test_the_average_of_the_weights_is_what_is_measured_and_kept(tmp_path: Path) -> None:
    recipe = dataclasses.replace(RECIPE, ema=0.99, epochs=1)
    network = tiny()
    started = [tensor.clone() for tensor in network.parameters()]
    train(network, DATA, recipe, seed=0, checkpoint=tmp_path)
    kept, _ = read_tensors(tmp_path / "best.safetensors")
    name, last = next(iter(network.named_parameters()))
    with torch.no_grad():
        moved, averaged = (float((t - started[0]).norm()) for t in (last, kept[name]))
    assert 0 < averaged < 0.5 * moved


def test_rare_classes_weigh_as_much_where_the_recipe_says_so() -> None:
    few = np.flatnonzero(DATA.train.labels == 1)[:4]
    rows = np.concatenate([np.flatnonzero(DATA.train.labels == 0), few])
    data = dataclasses.replace(DATA, train=DATA.train.take(rows))
    shares = []
    for balance in (False, True):
        network = tiny()
        train(network, data, dataclasses.replace(RECIPE, balance=balance), seed=0)
        with torch.no_grad():
            images = torch.from_numpy(DATA.test.images).float() / 255
            shares.append(float(network.eval()(images).softmax(1)[:, 1].mean()))
    assert shares[1] > shares[0] + 0.1


class Hungry(Tiny):
    """Memory for twenty images at once, no more."""

    def forward(self, images):
        if len(images) > 20 and self.training:
            raise torch.OutOfMemoryError("out of memory")
        return super().forward(images)


def test_where_memory_runs_out_batches_go_through_in_parts() -> None:
    wide = dataclasses.replace(RECIPE, batch=64)
    network = Hungry()
    network.load_state_dict(tiny().state_dict())
    result = train(network, DATA, wide, seed=0, split_batches=True)
    assert result.complete
    assert result.parts == 4
    with pytest.raises(EvaluationFailed, match="out of memory"):
        train(Hungry(), DATA, wide, seed=0)


def test_parts_of_a_batch_add_up_to_its_gradient() -> None:
    """Without batch statistics, augmentation and dropout they are the same sum."""

    class Plain(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(36, 2)

        def forward(self, images):
            if self.training and len(images) > self.most:
                raise MemoryError
            return self.layer(images.flatten(1))

    recipe = ImageRecipe("plain", epochs=2, batch=30, crop_padding=0, flip=False)
    networks = []
    for most in (64, 8):
        with torch.random.fork_rng():
            torch.manual_seed(0)
            network = Plain()
        network.most = most
        assert train(network, DATA, recipe, seed=0, split_batches=True).parts == 32 // min(most, 32)
        networks.append(network)
    for one, other in zip(*(network.parameters() for network in networks), strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-5)


def test_nothing_held_out_keeps_the_last_epoch(tmp_path: Path) -> None:
    data = dataclasses.replace(DATA, validation=DATA.train.take(np.arange(0)))
    result = train(tiny(), data, RECIPE, seed=0, checkpoint=tmp_path)
    assert (result.best_epoch, result.best) == (3, 0.0)


def test_a_pause_changes_nothing(tmp_path: Path) -> None:
    whole, paused = tiny(), tiny()
    train(whole, DATA, RECIPE, seed=0, checkpoint=tmp_path / "whole")
    first = train(paused, DATA, RECIPE, seed=0, checkpoint=tmp_path / "paused", until=1)
    assert (first.epochs, first.complete) == (1, False)
    again = train(tiny(), DATA, RECIPE, seed=0, checkpoint=tmp_path / "paused", until=1)
    assert again.epochs == 1  # nothing more is trained until a later epoch is asked for
    continued = tiny()
    assert train(continued, DATA, RECIPE, seed=0, checkpoint=tmp_path / "paused").complete
    assert same(whole, continued)


def test_a_pause_beyond_the_recipe_is_its_end() -> None:
    assert train(tiny(), DATA, RECIPE, seed=0, until=99).complete
