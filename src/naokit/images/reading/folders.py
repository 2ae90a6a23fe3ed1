"""Folders of pictures: which folders are parts, which are classes.

    set/cat/1.png                      classes
    set/train_set/cat/1.png            classes below parts
    set/images/cat/1.png               a folder around either, which is gone into
    set/cat/images/1.png               the same folder in each class

Anything else is refused, or reported as left out.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from naokit.base import InputError
from naokit.images.pictures.decoding import SUFFIXES
from naokit.images.pictures.encoded import PictureFiles
from naokit.images.reading.listing import LabelledPictures, Listing
from naokit.training.part_names import SPELLINGS, folders_by_part, two_of
from naokit.training.tree import Tree
from naokit.wording import counted, listed


def listing_of(tree: Tree) -> Listing:
    """The pictures of a folder by part, and their classes.

    Raises:
        InputError: A part has other classes than the training part, a class has no images, or which
            folders are parts or classes cannot be told.
    """
    root = _within(tree)
    named = _parts(root)
    if not named:
        names = _classes(root)
        within = () if root is tree else (f"{tree.path}: the classes are those in {root.path}",)
        return Listing({"train": _pictures(root, names)}, names, (*within, *_beside(root)))
    trees = {part: _within(root.folders[name]) for part, name in named.items()}
    names = _classes(trees["train"])
    for part, other in list(trees.items()):
        if not other.folders and _holds(other):
            del trees[part]
        elif odd := sorted({*other.folders} ^ {*names}):
            train = trees["train"].path
            raise InputError(f"{other.path} and {train} differ in classes: {', '.join(odd)}")
    parts = {part: _pictures(other, names) for part, other in trees.items()}
    return Listing(parts, names, tuple(_remarks(tree, root, named, trees)))


def picture_names(tree: Tree) -> list[str]:
    """The pictures below a folder, relative to it, folder by folder."""
    found = filter(_is_picture, tree.files_below())
    return sorted(found, key=lambda file: file.split(os.sep))  # noqa: PTH206  a million of them


def _within(tree: Tree) -> Tree:
    """The folder that a folder is only a wrapping of, or itself."""
    holding = [folder for folder in tree.folders.values() if _holds(folder)]
    while len(holding) == 1 and not _loose(tree) and not folders_by_part([holding[0].path.name]):
        inner = [folder for folder in holding[0].folders.values() if _holds(folder)]
        if not inner or _loose(holding[0]):
            break
        tree, holding = holding[0], inner
    return tree


def _parts(root: Tree) -> dict[str, str]:
    """The name of the folder of each part; none where the folders are classes.

    Raises:
        InputError: Two folders may be the same part, there is no training part, or they hold no
            folders of classes.
    """
    found = folders_by_part(root.folders)
    names = [name for part in found.values() for name in part]
    nested = [name for name in found.get("train", ()) if root.folders[name].folders]
    all_told = len(names) == len(root.folders) and (len(names) > 1 or "train" not in found)
    if not names or not (nested or len(found) > 1 or all_told):  # a class of trains, at most
        return {}
    for part, (one, *others) in found.items():
        if others:
            raise two_of(str(root.path), "folders", part, one, others[0])
    if "train" not in found:
        raise InputError(f"{root.path} has {' and '.join(sorted(names))}, but no train folder")
    if not nested:
        raise InputError(
            f"{root.path / found['train'][0]} holds no folders; {root.path} has the parts "
            f"{listed(sorted(names))}, and each must have one folder a class"
        )
    return {part: found[part][0] for part in SPELLINGS if part in found}


def _classes(tree: Tree) -> tuple[str, ...]:
    """Names of the folders with pictures in a folder.

    Raises:
        InputError: A folder has no pictures, or only folders, which may be the classes themselves.
    """
    names = tuple(tree.folders)
    holding = [name for name in names if _holds(tree.folders[name])]
    if not holding:
        raise InputError(
            f"{tree.path} holds no images; expected one folder a class with files of the kinds "
            f"{', '.join(sorted(SUFFIXES))}"
        )
    if empty := [name for name in names if name not in holding]:
        raise InputError(f"{tree.path} has class folders without images: {', '.join(empty)}")
    _check_depth(tree)
    for name in names:
        _check_name(tree.path, name)
    return names


def _check_depth(tree: Tree) -> None:
    """Raises InputError where classes hold no pictures but folders of them.

    One folder of the same name in each, as `images`, is only a wrapping.
    """
    inner = {
        name: [one for one in folder.folders if _holds(folder.folders[one])]
        for name, folder in tree.folders.items()
        if not _loose(folder)
    }
    wrapped = len(inner) == len(tree.folders) and len({*map(tuple, inner.values())}) == 1
    if not inner or (wrapped and len(next(iter(inner.values()))) == 1):
        return
    name, folders = next(iter(inner.items()))
    advice = f"give the folder whose folders are the classes, such as {tree.path / name}"
    if parts := folders_by_part(folders):
        part = next(iter(parts.values()))[0]
        advice = (
            f"put the parts above the classes: {Path(part, name)} instead of {Path(name, part)}"
        )
    raise InputError(
        f"{tree.path} has folders that hold no images but folders of them: {listed([*inner])} "
        f"({name} has {listed(folders)}); {advice}"
    )


def _check_name(path: Path, name: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError as error:
        shown = os.fsencode(name).decode(errors="backslashreplace")
        raise InputError(
            f"{path} has a class folder {shown}, whose name is not UTF-8; rename it"
        ) from error


def _pictures(tree: Tree, names: Sequence[str]) -> LabelledPictures:
    files = [
        (os.path.join(name, file), label)  # noqa: PTH118  there may be a million
        for label, name in enumerate(names)
        if name in tree.folders
        for file in picture_names(tree.folders[name])
    ]
    if not files:
        raise InputError(f"{tree.path} holds no images in its class folders")
    labels = np.array([label for _, label in files], dtype=np.int64)
    return LabelledPictures(PictureFiles(tree.path, [file for file, _ in files]), labels)


def _remarks(
    tree: Tree, root: Tree, named: dict[str, str], trees: dict[str, Tree]
) -> Iterator[str]:
    """The folder of each part, and what is left out."""
    taken = (f"{part} from {found.path.relative_to(tree.path)}" for part, found in trees.items())
    yield f"{tree.path}: {', '.join(taken)}"
    for part, name in named.items():
        if part not in trees:
            yield f"{root.path / name} is left out: its pictures are not in class folders"
    others = [n for n, one in root.folders.items() if n not in named.values() and _holds(one)]
    if others:
        yield f"{root.path}: left out, as they are no names of parts: {listed(others)}"
    for one in (root, *trees.values()):
        yield from _beside(one)


def _beside(tree: Tree) -> Iterator[str]:
    """The files that belong to no class."""
    if loose := _loose(tree):
        yield f"{tree.path}: left out {counted(loose, 'picture')} beside the folders"


def _holds(tree: Tree) -> bool:
    """Whether there is a picture below."""
    return any(map(_is_picture, tree.files_below()))


def _loose(tree: Tree) -> int:
    """The number of pictures in the folder itself, not below it."""
    return sum(map(_is_picture, tree.files))


def _is_picture(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in SUFFIXES  # noqa: PTH122  there may be a million
