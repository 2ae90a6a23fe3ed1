"""What a search starts from: the best of another run, or the genotypes of a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from naokit.base import InputError
from naokit.graphs import digest
from naokit.space import Architecture, Space

if TYPE_CHECKING:
    from naokit.study.standings import Standing


def starting_points(source: Path | None, space: Space) -> list[Architecture]:
    """The best ten of a run, or the genotypes of a file, a line each.

    Raises:
        InputError: There is neither, or a genotype is not one of the space (which line).
    """
    if source is None:
        return []
    if source.is_dir():
        from naokit.runs.run import Run

        leaders = Run.at(source).study.standings()[:10]
        return [_the_same(space, best, f"{source}, trial {best.number}") for best in leaders]
    if source.is_file():
        lines = enumerate(_read_lines(source), 1)
        texts = {f"{source}:{number}": line.strip() for number, line in lines if line.strip()}
    else:
        raise InputError(f"--start-from: {source} is neither a run's folder nor a file")
    if not texts:
        raise InputError(f"--start-from: {source} holds no architecture")
    return [_parsed(space, text, place) for place, text in texts.items()]


def _read_lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"--start-from: {file} is not readable as text: {error}") from error


def _the_same(space: Space, best: Standing, place: str) -> Architecture:
    """An architecture of another run in this space, where its text means the same."""
    found = _parsed(space, str(best.architecture), place)
    if digest(found.graphs) != digest(best.architecture.graphs):
        raise InputError(
            f"--start-from: {place}: {best.architecture} is another architecture here: that run's "
            "operations or activations are others; search the same space (--space, --activations)"
        )
    return found


def _parsed(space: Space, text: str, place: str) -> Architecture:
    try:
        return space.parse(text)
    except InputError as error:
        raise InputError(f"--start-from: {place}: {error}") from error
