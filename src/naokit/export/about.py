"""What a model card says of one kind of network."""

from __future__ import annotations

from dataclasses import dataclass

PLACE = "path/to/this/folder"
"""Where a card's examples say that the network lies."""


@dataclass(frozen=True)
class About:
    """What a model card says of one kind of network; its texts are Markdown.

    Attributes:
        data: What the data set is called where its name is not known.
        about: What the network is, in a paragraph.
        use: How it is used.
        task: What the hub calls its task; empty where it has no word for it.
        scale: What the hub's figures are multiplied by: 0.01 where it counts in shares.
        cost: What is said after the number of parameters.
    """

    data: str
    about: str
    use: str
    task: str = ""
    scale: float = 1.0
    cost: str = ""
