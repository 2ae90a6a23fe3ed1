"""Perplexity of a part of a text, in the network's own tokens."""

import math

import numpy as np
import pytest
import torch

from naokit.base import InputError
from naokit.networks import LanguageModel, RecurrentCell, RecurrentPlan
from naokit.settings import LanguageSettings
from naokit.text.data import TextData
from naokit.text.measuring import measure_text, text_part
from naokit.text.vocabulary import Vocabulary

VOCABULARY = Vocabulary("word", ("a", "b", "<eos>", "<unk>"))
EMPTY = np.zeros(0, dtype=np.int64)


def text(test: str) -> TextData:
    ids, unknown = VOCABULARY.look_up(test)
    some = VOCABULARY.encode("a b\n")
    counts = {"train": 0, "validation": 0, "test": unknown}
    return TextData("text", some, some, ids, VOCABULARY, counts)


def test_a_network_that_knows_nothing_has_as_many_choices_as_tokens() -> None:
    network = LanguageModel(
        RecurrentCell(RecurrentPlan(((0, "tanh"),)), 3, 3), LanguageSettings(4, 3)
    )
    with torch.no_grad():
        network.embedding.zero_()
    found = measure_text(network.eval(), text("a b x\na\n"), "test")
    assert found.perplexity == pytest.approx(4)
    assert found.bits_per_token == pytest.approx(2)
    assert (found.tokens, found.unknown) == (6, 1)
    with torch.no_grad():
        network.bias[0] = math.nan
    with pytest.raises(InputError, match="not finite"):
        measure_text(network, text("a b\n"), "test")


def test_the_test_part_is_measured_where_there_is_one() -> None:
    assert text_part(text("a b\n")) == "test"
    assert text_part(text("")) == "validation"
    assert text_part(text("a b\n"), "train") == "train"
    with pytest.raises(InputError, match="no part 'tests'; expected test, validation, train"):
        text_part(text("a b\n"), "tests")
    with pytest.raises(InputError, match="text has no test part; use `part='validation'`"):
        text_part(text(""), "test")
