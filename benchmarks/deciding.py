"""Evaluations again, spent on the best three or where they tell most: what is then chosen.

    python -m benchmarks.deciding

Simulated: N true values and noisy evaluations of them, both normal. `results/deciding.json` holds
how far the true value of what is chosen is below the best there is, on average. The noise of the
digits by `quick` is 4 points, and the true values differ by 6.
"""

from __future__ import annotations

import numpy as np

from benchmarks.record import write
from naokit.study.deciding import Beliefs

SEARCHES = 1500
CASES = ((20, 6.1, 4.0, 6), (20, 3.0, 4.0, 6), (20, 6.1, 4.0, 12), (40, 3.0, 4.0, 6))
"""N, the deviations of true values and of noise, and how many evaluations are made again."""

Values = list[list[float]]


def main() -> None:
    """Simulates every case and writes the record."""
    rows = []
    for amount, between, noise, repeats in CASES:
        generator = np.random.default_rng(0)
        lost: dict[str, list[float]] = {"once": [], "the best three": [], "where it tells most": []}
        for _ in range(SEARCHES):
            true = generator.normal(0, between, amount)
            draws = true[:, None] + generator.normal(0, noise, (amount, repeats + 1))
            for way, chosen in zip(lost, _chosen(draws, repeats), strict=True):
                lost[way].append(float(true.max() - true[chosen]))
        rows.append(
            {
                "architectures": amount,
                "deviation": between,
                "noise": noise,
                "repeats": repeats,
                "lost": {way: round(float(np.mean(found)), 3) for way, found in lost.items()},
                "standard_error": {
                    way: round(float(np.std(found)) / SEARCHES**0.5, 3)
                    for way, found in lost.items()
                },
            }
        )
    write("deciding", {"searches": SEARCHES, "rows": rows})


def _chosen(draws: np.ndarray, repeats: int) -> tuple[int, int, int]:
    """What is chosen by one evaluation, by those of the best three, and by those that tell most."""
    first = draws[:, 0]
    leaders = np.argsort(-first)[:3]
    means = draws[leaders, : 1 + repeats // 3].mean(axis=1)
    values: Values = [[value] for value in first.tolist()]
    for _ in range(repeats):
        found = Beliefs.of(values)
        best = found.best
        place = best if len(values[best]) < 2 else int(found.gains().argmax())
        values[place].append(float(draws[place, len(values[place])]))
    return int(first.argmax()), int(leaders[means.argmax()]), Beliefs.of(values).best


if __name__ == "__main__":
    main()
