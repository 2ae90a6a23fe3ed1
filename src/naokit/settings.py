"""The settings of networks: their size and the shape of their data. Nothing here needs torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class NetworkSettings:
    """The size of a network and the shape of its data; each kind of network has its own class."""


@dataclass(frozen=True)
class ImageSettings(NetworkSettings):
    """The settings of an image classifier made of cells (docs/specification.md, section 1.3).

    Attributes:
        classes: The number of classes.
        channels: The number of channels of the first cells, the paper's F.
        cells: The number of normal cells between reductions, the paper's N. The network has 3N + 2
            cells in all.
        image: The shape of one image (channels, height, width).
        auxiliary: Whether the network has a second head for training.
        drop_path_keep: The probability of keeping a branch at the end of training, in (0, 1].
        dropout_keep: The probability of keeping a feature before the classifier, in (0, 1].
        stem: The stem: "small", or "large" for images as large as ImageNet's, which the cells then
            see at an eighth of the side.
        squeeze: Whether each cell ends in a 1x1 convolution back to its channels, as the cells of a
            shared network do; the paper's final networks have none.
    """

    classes: int = 10
    channels: int = 16
    cells: int = 2
    image: tuple[int, int, int] = (3, 32, 32)
    auxiliary: bool = False
    drop_path_keep: float = 1.0
    dropout_keep: float = 1.0
    stem: Literal["small", "large"] = "small"
    squeeze: bool = False


@dataclass(frozen=True)
class LanguageSettings(NetworkSettings):
    """The settings of a recurrent language model (docs/specification.md, section 1.4).

    Rates are the shares that are dropped, in [0, 1). Their masks are the same at every step. The
    names in brackets are those of the official scripts.

    Attributes:
        vocabulary: The number of tokens (V).
        hidden: The size of embedding, state and output (H).
        output_dropout: The dropout rate of the cell's outputs [dropout].
        input_dropout: The dropout rate of the cell's inputs [dropoutx].
        state_dropout: The dropout rate of the states that the nodes read [dropouth].
        embedding_dropout: The dropout rate of the embedded tokens [dropouti].
        word_dropout: The rate at which whole tokens are dropped [dropoute].
    """

    vocabulary: int = 10_000
    hidden: int = 200
    output_dropout: float = 0.0
    input_dropout: float = 0.0
    state_dropout: float = 0.0
    embedding_dropout: float = 0.0
    word_dropout: float = 0.0
