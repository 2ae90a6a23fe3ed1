"""Counts in words."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """A count and a noun with a plural in s: `1 evaluation`, `2,000 evaluations`."""
    return f"{count:,} {noun}{'s' * (count != 1)}"
