"""Readers of images: the one for a name or path is chosen here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from naokit.base import InputError
from naokit.files import check_regular
from naokit.images.data import UNNAMED, ColumnNames, Source
from naokit.images.reading import arrays, folders, parquet
from naokit.training.tree import grown, is_there


def read_images(
    source: str | Path,
    size: int | None = None,
    chosen: ColumnNames = UNNAMED,
    *,
    skip_bad: bool = False,
) -> Source:
    """What the reader for this kind of source finds."""
    path = Path(source)
    is_npz = path.suffix.lower() == ".npz"
    if str(source) == "digits" or is_npz:
        refuse_size(str(source), size)
        refuse_columns(str(source), chosen)
    if str(source) == "digits":
        return arrays.digits()
    if not is_there(path):
        return parquet.hub(str(source), chosen, size, skip_bad=skip_bad)
    if path.is_dir():
        return _read_folder(path, size, chosen, skip_bad=skip_bad)
    check_regular(path)
    if is_npz:
        return arrays.npz(path)
    if not parquet.is_parquet(path.name):
        raise InputError(f"{path} is neither a folder nor a .npz or .parquet file")
    return parquet.parquet(path, (), chosen, size, skip_bad=skip_bad)


def _read_folder(path: Path, size: int | None, chosen: ColumnNames, *, skip_bad: bool) -> Source:
    """Parquet files in or below a folder, else pictures in class folders."""
    closed: list[str] = []
    tree = grown(path, closed if skip_bad else None)
    names = parquet.parquet_names(tree)
    if names and (parquet.are_the_data(names) or not folders.picture_names(tree)):
        found = parquet.parquet(path, names, chosen, size, skip_bad=skip_bad)
    else:
        refuse_columns(str(path), chosen)
        found = arrays.folder(tree, size, skip_bad=skip_bad)
    return replace(found, skipped=(*closed, *found.skipped))


def refuse_columns(name: str, chosen: ColumnNames) -> None:
    """Raises InputError where columns are given for what has none."""
    if chosen:
        raise InputError(
            f"{name}: `image_column` and `label_column` are for parquet files and data sets on "
            "the hub; leave them out"
        )


def refuse_size(name: str, size: int | None) -> None:
    """Raises InputError where a size is given for what has one."""
    if size is not None:
        raise InputError(
            f"{name}: arrays are used at the size they have; an image size (`image_size={size}`) "
            "is for pictures in folders, parquet files or on the hub; leave it out"
        )
