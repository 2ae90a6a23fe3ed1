"""What torch raises where memory runs out, as a failed evaluation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from naokit.base import EvaluationFailed

OUT_OF_MEMORY = (  # as Windows, Linux and the accelerators put it
    "not enough memory",
    "can't allocate memory",
    "out of memory",
    "ALLOC_FAILED",
)


@contextmanager
def memory_failures() -> Iterator[None]:
    """Turns running out of memory into a failed evaluation ("out of memory")."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise EvaluationFailed("out of memory", str(error)) from error
    except RuntimeError as error:
        if any(words in str(error) for words in OUT_OF_MEMORY):
            raise EvaluationFailed("out of memory", str(error)) from error
        raise
