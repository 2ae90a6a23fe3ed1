"""A space that allows only some architectures of another passes everything else on to it."""

from naokit.settings import ImageSettings
from naokit.space import Architecture, Space
from naokit.spaces import ConvCells
from naokit.spaces.bounded import Bounded

OWN = {
    "architecture",
    "class_of",
    "no_network",
    "parse",
    "sample",
    "suggest",
    "without_limits",
}
"""What `Space` makes of its other members, or what differs because the space is restricted."""


def test_no_member_of_a_space_is_forgotten() -> None:
    members = {name for name in vars(Space) if not name.startswith("_")}
    assert members & vars(Bounded).keys() == members - OWN


def test_weights_are_shared_as_in_the_space_beneath() -> None:
    beneath = ConvCells.small(nodes=2)
    space = Bounded(beneath)
    choices = (0,) * beneath.grammar.length
    assert space.plan(Architecture(space, choices)) == beneath.plan(Architecture(beneath, choices))
    shared = space.build_shared(ImageSettings(2, 2, 1, (1, 8, 8)))
    assert type(shared) is type(beneath.build_shared(ImageSettings(2, 2, 1, (1, 8, 8))))
