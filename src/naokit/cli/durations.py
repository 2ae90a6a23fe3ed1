"""Durations as people say them."""

from __future__ import annotations

UNITS = (("s", 1.0, 90.0), ("min", 60.0, 90.0), ("h", 3600.0, 48.0), ("days", 86400.0, 900.0))
"""(unit, its seconds, up to how many of it are said)."""


def spoken(seconds: float) -> str:
    """Two digits and a unit: 5.1 s, 24 min, 3.2 h, 12 days, 4.2 years."""
    for unit, length, most in UNITS:
        if seconds < most * length:
            return f"{digits(seconds / length)} {unit}"
    return f"{digits(seconds / (365.25 * 86400))} years"


def between(low: float, high: float) -> str:
    """Both ends, the unit once where it is one."""
    first, last = spoken(low), spoken(high)
    if first == last:
        return first
    number, unit = first.split()
    return f"{number} to {last}" if last.endswith(f" {unit}") else f"{first} to {last}"


def about(seconds: float, low: float, high: float) -> str:
    """A duration and how far it may be off, where that shows: about 24 min (22 to 27 min)."""
    likely, span = spoken(seconds), between(low, high)
    return f"about {likely}{'' if span == likely else f' ({span})'}"


def digits(value: float) -> str:
    """A number with two digits; whole from 10 on."""
    return f"{value:.1f}" if value < 9.95 else f"{float(f'{value:.2g}'):,.0f}"
