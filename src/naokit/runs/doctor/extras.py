"""The optional parts of naokit: which are installed, and what the others would give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from naokit.runs.doctor.finding import Finding


@dataclass(frozen=True)
class Extra:
    """An optional part.

    Attributes:
        gives: What it gives.
        packages: The names of the packages that it needs.
    """

    gives: str
    packages: tuple[str, ...]


EXTRAS: Mapping[str, Extra] = {
    "export": Extra(
        "files in ONNX and int8, and latency in onnxruntime",
        ("onnx", "onnxruntime", "onnxscript"),
    ),
    "text": Extra("the tokenizers of Hugging Face for language models", ("tokenizers",)),
    "dashboard": Extra("a study in a browser while it grows", ("optuna-dashboard",)),
    "tensorboard": Extra("event files of a training (`tensorboard=True`)", ("tensorboard",)),
    "postgres": Extra("studies on PostgreSQL", ("psycopg",)),
    "ray": Extra("evaluations on a Ray cluster (`workers=ray`)", ("ray",)),
}
"""The optional parts by the name that pip knows them by."""


def optional_parts() -> Iterator[Finding]:
    """Each optional part; none is imported."""
    for name, extra in EXTRAS.items():
        found = {package: version_of(package) for package in extra.packages}
        missing = [package for package, there in found.items() if there is None]
        if not missing:
            text = ", ".join(f"{package} {there}" for package, there in found.items())
            yield Finding("extra", name, "ok", text, {"versions": found})
        else:
            text = (
                f"{', '.join(missing)} missing; gives {extra.gives}: pip install 'naokit[{name}]'"
            )
            yield Finding("extra", name, "note", text, {"versions": found})


def version_of(package: str) -> str | None:
    """The version of an installed package; None if it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
