"""Which columns of a table are pictures and labels, and what the labels are.

The Hugging Face hub writes into a file's metadata which column is an image and what its classes are
called. Other files have bytes, and labels that are numbers, names or truths.

Shapes: N rows.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from naokit.base import InputError
from naokit.images.classes import NUMBER_THEM, numbered
from naokit.images.data import ColumnNames
from naokit.wording import counted, listed

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]

IMAGE_WORDS = frozenset(
    {"image", "images", "img", "imgs", "picture", "pic", "photo", "pixels", "jpg", "jpeg", "png"}
)
LABEL_NAMES = frozenset(
    {
        *("label", "labels", "label_id", "label_idx", "label_name", "class_label", "fine_label"),
        *("coarse_label", "target", "targets", "y", "class", "classes", "class_id", "class_name"),
        *("class_idx", "category", "category_id"),
    }
)
CIFAR_100 = {"fine_label", "coarse_label"}
"""Its classes, and groups of them: where there are just these two, the first is meant."""


@dataclass(frozen=True)
class Columns:
    """The columns of pictures and labels.

    Attributes:
        image: The name of the column of pictures.
        label: The name of the column of labels.
        names: The names of the classes in the table's metadata; None where it has none.
    """

    image: str
    label: str
    names: tuple[str, ...] | None = field(repr=False)


def columns_of(
    name: str, schemas: Mapping[str, Sequence[pa.Schema]], chosen: ColumnNames
) -> Columns:
    """The columns of pictures and labels, the same in every table of every part.

    Args:
        name: The name of the data set in messages.
        schemas: The schemas of the tables of each part.
        chosen: The columns that a person named.

    Raises:
        InputError: There is no such column, several may be meant, or the parts differ.
    """
    train = schemas["train"][0]
    if twice := [column for column in train.names if train.names.count(column) > 1]:
        raise InputError(f"{name} has two columns {twice[0]!r}; rename one")
    image = _image(name, train, chosen.image)
    label = _label(name, train, chosen.label, image)
    found = Columns(image, label, _class_names(train, label))
    for part, tables in schemas.items():
        for table in tables:
            _check_same(name, part, table, found)
    return found


def _check_same(name: str, part: str, table: pa.Schema, columns: Columns) -> None:
    for column in (columns.image, columns.label):
        if column not in table.names:
            raise InputError(f"{name}: its {part} part has no column {column!r} as train has")
    names = _class_names(table, columns.label)
    if names != columns.names:
        odd = sorted({*(columns.names or ())} ^ {*(names or ())}) or ["their order"]
        raise _differ(name, part, odd)


def labels_of(
    name: str, columns: Columns, labels: Mapping[str, Sequence[pa.ChunkedArray]]
) -> tuple[dict[str, np.ndarray], tuple[str, ...], tuple[str, ...]]:
    """Labels from 0 (N,) of each part, the names of the classes, and what there is to say.

    A test part whose labels are all missing, or all -1 (the hub's sign), is left out.

    Args:
        name: The name of the data set in messages.
        columns: The columns that `columns_of` found.
        labels: The column of labels in each table of each part.

    Raises:
        InputError: The column holds no labels, some are missing, or a part has other classes than
            train.
    """
    told = {
        part: [v for one in tables for v in _values(f"{name} ({part})", columns.label, one)]
        for part, tables in labels.items()
    }
    remarks: tuple[str, ...] = ()
    if "test" in told and len(told["test"]) and all(one in (None, -1) for one in told["test"]):
        del told["test"]
        remarks = (f"{name}: its test part has no labels, and is left out",)
    for part, values in told.items():
        _check_whole(f"{name} ({part})", columns.label, values)
    kinds = {isinstance(value, str) for values in told.values() for value in values}
    if len(kinds) > 1 or (True in kinds and columns.names is not None):
        raise InputError(
            f"{name}: the column {columns.label!r} holds names in one file and numbers in another"
        )
    if True in kinds:
        return (*_named(name, told), remarks)
    numbers = {part: np.array(values, dtype=np.int64) for part, values in told.items()}
    largest = int(numbers["train"].max(initial=0))
    return numbers, columns.names or numbered(f"{name} (train)", largest), remarks


def _check_whole(name: str, column: str, values: Sequence[int | str | None]) -> None:
    """Raises InputError where a label is missing, or too large to be a number of a class."""
    if missing := [row for row, value in enumerate(values) if value in (None, "")]:
        raise InputError(
            f"{name} has {counted(len(missing), 'row')} without a label in the column {column!r} "
            f"(the first is row {missing[0]}); remove them"
        )
    if any(isinstance(value, int) and value >= 2**63 for value in values):
        raise InputError(f"{name}: labels beyond 2^63; {NUMBER_THEM}")


def _named(
    name: str, told: Mapping[str, Sequence[Any]]
) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """Labels that are names: their places among those of the training part, in order."""
    names = sorted(set(told["train"]))
    for part, values in told.items():
        if odd := sorted({*values} - {*names}):
            raise _differ(name, part, odd)
    places = {label: place for place, label in enumerate(names)}
    numbers = {
        part: np.array([places[value] for value in values], dtype=np.int64)
        for part, values in told.items()
    }
    return numbers, tuple(names)


def _values(name: str, column: str, values: pa.ChunkedArray) -> list[int | str | None]:
    """Labels as whole numbers or names."""
    import pyarrow.types as kinds  # type: ignore[import-untyped]

    kind = values.type.value_type if kinds.is_dictionary(values.type) else values.type
    found: list[Any] = values.to_pylist()
    if kinds.is_boolean(kind):
        return [None if value is None else str(value) for value in found]
    if kinds.is_integer(kind) or _is_text(kind) or kinds.is_null(kind):
        return found
    raise InputError(
        f"{name}: labels must be whole numbers, names or truths, but the column {column!r} holds "
        f"{kind}; convert it, or choose another `label_column`"
    )


def _image(name: str, schema: pa.Schema, chosen: str | None) -> str:
    """The column of pictures."""
    holding = [column for column in schema.names if _holds_pictures(schema.field(column).type)]
    if chosen is not None:
        _check_there(name, schema, chosen, "image")
        if chosen not in holding:
            raise _no_pictures(name, schema, chosen)
        return chosen
    features = _features(schema)
    said = [column for column in holding if features.get(column, {}).get("_type") == "Image"]
    usual = [column for column in schema.names if {*_words(column)} & IMAGE_WORDS]
    likely = said or [column for column in usual if column in holding] or holding
    if not likely and usual:
        raise _no_pictures(name, schema, usual[0])
    return _only(name, schema, likely, "image")


def _label(name: str, schema: pa.Schema, chosen: str | None, image: str) -> str:
    """The column of labels."""
    if chosen is not None:
        _check_there(name, schema, chosen, "label")
        return chosen
    others = [column for column in schema.names if column != image]
    said = [column for column in others if _class_names(schema, column) is not None]
    usual = [column for column in others if "_".join(_words(column)) in LABEL_NAMES]
    fit = [column for column in usual if _may_be_labels(schema.field(column).type)]
    likely = said or fit or usual
    if set(likely) == CIFAR_100:
        return "fine_label"
    return _only(name, schema, likely, "label")


def _only(name: str, schema: pa.Schema, likely: Sequence[str], what: str) -> str:
    """The one column that may be meant."""
    if len(likely) == 1:
        return likely[0]
    if likely:
        raise InputError(
            f"{name} has {len(likely)} {what} columns, {listed(likely)}; choose one with "
            f"`{what}_column={likely[0]}`"
        )
    raise InputError(
        f"{name} needs an image and a label column; it has {', '.join(schema.names)}: name the "
        f"{what} column with `{what}_column`"
    )


def _check_there(name: str, schema: pa.Schema, chosen: str, what: str) -> None:
    if chosen in schema.names:
        return
    near = difflib.get_close_matches(chosen, schema.names, n=1)
    meant = f"; did you mean {near[0]}?" if near else ""
    raise InputError(
        f"`{what}_column`: {name} has no column {chosen!r}; it has {', '.join(schema.names)}{meant}"
    )


def _no_pictures(name: str, schema: pa.Schema, column: str) -> InputError:
    return InputError(
        f"{name}: the column {column!r} holds {schema.field(column).type}, not pictures; expected "
        "the bytes of PNG, JPEG or other files, or a struct with them (bytes)"
    )


def _differ(name: str, part: str, odd: Sequence[str]) -> InputError:
    return InputError(f"{name}: its train and {part} parts differ in classes: {listed(odd, 20)}")


def _words(column: str) -> list[str]:
    """The words of a column's name: class, name of `ClassName`."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", column)
    return re.findall(r"[a-z0-9]+", apart.lower())


def _features(schema: pa.Schema) -> Mapping[str, Any]:
    """The hub's metadata of each column; empty where there are none.

    Read here, not by `datasets`: that takes a second to import, and knows no dictionaries.
    """
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        return {column: one for column, one in features.items() if isinstance(one, dict)}
    except (KeyError, TypeError, ValueError, AttributeError):
        return {}


def _class_names(schema: pa.Schema, column: str) -> tuple[str, ...] | None:
    feature = _features(schema).get(column, {})
    if feature.get("_type") != "ClassLabel" or column not in schema.names:
        return None
    names, count = feature.get("names"), feature.get("num_classes")
    if isinstance(names, list):
        return tuple(map(str, names))
    return numbered(column, count - 1) if isinstance(count, int) else None


def _holds_pictures(kind: pa.DataType) -> bool:
    import pyarrow.types as kinds

    if kinds.is_struct(kind):
        return any(one.name == "bytes" and _is_binary(one.type) for one in kind)
    return _is_binary(kind)


def _may_be_labels(kind: pa.DataType) -> bool:
    import pyarrow.types as kinds

    kind = kind.value_type if kinds.is_dictionary(kind) else kind
    return bool(kinds.is_integer(kind) or kinds.is_boolean(kind) or _is_text(kind))


def _is_binary(kind: pa.DataType) -> bool:
    import pyarrow.types as kinds

    return bool(kinds.is_binary(kind) or kinds.is_large_binary(kind) or _is(kind, "binary_view"))


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow.types as kinds

    return bool(kinds.is_string(kind) or kinds.is_large_string(kind) or _is(kind, "string_view"))


def _is(kind: pa.DataType, name: str) -> bool:
    """Whether a type is one that older versions of pyarrow do not know."""
    import pyarrow.types as kinds

    test: Callable[[Any], bool] | None = getattr(kinds, f"is_{name}", None)
    return test is not None and test(kind)
