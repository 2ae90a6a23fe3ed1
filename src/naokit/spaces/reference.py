"""Reference networks to compare with: not searched, but architectures for every command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from naokit.base import InputError
from naokit.settings import LanguageSettings, NetworkSettings
from naokit.spaces.choices import Choice, Choices, Value

if TYPE_CHECKING:
    from torch import nn


def lstm(values: Mapping[str, Value], settings: NetworkSettings) -> nn.Module:
    """A language model around an LSTM, with the parameters of one around a cell of 11 nodes.

    Args:
        values: The chosen values, which say nothing, because there is only one cell.
        settings: The settings of the model that it is compared with. Embedding and outputs have the
            same size (H); the width of the LSTM follows from the number of parameters
            (`naokit.networks.lstm`).

    Raises:
        InputError: The settings are not those of a language model, or cannot be built.
    """
    from naokit.networks import LanguageModel, LstmCell, lstm_width
    from naokit.networks.language import check_settings

    del values
    if not isinstance(settings, LanguageSettings):
        raise InputError("an LSTM is built into a language model and needs LanguageSettings")
    check_settings(settings)
    size = settings.hidden
    return LanguageModel(LstmCell(size, size, lstm_width(size)), settings)


REFERENCE = Choices(
    "reference-recurrent",
    (Choice("cell", ("lstm",)),),
    lstm,
    data="text",
    source="naokit.spaces.reference:REFERENCE",
    note="an LSTM to compare recurrent cells with: nothing is searched in it; one layer and a "
    "projection, as many parameters as a cell of 11 nodes",
)
"""The space of `cell=lstm` alone; the published name `lstm` means this architecture."""
