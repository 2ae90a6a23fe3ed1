"""Latent steps: what they cost is spread over suggestions, and depends on nothing else."""

import subprocess
import sys

import pytest
import torch

from naokit.doors import Observation
from naokit.method import latent
from naokit.method.nao import LATENT_FIRST, Nao
from naokit.space import Architecture
from naokit.spaces import Choice, Choices

FIVE = Choices("five", tuple(Choice(name, (1, 2, 3, 4)) for name in "abcde"))


def worth(architecture: Architecture) -> float:
    return float(sum(architecture.choices) - 2 * (architecture.choices[0] == 1))


def search(evaluations: int) -> list[Observation]:
    """A search for candidates: these need the latent steps, however small the space."""
    method = Nao(FIVE, 0, evaluations, whole=False)
    history: list[Observation] = []
    for _ in range(evaluations):
        architecture = method.propose(history).architecture
        history.append(Observation(architecture, worth(architecture)))
    return history


@pytest.fixture(autouse=True)
def _afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latent, "STEPS", 28)  # seconds less, and the same in every other way
    latent._reconstruction.cache_clear()


def test_training_in_parts_gives_the_weights_of_training_at_once() -> None:
    parts, whole = latent._Reconstruction(FIVE), latent._Reconstruction(FIVE)
    for steps in (1, 1, 7, 20):
        parts.advance(steps)
        torch.rand(1)  # what others draw meanwhile is nothing to it
    whole.advance(20)
    found = parts.model.state_dict()
    assert parts.steps == 20
    assert all(torch.equal(found[name], w) for name, w in whole.model.state_dict().items())


def test_reconstruction_ends_when_it_is_learnt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latent, "LEARNT", 1.2)
    learnt = latent._Reconstruction(FIVE)
    done = count_steps(monkeypatch)
    learnt.advance(latent.STEPS)
    learnt.advance(latent.STEPS)
    assert 0 < len(done) < latent.STEPS


def count_steps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A list that grows with every step of training."""
    done: list[int] = []
    step = latent._Adam.step

    def counted(adam: latent._Adam, loss: torch.Tensor) -> None:
        done.append(1)
        step(adam, loss)

    monkeypatch.setattr(latent._Adam, "step", counted)
    return done


def test_no_suggestion_pays_for_all_of_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    done = count_steps(monkeypatch)
    method = Nao(FIVE, 0, 12, whole=False)
    history: list[Observation] = []
    steps = []
    for _ in range(12):
        before = len(done)
        architecture = method.propose(history).architecture
        history.append(Observation(architecture, worth(architecture)))
        steps.append(len(done) - before)
    assert steps[:3] == [0, 0, 0]
    assert steps[3] > 0
    assert steps[LATENT_FIRST] >= latent.TRAINING_STEPS
    assert max(steps) <= latent.TRAINING_STEPS + 5


@pytest.mark.slow
def test_a_search_that_is_taken_up_again_goes_on_alike() -> None:
    history = search(LATENT_FIRST + 1)
    latent._reconstruction.cache_clear()  # as in another process
    again = Nao(FIVE, 0, len(history), whole=False)
    last = history.pop()
    assert again.propose(history).architecture == last.architecture


def test_a_step_of_adam_is_that_of_torch() -> None:
    ours, theirs = (latent._Reconstruction(FIVE).model for _ in range(2))
    tokens = latent._Reconstruction(FIVE).tokens[:64]
    mine, torchs = latent._Adam(ours, 0.01), torch.optim.Adam(theirs.parameters(), 0.01)
    for _ in range(3):
        mine.step(ours(tokens)[0].square().mean() - ours(tokens)[1].mean())
        loss = theirs(tokens)[0].square().mean() - theirs(tokens)[1].mean()
        torchs.zero_grad()
        loss.backward()
        torchs.step()
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one, other)


def test_no_compiler_is_imported() -> None:
    code = (
        "import sys, torch\nfrom naokit.method import latent\n"
        "from naokit.spaces import Choice, Choices\n"
        "latent.prepare(Choices('s', (Choice('a', (1, 2)), Choice('b', (1, 2)))), 0.05)\n"
        "assert 'torch._dynamo' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
