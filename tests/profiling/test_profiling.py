"""What a network costs: memory against counting by hand, time against the loop itself."""

import dataclasses
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from naokit.base import InputError
from naokit.images.costs import measure
from naokit.images.data import ImageData, Split
from naokit.images.recipes import ImageRecipe
from naokit.images.subject import ImageSubject
from naokit.networks import timings_ms
from naokit.profiling import Latency, Steps, measure_steps, memory, onnx_latency, training_bytes
from naokit.profiling.memory import inference_bytes, weight_bytes
from naokit.settings import ImageSettings
from naokit.spaces import ConvCells
from naokit.training.device import make_fabric

IMAGE = (1, 8, 8)


def tiny(*, auxiliary: bool = False) -> nn.Module:
    architecture = ConvCells.small(1).parse("0 0 1 4 0 0 1 0")
    return architecture.space.build(architecture, ImageSettings(3, 4, 1, IMAGE, auxiliary))


def images(amount: int = 40, held_out: int = 10) -> ImageData:
    generator = np.random.default_rng(0)

    def split(size: int) -> Split:
        return Split(
            generator.integers(0, 256, (size, *IMAGE), dtype=np.uint8), np.arange(size) % 3
        )

    return ImageData("noise", split(amount), split(held_out), split(0), ("a", "b", "c"))


class Slow(nn.Module):
    """A forward pass takes 20 ms in training and 10 ms in evaluation."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(64, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        time.sleep(0.02 if self.training else 0.01)
        logits: torch.Tensor = self.linear(x.flatten(1))
        return logits


def test_intermediate_results_are_counted_until_they_are_freed() -> None:
    # 64 floats in; 100, then 100 (ReLU, while its input lives), then 7 beside the last 100
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 100), nn.ReLU(), nn.Linear(100, 7))
    assert inference_bytes(network, IMAGE) == 4 * (100 + 100)
    assert weight_bytes(network) == 4 * (64 * 100 + 100 + 100 * 7 + 7)


def test_memory_of_training_grows_by_what_the_backward_pass_keeps() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 100), nn.ReLU(), nn.Linear(100, 7))
    small, large = (training_bytes(network, IMAGE, batch) for batch in (1000, 2000))
    each = (large - small) / 1000
    assert 4 * (64 + 100) <= each <= 4 * (64 + 3 * 100 + 5 * 7) + 8
    assert small > 3 * weight_bytes(network)  # weights, gradients, momentum


def test_the_meta_device_says_what_the_processor_needs() -> None:
    network = tiny()
    real = copied_to_the_processor(network, 16)
    assert training_bytes(network, IMAGE, 16) == pytest.approx(real, rel=0.01)
    assert next(network.parameters()).device.type == "cpu"


def copied_to_the_processor(network: nn.Module, batch: int) -> int:
    """Two real steps, followed in the same way."""
    optimizer = torch.optim.SGD(
        network.parameters(), 0.1, momentum=0.9, weight_decay=5e-4, foreach=True
    )
    pictures = torch.zeros(batch, *IMAGE)
    with memory._LiveMemory() as live:
        for _ in range(2):
            optimizer.zero_grad(set_to_none=True)
            labels = torch.zeros(batch, dtype=torch.long)
            nn.functional.cross_entropy(network(pictures), labels).backward()
            optimizer.step()
    return live.peak + weight_bytes(network) + 4 * pictures.numel()


def test_the_auxiliary_head_is_part_of_training() -> None:
    with_head, without = (training_bytes(tiny(auxiliary=a), IMAGE, 16) for a in (True, False))
    assert with_head > without


def test_a_profile_of_a_network() -> None:
    found = measure(tiny(auxiliary=True), IMAGE)
    assert found.auxiliary_parameters > found.parameters > 0
    assert found.weights_mb == measure(tiny(), IMAGE).weights_mb
    assert found.latency_ms > 0
    assert found.latency_64_ms > 0
    assert found.peak_memory_64_mb == pytest.approx(64 * found.peak_memory_mb)
    assert found.macs > 0


def test_timings_leave_the_warm_up_out_and_end_in_time() -> None:
    calls: list[int] = []
    assert len(timings_ms(lambda: calls.append(1), 5)) == 5
    assert len(calls) == 8
    slow = timings_ms(lambda: time.sleep(0.02), 1000, seconds=0.1)
    assert 3 <= len(slow) < 10
    assert all(t >= 20 for t in slow)
    assert len(timings_ms(lambda: time.sleep(0.02), 1000, seconds=0.0)) == 2


def test_a_latency_is_a_median_and_half_a_distance() -> None:
    assert Latency.of(64, [1, 2, 3, 4, 5, 6, 7]) == Latency(64, 4, 2, 7)


def test_latency_without_onnxruntime_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    with pytest.raises(InputError, match=r"pip install 'naokit\[export\]'"):
        onnx_latency(Path("none.onnx"), IMAGE, 1)


def measured(recipe: ImageRecipe, seconds: float) -> Steps:
    """The steps of a training by this recipe."""
    network, fabric = Slow(), make_fabric()
    task = ImageSubject(images(), 1, 1).short_task(network, recipe, fabric, seconds)
    return measure_steps(network, task, fabric, seconds)


def test_a_step_is_as_long_as_in_the_loop() -> None:
    recipe = ImageRecipe("slow", epochs=7, batch=8, crop_padding=0, flip=False)
    steps = measured(recipe, seconds=10)
    assert steps.examples == 8
    step, batch = (8 * np.median(steps.training), 10 * np.median(steps.validation))
    assert 0.02 <= step < 0.2
    assert 0.01 <= batch < step
    assert len(steps.training) == 14  # five epochs of three steps, the first left out


def test_at_least_one_step_is_measured_and_validation_guessed() -> None:
    recipe = ImageRecipe("slow", epochs=7, batch=8, crop_padding=0, flip=False)
    steps = measured(recipe, seconds=1e-6)
    assert len(steps.training) == 1
    assert steps.examples == 2  # as few as batch normalisation allows
    assert steps.validation == pytest.approx([steps.training[0] / 3])


def test_an_estimate_multiplies() -> None:
    recipe = ImageRecipe("mine", epochs=10, batch=50, train_images=1000)
    steps = Steps((0.01, 0.02, 0.03), (0.005, 0.005, 0.005), 25, 3.0)
    found = steps.estimate(recipe, 5000, 250)
    assert found.seconds == pytest.approx(3 + 10 * (1000 * 0.02 + 250 * 0.005))
    assert found.low == pytest.approx(3 + 10 * (1000 * 0.015 + 250 * 0.005))
    assert found.high == pytest.approx(3 + 10 * (1000 * 0.025 + 250 * 0.005))
    assert found.steps == 3
    everything = dataclasses.replace(recipe, train_images=None)
    assert steps.estimate(everything, 60, 0).seconds == pytest.approx(3 + 10 * 60 * 0.02)
    assert found.times(2).high == pytest.approx(2 * found.high)
    anew = dataclasses.replace(recipe, statistics_batches=4)
    more = steps.estimate(anew, 5000, 250).seconds - found.seconds
    assert more == pytest.approx(10 * 4 * 50 * 0.005)
