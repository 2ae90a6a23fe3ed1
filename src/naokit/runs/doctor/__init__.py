"""Whether naokit works on this machine: nothing is left behind and nothing is downloaded.

machine.py   versions, devices, precision, threads, memory
place.py     what a folder can hold
extras.py    optional parts
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path

from naokit.runs.doctor.extras import optional_parts
from naokit.runs.doctor.finding import Finding
from naokit.runs.doctor.machine import devices, memory, precisions, threads, versions
from naokit.runs.doctor.place import examine_folder
from naokit.wording import first_line

__all__ = ["Finding", "examine"]


def examine(folder: Path) -> Iterator[Finding]:
    """What is found out, as it is.

    Args:
        folder: The folder of a run, which need not be there yet.
    """
    examinations: Mapping[str, Callable[[], Iterable[Finding]]] = {
        "version": versions,
        "device": devices,
        "precision": precisions,
        "threads": threads,
        "memory": memory,
        "folder": partial(examine_folder, folder),
        "extra": optional_parts,
    }
    for topic, look in examinations.items():
        try:
            yield from look()
        except Exception as error:  # noqa: BLE001  # a library that does not load, for instance
            reason = first_line(error)
            yield Finding(topic, "all", "broken", f"cannot be looked at: {reason}")
