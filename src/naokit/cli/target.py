"""What a command is pointed at: a run's folder, a saved network, a genotype or a published name."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from naokit.base import InputError, Json
from naokit.cli.options import GenotypeOptions
from naokit.space import Architecture, Space

if TYPE_CHECKING:
    from naokit.runs.plan import FinalTraining
    from naokit.runs.run import Run

GENOTYPE_SPACE = "conv-small"
"""The space of a genotype where --space names none."""
OF_DATA = frozenset({"classes", "image", "images", "vocabulary"})
"""Sizes that are the data's: of a network, and how many images there are."""


@dataclass(frozen=True)
class Target:
    """An architecture and where it comes from.

    Attributes:
        architecture: The architecture.
        run: The run that it is the best of. If None, it is a genotype or that of a network.
    """

    architecture: Architecture
    run: Run | None = None

    @property
    def folder(self) -> Path | None:
        """The folder of the run, if there is one."""
        return None if self.run is None else self.run.folder

    @property
    def settings(self) -> dict[str, Json]:
        """The settings of the run; empty where there is none."""
        return {} if self.run is None else self.run.settings

    @property
    def final(self) -> FinalTraining | None:
        """How the run trains its winner to the end, if there is a run and it does."""
        from naokit.runs.settings import recorded_final

        return recorded_final(self.settings)


def architecture_of(what: str, said: GenotypeOptions) -> Target:
    """The best of a run, that of a saved network, a published one, or a genotype.

    Args:
        what: A folder, a published name or a genotype.
        said: How a genotype is read, or where the study of a run lies.

    Raises:
        InputError: There is no such architecture, or an option contradicts the run, the network or
            the name.
        NoBest: The run has no best yet.
    """
    from naokit import spaces
    from naokit.runs.folder import is_run
    from naokit.spaces.published import GENOTYPES, genotype

    space, nodes, folder = said.space, said.nodes, folder_at(what)
    is_genotype = folder is None and what not in GENOTYPES
    of_run = folder is not None and is_run(folder)
    if said.storage is not None and not of_run:
        raise InputError(
            f"--storage is where the study of a run lies; {what} is none: leave it out"
        )
    # A file that is named may also be run for a network or a run that records it.
    if is_genotype or ":" in (space or ""):
        searched = spaces.load(space or GENOTYPE_SPACE, nodes=nodes, activations=said.activations)
        space = searched.settings().get("source", space)
    if is_genotype:
        try:
            return Target(searched.parse(what))
        except InputError as error:
            raise _no_genotype(what, searched, nodes, error) from error
    if said.activations is not None:
        raise InputError(f"{what} says itself how it is read: leave --activations out")
    if folder is None:
        found = Target(genotype(what).architecture)
    elif of_run:
        from naokit.runs.run import Run

        run = Run.at(folder, said.storage)
        _check_space(what, run.space, space, nodes)
        return Target(run.winner, run)
    else:
        found = Target(_trained_architecture(folder))
    _check_space(what, found.architecture.space, space, nodes)
    return found


def folder_at(what: str) -> Path | None:
    """The folder of this path, if there is one; a genotype may be longer than a path can be."""
    try:
        return Path(what) if Path(what).is_dir() else None
    except OSError:
        return None


def _check_space(what: str, found: Space, space: str | None, nodes: int | None) -> None:
    """Raises InputError where an option says another space than that of a network or a name."""
    if space not in (None, found.name, found.settings().get("source")):
        raise InputError(f"{what} is of the space {found.name}, not of {space}: leave --space out")
    if nodes is not None and nodes != found.settings().get("nodes"):
        raise InputError(f"{what} says itself how many nodes it has: leave --nodes out")


def _no_genotype(what: str, searched: Space, nodes: int | None, error: InputError) -> InputError:
    """What to say of a text that is no genotype of the space: what it may have been meant as."""
    from naokit.spaces.published import genotype

    if re.fullmatch(r"[a-z][a-z0-9-]*", what):
        try:
            genotype(what)
        except InputError as misspelt:
            return misspelt
    if _is_like_a_path(what):
        return InputError(
            f"there is no folder {what}; expected that of a run or a network, a published name "
            "(naokit zoo) or a genotype"
        )
    names = _spaces_of(what, nodes)
    if not names:
        return error
    return InputError(
        f"it is no genotype of {searched.name} ({error}) but one of {' or '.join(names)}: give "
        f"--space {names[0]}"
    )


def _is_like_a_path(what: str) -> bool:
    """Every genotype of more than one choice has a space or another separator; none has a slash."""
    separated = re.search(r"[\s,|=]", what)
    return ("/" in what and "=" not in what) or not (separated or what.isdecimal())


def _spaces_of(what: str, nodes: int | None) -> list[str]:
    """The spaces of ours that a text is a genotype of."""
    from naokit import spaces

    found = []
    for name in spaces.SPACES:
        with suppress(InputError):
            spaces.load(name, nodes=nodes).parse(what)
            found.append(name)
    return found


def _trained_architecture(path: Path) -> Architecture:
    """The architecture of the network in a folder, or of the one that a run trained there."""
    from naokit.export.config import CONFIG, architecture_in
    from naokit.kinds import config_at

    file = trained_file(path, CONFIG)
    if file is None:
        raise InputError(f"{path} is neither a run (settings.json) nor a network (config.json)")
    return architecture_in(file.parent, config_at(file.parent))


def trained_file(path: Path, name: str) -> Path | None:
    """A file of a trained network: in this folder itself, or in that of the network within."""
    from naokit.runs.folder import NETWORK

    files = (folder / name for folder in (path, path / NETWORK))
    return next((file for file in files if file.exists()), None)


def _config_at(what: str) -> dict[str, Json] | None:
    """What the `config.json` of a folder's trained network holds; None where there is none."""
    from naokit.export.config import CONFIG
    from naokit.kinds import config_at

    file = trained_file(folder, CONFIG) if (folder := folder_at(what)) else None
    return None if file is None else config_at(file.parent)


def sizes_of(what: str, target: Target) -> dict[str, Json]:
    """What `naokit.build` takes to build the trained network of a folder again.

    Where a run has trained none yet, the sizes that its winner is to have, without those `OF_DATA`.
    Empty for a genotype.
    """
    from naokit.kinds import kind_of

    config = _config_at(what)
    if config is None:
        return {} if target.final is None else dict(target.final.size)
    names = kind_of(target.architecture.space.reads).bundle.needed_sizes
    sizes = {name: config["network"][name] for name in names}
    return {name: tuple(v) if isinstance(v, list) else v for name, v in sizes.items()}


def shared_sizes_of(target: Target) -> dict[str, Json]:
    """The sizes of a run's shared network; empty for anything else."""
    from naokit.kinds import kind_of

    evaluator = target.settings.get("evaluator") or {}
    if evaluator.get("evaluator") != "supernet":
        return {}
    return {name: evaluator[name] for name in kind_of(target.architecture.space.reads).sizes}


def tokens_of(what: str, target: Target) -> str | None:
    """The tokens that a folder's network or a run reads; None where these are words, or no text.

    Raises:
        InputError: It was trained with a tokenizer, which has to be named again.
    """
    asked: str | None = target.settings.get("tokens")
    kind = (_config_at(what) or {}).get("tokens")
    if kind == "tokenizer" and asked in (None, "word", "char"):
        raise InputError(
            f"{what} reads the tokens of a tokenizer: name it with --tokens, or give --tokens word"
        )
    return asked if kind in (None, "tokenizer") else {"char": "char"}.get(kind)


def folder_name(what: str, target: Target, data: str) -> str:
    """The name of a training's folder where none is given: what is trained, and on what."""
    from naokit.runs.folder import NETWORK
    from naokit.spaces.published import GENOTYPES

    path = folder_at(what)
    if path is not None:  # every training's network is in a folder of this name
        name = path.resolve().parent.name if path.name == NETWORK else path.name
    else:
        name = what if what in GENOTYPES else target.architecture.key[:10]
    return f"{name}-{Path(data).name}"
