"""Cells that these tests are about, read without the rooms above."""

from naokit.networks import OPERATIONS, Branch, CellPlan

LARGE = (
    *("identity", "conv_1x1", "conv_3x3", "conv_1x3_3x1", "conv_1x7_7x1", "max_pool_2x2"),
    *("max_pool_3x3", "max_pool_5x5"),
    *("avg_pool_2x2_padded", "avg_pool_3x3_padded", "avg_pool_5x5_padded"),
)
BY_NUMBER = (*tuple(OPERATIONS)[:5], *LARGE)
"""The official numbers: 0 to 4 the small space, 5 to 15 the large one."""

NAONET_A = "0 7 1 15 2 8 1 7 0 6 1 7 0 8 4 7 1 5 0 7 0 7 1 13 0 6 0 14 0 9 1 10 0 14 2 6 1 11 0 7"
NAONET_B = "0 1 0 2 0 1 2 2 1 3 0 2 4 0 1 3 2 1 0 3 1 1 1 0 2 1 2 4 1 0 2 3 3 1 2 2 0 2 0 2"
NAONET_WS = "0 1 0 4 2 2 1 3 1 0 2 0 2 3 1 3 1 2 0 4 1 1 0 3 2 3 2 3 1 0 0 1 0 4 2 4 2 3 2 3"
LOOSE_INPUT = "0 5 0 5 0 5 0 5"
"""Node 1 is read by nobody, in both cells."""


def read(text: str) -> tuple[CellPlan, CellPlan]:
    """The normal and the reduction cell of an official string."""
    numbers = list(map(int, text.split()))
    nodes = [
        (Branch(a, BY_NUMBER[b]), Branch(c, BY_NUMBER[d]))
        for a, b, c, d in zip(*(numbers[start::4] for start in range(4)), strict=True)
    ]
    half = len(nodes) // 2
    return CellPlan(tuple(nodes[:half])), CellPlan(tuple(nodes[half:]))
