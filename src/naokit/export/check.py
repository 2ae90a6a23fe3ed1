"""What is found when an exported file is compared with its network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

TOLERANCE = 1e-4
"""Largest difference of outputs that counts as the same; onnxruntime sums in another order."""


@dataclass(frozen=True)
class Check:
    """An exported file, and how far its outputs are from the network's.

    Attributes:
        file: The file that was written.
        difference: The largest absolute difference of any output.
        tolerance: The largest difference that is accepted; None where accuracies are compared
            instead.
        note: Further remarks, in words.
        accuracy: The accuracy before and after, in percent, where they are compared.
    """

    file: Path
    difference: float
    tolerance: float | None
    note: str = ""
    accuracy: tuple[float, float] | None = None
