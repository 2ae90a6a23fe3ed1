"""Language models learn by the one loop: state carried, resumed bit for bit, averaged, reloaded."""

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from naokit.base import EvaluationFailed, InputError
from naokit.images.recipes import RECIPES
from naokit.networks import LanguageModel, RecurrentCell, RecurrentPlan
from naokit.settings import LanguageSettings
from naokit.text.data import TextData, load_text
from naokit.text.perplexity import perplexity
from naokit.text.recipes import RECIPES as TEXT_RECIPES
from naokit.text.recipes import TextRecipe
from naokit.text.subject import TextSubject
from naokit.text.task import TextTask
from naokit.training import loop
from naokit.training.checkpoint import State, read_tensors
from naokit.training.device import make_fabric, seeded
from naokit.training.loop import Epoch
from naokit.training.schedule import learning_rate

CPU = torch.device("cpu")
RECIPE = TextRecipe(
    "test",
    epochs=3,
    batch=4,
    learning_rate=2.0,
    final_learning_rate=1.0,
    bptt=8,
    output_dropout=0.1,
    input_dropout=0.1,
    state_dropout=0.1,
    embedding_dropout=0.1,
    word_dropout=0.1,
    alpha=0.01,
    average_after=None,
)


def train(network, data, recipe, *, fabric=None, **options):
    """The loop on these data, by this recipe."""
    fabric = fabric or make_fabric()
    return loop.train(network, TextTask(data, recipe, fabric), fabric=fabric, **options)


def story(folder: Path) -> TextData:
    """Sentences whose words follow from the word before, most of the time."""
    generator = np.random.default_rng(0)
    follow = {"the": "cat dog", "cat": "sat ran", "dog": "ran sat", "sat": "on", "ran": "to"}
    follow |= {"on": "the", "to": "the"}
    words = ["the"]
    for _ in range(1200):
        words.append(str(generator.choice(follow[words[-1]].split())))
    lines = [" ".join(words[start : start + 10]) for start in range(0, len(words), 10)]
    for name, part in (("train", lines[:90]), ("valid", lines[90:105]), ("test", lines[105:])):
        (folder / f"{name}.txt").write_text("\n".join(part) + "\n", encoding="utf-8")
    return load_text(folder)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> TextData:
    return story(tmp_path_factory.mktemp("story"))


def model(data: TextData, seed: int = 0) -> LanguageModel:
    plan = RecurrentPlan(((0, "tanh"), (1, "relu"), (1, "sigmoid")))
    settings = LanguageSettings(
        len(data.vocabulary),
        8,
        output_dropout=RECIPE.output_dropout,
        input_dropout=RECIPE.input_dropout,
        state_dropout=RECIPE.state_dropout,
        embedding_dropout=RECIPE.embedding_dropout,
        word_dropout=RECIPE.word_dropout,
    )
    with seeded(seed):
        return LanguageModel(RecurrentCell(plan, 8, 8), settings)


def same(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_it_learns_and_reports_perplexity(data: TextData) -> None:
    network, epochs = model(data), []
    before = perplexity(network, data.validation, device=CPU)
    longer = dataclasses.replace(RECIPE, epochs=12)
    result = train(network, data, longer, seed=0, on_epoch=epochs.append)
    assert result.best == min(epoch.validation for epoch in epochs)
    assert result.best_epoch == 1 + [e.validation for e in epochs].index(result.best)
    assert epochs[-1].metric == "perplexity"
    assert before > 0.8 * len(data.vocabulary)  # knows nothing
    assert result.best < 0.5 * len(data.vocabulary)
    assert result.last == perplexity(network, data.validation, device=CPU)


def test_equal_seeds_give_equal_weights(data: TextData) -> None:
    networks = [model(data) for _ in range(3)]
    short = dataclasses.replace(RECIPE, epochs=1)
    for network, seed in zip(networks, (0, 0, 1), strict=True):
        train(network, data, short, seed=seed)
    assert same(networks[0], networks[1])
    assert not same(networks[0], networks[2])


AVERAGED = dataclasses.replace(RECIPE, average_after=1, epochs=5, learning_rate=8.0)


@pytest.fixture(scope="module", params=[RECIPE, AVERAGED], ids=["plain", "averaged"])
def uninterrupted(
    request: pytest.FixtureRequest, data: TextData, tmp_path_factory: pytest.TempPathFactory
) -> tuple[TextRecipe, LanguageModel, list[Epoch], Path]:
    """A recipe, the network that it trains, the epochs of the training and its folder."""
    whole, epochs, folder = model(data), list[Epoch](), tmp_path_factory.mktemp("whole")
    train(whole, data, request.param, seed=0, checkpoint=folder, on_epoch=epochs.append)
    return request.param, whole, epochs, folder


@pytest.mark.parametrize("stop", [1, 30, 64])
def test_a_training_killed_at_any_step_continues_to_the_same_weights(
    tmp_path: Path,
    data: TextData,
    stop: int,
    uninterrupted: tuple[TextRecipe, LanguageModel, list[Epoch], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loop, "SAVE_EVERY", -1.0)
    recipe, whole, epochs, folder = uninterrupted
    steps: list[float] = []

    def killed(done: float) -> None:
        steps.append(done)
        if len(steps) == stop:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(model(data), data, recipe, seed=0, checkpoint=tmp_path / "cut", on_step=killed)
    continued, rest = model(data), []
    train(continued, data, recipe, seed=0, checkpoint=tmp_path / "cut", on_epoch=rest.append)
    assert same(continued, whole)
    assert [e.validation for e in rest] == [e.validation for e in epochs[-len(rest) :]]
    kept = [read_tensors(at / "best.safetensors")[0] for at in (folder, tmp_path / "cut")]
    assert kept[0].keys() == kept[1].keys()
    assert all(torch.equal(tensor, kept[1][name]) for name, tensor in kept[0].items())


def test_the_state_is_carried_and_a_passage_reads_on(data: TextData) -> None:
    """Reading in passages is reading at once: losses add up, the gradient stops between."""
    recipe = dataclasses.replace(RECIPE, alpha=0.0, beta=0.0)
    task = TextTask(data, recipe, make_fabric("cpu"))
    network = model(data).eval()
    total = 0.0
    plan = task.plan(0, seed=0)
    for given in task.batches(plan, 0, 0, 0):
        reading = task.prepare(given, torch.Generator())
        total += float(task.loss(network, reading, slice(0, 4)).detach())
        task.learnt(reading)
    last = plan[-1].start + plan[-1].steps
    with torch.no_grad():
        spoken = network(task.streams[:last])
    whole = F.cross_entropy(
        spoken.logits.flatten(0, 1), task.streams[1 : last + 1].flatten(), reduction="sum"
    )
    assert total == pytest.approx(float(whole), rel=1e-5)


def test_passages_cover_the_streams_once_and_their_rate_follows_their_length(
    data: TextData,
) -> None:
    recipe = dataclasses.replace(RECIPE, bptt=35, batch=1)
    task = TextTask(data, recipe, make_fabric("cpu"))
    lengths = []
    for epoch in range(60):
        plan = task.plan(epoch, seed=0)
        assert [given.start for given in plan] == [
            sum(g.steps for g in plan[:place]) for place in range(len(plan))
        ]
        assert len(task.streams) - 2 <= plan[-1].start + plan[-1].steps < len(task.streams)
        assert all(given.rate == given.steps / 35 for given in plan)
        assert len(plan) <= task.most_steps
        lengths += [given.steps for given in plan[:-1]]
    assert min(lengths) >= 5
    assert max(lengths) <= 55
    assert 33 < np.mean(lengths) < 35.5  # 95 % about 35, 5 % about 17.5
    assert 4 < np.std([n for n in lengths if n > 24]) < 6
    assert task.plan(3, seed=1) != task.plan(3, seed=0)


def test_an_update_has_the_rate_of_its_length(data: TextData) -> None:
    task = TextTask(data, RECIPE, make_fabric("cpu"))
    rates: list[float] = []

    class Noting(torch.optim.SGD):
        def step(self, closure=None):
            rates.append(self.param_groups[0]["lr"])
            return super().step(closure)

    constant = dataclasses.replace(RECIPE, learning_rate=2.0, final_learning_rate=2.0, epochs=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.optim, "SGD", Noting)
        train(model(data), data, constant, seed=0)
    assert rates == [2.0 * given.steps / 8 for given in task.plan(0, seed=0)]


def test_the_loss_adds_both_regularisations_to_the_likelihood(data: TextData) -> None:
    recipe = dataclasses.replace(RECIPE, alpha=0.5, beta=2.0)
    task = TextTask(data, recipe, make_fabric("cpu"))
    network = model(data).eval()
    given = task.plan(0, seed=0)[0]
    reading = task.prepare(given, torch.Generator())
    spoken = network(reading.tokens)
    logs = spoken.logits.log_softmax(-1).gather(-1, reading.following[..., None])
    changes = spoken.raw[1:] - spoken.raw[:-1]
    expected = -logs.mean() + 0.5 * (spoken.raw**2).mean() + 2.0 * (changes**2).mean()
    with torch.no_grad():
        found = task.loss(network, reading, slice(0, 4)) / given.size
        parts = [float(task.loss(network, reading, p)) for p in (slice(0, 2), slice(2, 4))]
    assert float(found) == pytest.approx(expected.item(), rel=1e-5)
    assert sum(parts) / given.size == pytest.approx(expected.item(), rel=1e-5)


def _as_published(losses: list[float], few: int) -> list[bool]:
    """After each epoch whether the loop of NAO/rnn would begin to average."""
    best_val_loss: list[float] = []
    begins = []
    for val_loss in losses:
        begins.append(len(best_val_loss) > few and val_loss > min(best_val_loss[:-few]))
        best_val_loss.append(val_loss)
    return begins


def test_weights_are_averaged_from_the_first_plateau_on(tmp_path: Path, data: TextData) -> None:
    task = TextTask(data, dataclasses.replace(RECIPE, average_after=2), make_fabric("cpu"))
    assert not task.average_begins([])
    assert not task.average_begins([8.0, 9.0, 8.5])  # two before the last are not enough
    assert not task.average_begins([9.0, 8.0, 7.0, 8.5])
    assert task.average_begins([8.0, 9.0, 9.5, 8.5])
    history = [9.0, 7.0, 6.0, 5.0, 5.5, 6.5, 8.0]
    began = [task.average_begins(history[:epochs]) for epochs in range(1, 8)]
    assert began == _as_published(history, 2)
    assert began.index(True) == 5
    assert not TextTask(data, RECIPE, make_fabric("cpu")).average_begins([1.0, 2.0, 3.0, 4.0])

    averages: list[list[float]] = []
    network = model(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TextTask, "average_begins", lambda self, history: len(history) == 3)
        recipe = dataclasses.replace(RECIPE, epochs=4)
        seen: list[torch.Tensor] = []
        train(
            network,
            data,
            recipe,
            seed=0,
            checkpoint=tmp_path,
            on_step=lambda done: seen.append(network.bias.detach().clone()) if done > 3 else None,
        )
    from naokit.training.checkpoint import read_tensors

    tensors, _ = read_tensors(tmp_path / "last.safetensors")
    averages = tensors["average.module.bias"]
    assert torch.allclose(averages, torch.stack(seen).mean(dim=0), atol=1e-6)
    assert torch.equal(tensors["weight.bias"], network.bias.detach())
    assert int(tensors["average.n_averaged"]) == len(seen)


class Breaking(LanguageModel):
    """Gives no numbers once, in the second epoch."""

    calls = 0
    breaks = 40

    def forward(self, tokens, state=None):
        spoken = super().forward(tokens, state)
        if self.training:
            type(self).calls += 1
            if type(self).calls == self.breaks:
                return spoken._replace(logits=spoken.logits * math.nan)
        return spoken


def breaking(data: TextData, times: int) -> LanguageModel:
    network = model(data)
    Breaking.calls, Breaking.breaks = 0, times
    network.__class__ = Breaking
    return network


def test_a_loss_that_breaks_is_taken_up_again_from_the_best_weights(
    tmp_path: Path, data: TextData
) -> None:
    network, epochs = breaking(data, 40), []
    result = train(network, data, RECIPE, seed=0, checkpoint=tmp_path, on_epoch=epochs.append)
    assert result.complete
    assert result.reloads == 1
    assert [epoch.number for epoch in epochs] == [1, 2, 3]
    assert all(math.isfinite(epoch.loss) for epoch in epochs)
    assert all(bool(weight.isfinite().all()) for weight in network.parameters())
    again = train(model(data), data, RECIPE, seed=0, checkpoint=tmp_path)
    assert again.reloads == 1  # remembered


def test_a_loss_that_breaks_always_fails(tmp_path: Path, data: TextData) -> None:
    class Broken(LanguageModel):
        def forward(self, tokens, state=None):
            spoken = super().forward(tokens, state)
            worn = self.training and self.after == 0
            self.after = max(0, self.after - self.training)
            return spoken._replace(logits=spoken.logits * math.nan) if worn else spoken

    network = model(data)
    network.__class__ = Broken
    network.after = 40
    with pytest.raises(EvaluationFailed, match="not finite") as caught:
        train(network, data, RECIPE, seed=0, checkpoint=tmp_path)
    assert caught.value.reason == "diverged"
    assert (tmp_path / "best.safetensors").exists()  # nothing is lost
    network.after = 0
    with pytest.raises(EvaluationFailed, match="not finite"):  # without a checkpoint: at once
        train(network, data, RECIPE, seed=0)


def test_memory_that_runs_out_divides_the_streams(data: TextData) -> None:
    recipe = dataclasses.replace(
        RECIPE,
        epochs=1,
        output_dropout=0.0,
        input_dropout=0.0,
        state_dropout=0.0,
        embedding_dropout=0.0,
        word_dropout=0.0,
    )

    class Hungry(LanguageModel):
        def forward(self, tokens, state=None):
            if self.training and tokens.shape[1] > 2:
                raise MemoryError
            return super().forward(tokens, state)

    whole, hungry = model(data), model(data)
    for network in (whole, hungry):
        network.settings = LanguageSettings(len(data.vocabulary), 8)
    hungry.__class__ = Hungry
    train(whole, data, recipe, seed=0)
    assert train(hungry, data, recipe, seed=0, split_batches=True).parts == 2
    for one, other in zip(whole.parameters(), hungry.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-5)


def test_texts_that_are_too_short_are_refused(data: TextData) -> None:
    short = dataclasses.replace(data, validation=data.validation[:8])
    with pytest.raises(InputError, match="8 validation tokens"):
        train(model(data), short, RECIPE, seed=0)
    with pytest.raises(InputError, match="too few for 4 streams"):
        train(model(data), dataclasses.replace(data, train=data.train[:20]), RECIPE, seed=0)


def test_recipes_are_of_one_kind_of_data(data: TextData) -> None:
    with pytest.raises(InputError, match="is text, the recipe quick is for images"):
        TextSubject(data, 8).task(RECIPES["quick"], make_fabric())


def test_the_published_recipes() -> None:
    ptb, wikitext = TEXT_RECIPES["ptb-2018"], TEXT_RECIPES["wikitext-2-2018"]
    assert (ptb.epochs, ptb.batch, ptb.bptt) == (4000, 64, 35)
    assert learning_rate(ptb, 0) == learning_rate(ptb, 3999.5) == 20
    assert (ptb.clip, ptb.weight_decay, ptb.alpha, ptb.beta) == (0.25, 8e-7, 0, 1e-3)
    rates = ("output", "state", "input", "embedding", "word")
    assert [getattr(ptb, f"{name}_dropout") for name in rates] == [0.75, 0.25, 0.75, 0.2, 0.0]
    assert ptb.average_after == 5
    assert (wikitext.epochs, wikitext.state_dropout, wikitext.weight_decay) == (2000, 0.15, 5e-7)
    for recipe in TEXT_RECIPES.values():
        assert TextRecipe.from_json(recipe.to_json()) == recipe


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"bptt": 1}, "bptt"),
        ({"output_dropout": 1.0}, "output_dropout"),
        ({"beta": -1.0}, "beta"),
        ({"epochs": 0}, "epochs"),
        ({"average_after": 0}, "average_after"),
        ({"ema": 0.9, "average_after": 5}, "one way"),
    ],
)
def test_an_impossible_recipe_is_refused(fields: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        dataclasses.replace(RECIPE, **fields)


def test_a_state_remembers_every_measure() -> None:
    state = State().after_epoch(3.0, improved=True).after_epoch(4.0, improved=False)
    assert (state.best, state.best_epoch, state.last, state.history) == (3.0, 1, 4.0, (3.0, 4.0))


def test_a_language_model_trains_in_one_process(data: TextData) -> None:
    fabric = make_fabric("cpu")
    object.__setattr__(fabric, "_strategy", fabric._strategy)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(fabric), "world_size", 2)
        with pytest.raises(InputError, match="one process"):
            train(model(data), data, RECIPE, seed=0, fabric=fabric)
