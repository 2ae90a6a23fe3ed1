"""How a page writes numbers, names and paths. Each number keeps its exact value beside its text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from markupsafe import Markup

from naokit.wording import counted, value_text


def _shown(value: float, text: str) -> Markup:
    return Markup('<data value="{}">{}</data>').format(repr(value), text)


def number(value: float, spec: str = "") -> Markup:
    """A number: whole ones with commas, others with four digits, unless `spec` says otherwise."""
    whole = float(value).is_integer() and abs(value) < 1e15
    return _shown(value, format(value, spec or (",.0f" if whole else ",.4g")))


def value(found: float, metric: str) -> Markup:
    """A value of a metric."""
    return _shown(found, value_text(found, metric))


def percent(share: float) -> Markup:
    """A share in whole per cent."""
    return _shown(share, f"{100 * share:.0f}")


def count(found: int, noun: str) -> Markup:
    """A count and its noun."""
    return _shown(found, counted(found, noun))


def duration(seconds: float) -> Markup:
    """A time in the unit that people would use."""
    if seconds < 120:
        return _shown(seconds, f"{seconds:.0f} s")
    if seconds < 7200:
        return _shown(seconds, f"{seconds / 60:.0f} min")
    return _shown(seconds, f"{seconds / 3600:,.1f} h")


def last_part(path: str) -> str:
    """The last part of a path: the rest is nobody's business at first sight."""
    return path.rstrip("/\\").replace("\\", "/").rpartition("/")[2] or path


FILTERS: Mapping[str, Callable[..., Any]] = {
    "number": number,
    "value": value,
    "percent": percent,
    "count": count,
    "duration": duration,
    "last_part": last_part,
}
"""The filters of the templates."""

PAPER = """@inproceedings{luo2018nao,
  title     = {Neural Architecture Optimization},
  author    = {Luo, Renqian and Tian, Fei and Qin, Tao and Chen, Enhong and Liu, Tie-Yan},
  booktitle = {Advances in Neural Information Processing Systems},
  year      = {2018},
  note      = {arXiv:1808.07233}
}"""
"""What CITATION.cff names beside the software."""


def bibtex(version: str) -> str:
    """The entries that cite this software and the paper of its method."""
    return f"""@software{{naokit,
  title   = {{naokit}},
  author  = {{{{The naokit developers}}}},
  version = {{{version}}},
  note    = {{Apache-2.0}}
}}
{PAPER}"""
