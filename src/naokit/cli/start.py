"""What a search starts from: published cells, the best of another run, or those of a file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from naokit.base import InputError
from naokit.space import Architecture, Space, taken_over
from naokit.spaces.published import GENOTYPES, written_in

PUBLISHED = "published"
"""What `--start-from` calls all published cells of the space."""


def starting_points(source: Path | None, space: Space) -> list[Architecture]:
    """The best ten of a run, the genotypes of a file, a line each, or all that are published.

    Raises:
        InputError: There is none of them, or a genotype is not one of the space (which line).
    """
    if source is None:
        return []
    if source.is_dir():
        from naokit.runs.run import Run

        leaders = Run.at(source).study.standings()[:10]
        return [
            _the_same(space, best.architecture, f"{source}, trial {best.number}")
            for best in leaders
        ]
    if source.is_file():
        lines = enumerate(_read_lines(source), 1)
        texts = {f"{source}:{number}": line.strip() for number, line in lines if line.strip()}
    elif str(source) == PUBLISHED:
        return _published(space)
    else:
        raise InputError(
            f"--start-from: {source} is neither a run's folder nor a file, nor {PUBLISHED}"
        )
    if not texts:
        raise InputError(f"--start-from: {source} holds no architecture")
    return [_written(space, text, place) for place, text in texts.items()]


def _published(space: Space) -> list[Architecture]:
    found = written_in(space)
    if not found:
        raise InputError(
            f"--start-from: none of the published cells is one of this space ({space.name}): leave "
            "it out, or search one that has some, such as conv-small with 5 nodes"
        )
    return list(found.values())


def _read_lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"--start-from: {file} is not readable as text: {error}") from error


def _written(space: Space, text: str, place: str) -> Architecture:
    """What a line stands for: a genotype, or a published one by its name."""
    if text in GENOTYPES:
        return _the_same(space, GENOTYPES[text].architecture, place)
    with _said_of(place):
        return space.parse(text)


def _the_same(space: Space, architecture: Architecture, place: str) -> Architecture:
    """An architecture of another space in this one, where its text means the same."""
    with _said_of(place):
        if found := taken_over(architecture, space):
            return found
        raise InputError(
            f"{architecture} is another architecture here: its operations or activations are "
            "others; search the same space (--space, --activations)"
        )


@contextmanager
def _said_of(place: str) -> Iterator[None]:
    """Has an error say where the architecture stands."""
    try:
        yield
    except InputError as error:
        raise InputError(f"--start-from: {place}: {error}") from error
