"""The height of each item: lines are as straight as order and distances allow.

The sum of the lines' rises, |y1 - y0|, is made small: a sum of squares whose weights 1 / |y1 - y0|
are renewed in each pass, solved layer by layer. Within a layer that is a regression under order
constraints, which pooling neighbours solves exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from naokit.drawing.layered import Item, Order, Segment

PASSES = 60
SOFTNESS = 1.0
"""The rise in pixels below which a line counts as level."""
SNAP = 12
"""The rise in pixels up to which a trunk is made level, if there is room."""
TRUNK = 3.0
"""The weight of a trunk's rise; that of other lines is 1."""


def heights(
    columns: Order, lines: Sequence[Segment], half: Callable[[Item], float]
) -> dict[Item, int]:
    """The middle of each item in pixels, the topmost border at 0.

    Args:
        columns: The items of each layer from top to bottom.
        lines: The lines between items of neighbouring layers.
        half: A function that gives half of the height of an item, with its distance to others.
    """
    beside: dict[Item, list[tuple[Item, float]]] = {i: [] for column in columns for i in column}
    for left, right in lines:
        weight = TRUNK if left[0] == right[0] else 1.0
        beside[left].append((right, weight))
        beside[right].append((left, weight))
    found = {item: y for column in columns for item, y in _stacked(column, half).items()}
    for sweep in range(PASSES):
        softness = 1000.0 if sweep < PASSES // 3 else SOFTNESS  # squares first: no poor corner
        for column in columns if sweep % 2 == 0 else reversed(columns):
            found |= _settled(column, beside, found, half, softness)
    _level(columns, found, half)
    top = min(y - half(item) for item, y in found.items())
    return {item: round(y - top) for item, y in found.items()}


def _level(columns: Order, found: dict[Item, float], half: Callable[[Item], float]) -> None:
    """Levels trunks that rise by a few pixels, from either end, if there is room."""
    below = {upper: lower for column in columns for upper, lower in pairwise(column)}
    above = {lower: upper for upper, lower in below.items()}

    def fits(item: Item, y: float) -> bool:
        upper, lower = above.get(item), below.get(item)
        return (upper is None or y - found[upper] >= half(item) + half(upper)) and (
            lower is None or found[lower] - y >= half(item) + half(lower)
        )

    trunks = [((v, layer - 1), (v, layer)) for v, layer in found if (v, layer - 1) in found]
    trunks.sort(key=lambda trunk: trunk[1][1])
    for fixed, moved in [(right, left) for left, right in reversed(trunks)] + trunks:
        if abs(found[fixed] - found[moved]) < SNAP and fits(moved, found[fixed]):
            found[moved] = found[fixed]


def _stacked(column: Sequence[Item], half: Callable[[Item], float]) -> dict[Item, float]:
    """The items of a layer one below the other, around 0."""
    total = sum(2 * half(item) for item in column)
    found, y = {}, -total / 2
    for item in column:
        found[item] = y + half(item)
        y += 2 * half(item)
    return found


def _settled(
    column: Sequence[Item],
    beside: Mapping[Item, Sequence[tuple[Item, float]]],
    now: Mapping[Item, float],
    half: Callable[[Item], float],
    softness: float,
) -> dict[Item, float]:
    """The heights of a layer that suit its neighbours best, with order and distances kept."""
    offsets = _stacked(column, half)
    pools: list[tuple[float, float, int]] = []  # (wanted, weight, how many items)
    for item in column:
        pulls = [(now[n], w / (abs(now[n] - now[item]) + softness)) for n, w in beside[item]]
        weight = sum(w for _, w in pulls) or 1e-6
        wanted = sum(y * w for y, w in pulls) / weight if pulls else now[item]
        pools.append((wanted - offsets[item], weight, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (a, wa, na), (b, wb, nb) = pools[-2:]
            pools[-2:] = [((a * wa + b * wb) / (wa + wb), wa + wb, na + nb)]
    shifts = [shift for shift, _, count in pools for _ in range(count)]
    return {item: offsets[item] + shift for item, shift in zip(column, shifts, strict=True)}
