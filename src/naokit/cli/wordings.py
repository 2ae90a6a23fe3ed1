"""The library's messages in the words of the command line: a parameter becomes its option.

A message of the library names what a Python user can give, in backticks: `image_size=224`, `nodes`.
Here, in one place, that becomes --image-size 224, --nodes.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

OPTIONS: Mapping[str, str] = {
    "activations": "--activations",
    "address": "--ray-address",
    "all_data": "--all-data",
    "architecture_column": "--architecture-column",
    "baseline": "--baseline",
    "cpus": "--cpus-per-worker",
    "curve_columns": "--curve-columns",
    "data": "--data",
    "device": "--device",
    "devices": "--devices",
    "epochs": "--epochs-in-all",
    "force": "--force",
    "gpus": "--gpus-per-worker",
    "formats": "--format",
    "hours": "--hours",
    "image_column": "--image-column",
    "image_size": "--image-size",
    "label_column": "--label-column",
    "memory": "--evaluation-gib",
    "method": "--method",
    "nodes": "--nodes",
    "objective": "--objective",
    "out": "--out",
    "part": "--split",
    "precision": "--precision",
    "prior": "--prior",
    "processes": "--processes",
    "pruner": "--pruner",
    "seconds": "--evaluation-minutes",
    "settings": "--set",
    "skip_bad": "--skip-bad",
    "slots": "workers (--workers ray:N)",
    "start": "--start-from",
    "storage": "--storage",
    "tensorboard": "--tensorboard",
    "top": "--top",
    "warm_start": "--warm-start",
    "workers": "--workers",
    # The command line has no option of this name alone: it says what stands for it.
    "batch": "batch (--set batch=...)",
    "folder": "folder (--out)",
    "name": "--out (or name)",
    "table": "table (--table)",
}
"""What a parameter that messages name is here."""
PHRASES: Mapping[str, str] = {
    "restore a copy, or begin another one": "restore a copy, or begin another one (--out)",
    "remove the folder to start again": "remove the folder, or give --force, to start again",
    "remove this one to begin again in its place": "give --force to begin again in its place",
}
"""What Python users do by hand and the command line has an option for."""
FINAL = "final_"
"""Parameters of the final training have an option of the same name."""
_PARAMETER = re.compile(r"`([a-z_]+)(?:=([^`]*))?`")


def for_command_line(message: str) -> str:
    """The message with options in place of parameters; other words in backticks stay."""
    for said, here in PHRASES.items():
        message = message.replace(said, here)
    return _PARAMETER.sub(_option, message)


def _option(found: re.Match[str]) -> str:
    name, value = found.groups()
    option = f"--{name.replace('_', '-')}" if name.startswith(FINAL) else OPTIONS.get(name)
    if option is None:
        return found[0]
    flag = value in (None, "True")
    return option if flag else f"{option} {shlex.quote(value.strip(chr(39)))}"
