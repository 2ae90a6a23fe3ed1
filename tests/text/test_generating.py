"""A text is written step by step, repeatably, and without unknown words."""

import math

import pytest
import torch

from naokit.base import InputError
from naokit.networks import LanguageModel, RecurrentCell, RecurrentPlan
from naokit.settings import LanguageSettings
from naokit.text.generating import generate
from naokit.text.vocabulary import Vocabulary

VOCABULARY = Vocabulary("word", ("the", "company", "said", "<eos>", "<unk>", *"abcdefg"))
PLAN = RecurrentPlan(((0, "tanh"), (1, "relu"), (0, "identity")))


@pytest.fixture
def network() -> LanguageModel:
    settings = LanguageSettings(12, 8, output_dropout=0.5)
    generator = torch.Generator().manual_seed(0)
    found = LanguageModel(RecurrentCell(PLAN, 8, 8), settings)
    with torch.no_grad():
        for parameter in found.parameters():
            parameter.normal_(0, 0.7, generator=generator)
    return found.eval()


def test_the_likeliest_tokens_are_those_of_the_whole_text_read_anew(network: LanguageModel) -> None:
    found = generate(network, VOCABULARY, "the company said", 12, temperature=0)
    ids = VOCABULARY.encode("the company said").tolist()
    for _ in range(12):
        tokens = torch.tensor(ids)[:, None]
        logits = network(tokens, network.start(1)).logits[-1, 0]
        logits[4] = -math.inf
        ids.append(int(logits.argmax()))
    assert found.ids == tuple(ids[3:])
    assert found.text == VOCABULARY.decode(ids)


def test_nothing_is_read_twice(network: LanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    forward = LanguageModel.forward

    def counted(self: LanguageModel, tokens: torch.Tensor, state: torch.Tensor) -> object:
        read.append(len(tokens))
        return forward(self, tokens, state)

    monkeypatch.setattr(LanguageModel, "forward", counted)
    generate(network, VOCABULARY, "the company said", 5)
    assert read == [3, 1, 1, 1, 1]


def test_a_seed_repeats_a_text_and_another_does_not(network: LanguageModel) -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    texts = [generate(network, VOCABULARY, "the", 30, seed=seed).text for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]
    assert texts[0].startswith("the ")
    assert torch.equal(torch.get_rng_state(), before)


def test_choices_follow_the_shares_of_the_network(network: LanguageModel) -> None:
    """Without the unknown, whose share the others take."""
    logits = network(torch.tensor([[0]]), network.start(1)).logits[0, 0] / 2
    logits[4] = -math.inf
    expected = logits.softmax(dim=0)
    counts = torch.zeros(12)
    for seed in range(600):
        counts[generate(network, VOCABULARY, "the", 1, temperature=2, seed=seed).ids[0]] += 1
    error = (expected * (1 - expected) / 600).sqrt()
    assert ((counts / 600 - expected).abs() <= 4 * error).all()
    assert counts[4] == 0


def test_the_unknown_is_read_and_counted_but_never_written(network: LanguageModel) -> None:
    with torch.no_grad():
        network.bias[4] = 100
    for temperature in (0, 1, 1e6):
        found = generate(network, VOCABULARY, "zebras said <unk>", 40, temperature=temperature)
        assert found.unknown == 1
        assert found.text.startswith("zebras said <unk> ")
        assert "<unk>" not in found.text.removeprefix("zebras said <unk>")
        assert 4 not in found.ids


def test_what_a_tokenizer_does_not_know_is_not_written_either(network: LanguageModel) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    words = {"[UNK]": 0, **{letter: number for number, letter in enumerate("abcdefghijk", 1)}}
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, "[UNK]"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    vocabulary = Vocabulary.of_tokenizer(made.to_str())
    with torch.no_grad():
        network.bias[0] = 100
    found = generate(network, vocabulary, "a zebra", 40)
    assert found.unknown == 1
    assert 0 not in found.ids
    with pytest.raises(InputError, match="no line end to begin after; give a prompt"):
        generate(network, vocabulary, "", 1)


@pytest.mark.parametrize(
    "prompt", ["the  zebra", "zebra ", "a\n\n b", "a\n", " the", "the\tyak\n "]
)
def test_the_prompt_is_repeated_as_it_was_given(network: LanguageModel, prompt: str) -> None:
    found = generate(network, VOCABULARY, prompt, 9, seed=3)
    following = VOCABULARY.decode(found.ids)
    assert found.text.startswith(prompt)
    assert found.text.removeprefix(prompt).strip() == following.strip()
    gap = prompt[-1:] + found.text.removeprefix(prompt)[:1]
    assert gap[0].isspace() != gap[1].isspace()


@pytest.mark.parametrize("seed", [99999999999999999999999, -(2**63) - 1])
def test_a_seed_that_torch_does_not_take(network: LanguageModel, seed: int) -> None:
    with pytest.raises(InputError, match=r"seed must be from -2\^63 to 2\^64 - 1, not -?9"):
        generate(network, VOCABULARY, "the", 1, seed=seed)


def test_an_empty_prompt_begins_as_a_line_does(network: LanguageModel) -> None:
    empty, line = (generate(network, VOCABULARY, prompt, 9) for prompt in ("", "\n"))
    assert empty.ids == line.ids
    assert line.text == "\n" + empty.text.lstrip()


def test_a_temperature_near_nothing_is_greedy(network: LanguageModel) -> None:
    texts = [generate(network, VOCABULARY, "the", 9, temperature=t).text for t in (0, 1e-320)]
    assert texts[0] == texts[1]


@pytest.mark.parametrize("temperature", [-1, -1e-9, math.inf, math.nan])
def test_a_temperature_that_is_none(network: LanguageModel, temperature: float) -> None:
    with pytest.raises(InputError, match="temperature must be 0 or above, and finite, not"):
        generate(network, VOCABULARY, "the", 1, temperature=temperature)


def test_a_network_that_broke_is_said(network: LanguageModel) -> None:
    with torch.no_grad():
        network.bias[0] = math.nan
    with pytest.raises(InputError, match="not finite; was it trained"):
        generate(network, VOCABULARY, "the", 1)
