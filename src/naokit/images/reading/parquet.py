"""Image data in tables: parquet files and data sets on the Hugging Face hub.

Decoding a whole data set takes a while (CIFAR-10: 23 s of one core), so the arrays are cached.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from naokit.base import InputError
from naokit.images.data import ColumnNames, Source
from naokit.images.pictures.encoded import ParquetRows, TableRows
from naokit.images.reading.columns import Columns, columns_of, labels_of
from naokit.images.reading.listing import LabelledPictures, Listing, source_of
from naokit.training.hub import load_tables
from naokit.training.part_names import files_by_part
from naokit.training.tree import Tree
from naokit.wording import first_line, listed

SUFFIXES = frozenset({".parquet", ".pq", ".parq"})


def parquet_names(tree: Tree) -> list[str]:
    """The parquet files below a folder, relative to it; not those that Spark writes beside them."""
    return [
        name
        for name in tree.files_below()
        if is_parquet(name) and not any(one.startswith("_") for one in Path(name).parts)
    ]


def are_the_data(names: Sequence[str]) -> bool:
    """Whether parquet files lie where data do that has pictures as files besides."""
    return any(Path(name).parts[:-1] in ((), ("data",)) for name in names)


def is_parquet(name: str) -> bool:
    """Whether a file of this name is a parquet file."""
    return Path(name).suffix.lower() in SUFFIXES


def parquet(
    path: Path,
    names: Sequence[str],
    chosen: ColumnNames,
    size: int | None = None,
    *,
    skip_bad: bool = False,
) -> Source:
    """Parquet files: one, or `train*.parquet`, `test*.parquet` in a folder or in folders.

    Args:
        path: The file, or the folder.
        names: The names of the files in the folder, relative to it; empty where `path` is a file.
        chosen: The chosen columns.
        size: The size, as for `load_images`.
        skip_bad: Whether pictures that cannot be decoded are left out.

    Raises:
        InputError: The source is absent, unreadable, has no image or label column, or no
            training part.
    """
    parts, remarks = _parts(path, names) if names else ({"train": [path]}, ())
    listing = _parquet_listing(path, parts, chosen, remarks)
    return source_of(listing, size, skip_bad=skip_bad)


def hub(
    name: str, chosen: ColumnNames, size: int | None = None, *, skip_bad: bool = False
) -> Source:
    """A data set on the Hugging Face hub, from its local cache where there is no network.

    Raises:
        InputError: There is no data set of this name, no network, or no `train` split.
    """
    listing = _hub_listing(name, load_tables(name, "digits"), chosen)
    return source_of(listing, size, skip_bad=skip_bad)


def _parts(path: Path, names: Sequence[str]) -> tuple[dict[str, list[Path]], tuple[str, ...]]:
    """The files of each part; those without a part's name train where none is named train."""
    found, unnamed = files_by_part(str(path), names)
    if len(names) == 1:  # a single file is what to learn from, whatever it is called
        found, unnamed = {"train": list(names)}, []
    elif "train" not in found and unnamed:
        found, unnamed = {"train": unnamed} | found, []
    if "train" not in found:
        raise InputError(f"{path} has no train*.parquet; it has {listed(names, 20)}")
    said = [f"{path}: {', '.join(f'{part} from {listed(found[part], 2)}' for part in found)}"]
    if unnamed:
        said.append(f"{path}: left out, as their names tell of no part: {listed(unnamed)}")
    return {part: [path / name for name in files] for part, files in found.items()}, tuple(said)


def _parquet_listing(
    path: Path, parts: Mapping[str, Sequence[Path]], chosen: ColumnNames, remarks: tuple[str, ...]
) -> Listing:
    from pyarrow import parquet as pq  # type: ignore[import-untyped]

    try:
        schemas = {p: [pq.read_schema(file) for file in files] for p, files in parts.items()}
        columns = columns_of(str(path), schemas, chosen)
        labels = {
            part: [pq.ParquetFile(file).read(columns=[columns.label])[0] for file in files]
            for part, files in parts.items()
        }
        pictures = {
            part: ParquetRows(f"{path} ({part})", files, columns.image)
            for part, files in parts.items()
        }
        return _listing(str(path), pictures, columns, labels, remarks)
    except InputError:
        raise
    except Exception as error:  # pyarrow raises many kinds
        raise InputError(f"{path} is not readable as parquet: {first_line(error)}") from error


def _hub_listing(name: str, tables: Mapping[str, Any], chosen: ColumnNames) -> Listing:
    """Images and labels of tables of `datasets`."""
    schemas = {part: [table.features.arrow_schema] for part, table in tables.items()}
    columns = columns_of(name, schemas, chosen)
    labels = {
        part: [table.select_columns([columns.label]).with_format("arrow")[:][columns.label]]
        for part, table in tables.items()
    }
    pictures = {
        part: TableRows(f"{name} ({part})", table, columns.image) for part, table in tables.items()
    }
    return _listing(name, pictures, columns, labels, ())


def _listing(
    name: str,
    pictures: Mapping[str, ParquetRows | TableRows],
    columns: Columns,
    labels: Mapping[str, Sequence[Any]],
    remarks: tuple[str, ...],
) -> Listing:
    numbers, names, said = labels_of(name, columns, labels)
    parts = {part: LabelledPictures(pictures[part], found) for part, found in numbers.items()}
    taken = f"{name}: pictures from column {columns.image!r}, labels from {columns.label!r}"
    chosen = ColumnNames(columns.image, columns.label)
    return Listing(parts, names, (taken, *remarks, *said), chosen)
