"""Checkpoints of a training: two safetensors files, replaced whole, never unpickled."""

from __future__ import annotations

import dataclasses
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from naokit.base import InputError, Json
from naokit.files import check_fits, check_regular, parse_json, write_whole
from naokit.training.recipe import Recipe

LAST, BEST = "last.safetensors", "best.safetensors"
CHECKSUM = "checksum"
LARGEST_HEADER = 2**24
"""Bytes that name and place tensors: those of a hundred networks of a thousand tensors."""
TYPES = {
    torch.float32: "F32",
    torch.float64: "F64",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
"""As safetensors files name them."""
EXPORT_AGAIN = "copy or export it again"
AGAIN = "remove the folder to start again"


@dataclass(frozen=True)
class State:
    """The progress of a training.

    Attributes:
        epochs: The number of epochs done.
        step: The number of steps done of the next epoch.
        loss: The sum of the loss over the examples of these steps.
        best: The best validation metric; -1 before the first epoch.
        best_epoch: The epoch that reached it, from 1; 0 means none.
        last: The validation metric of the last epoch.
        history: The validation metric of every epoch.
        averaging: Whether the mean of the weights is taken, from some epoch on.
        reloads: The number of times that the best weights were taken up again.
        seconds: The seconds that all this took; 0 in a checkpoint of a version that did not record
            them.
    """

    epochs: int = 0
    step: int = 0
    loss: float = 0.0
    best: float = -1.0
    best_epoch: int = 0
    last: float = -1.0
    history: tuple[float, ...] = ()
    averaging: bool = False
    reloads: int = 0
    seconds: float = 0.0

    def after_epoch(self, last: float, *, improved: bool) -> State:
        """The state after one more epoch."""
        best = (last, self.epochs + 1) if improved else (self.best, self.best_epoch)
        return dataclasses.replace(
            self,
            epochs=self.epochs + 1,
            step=0,
            loss=0.0,
            best=best[0],
            best_epoch=best[1],
            last=last,
            history=(*self.history, last),
        )


class Checkpoint:
    """`last.safetensors` (weights, momenta, state) and `best.safetensors` (weights) in a folder.

    Where the weights are averaged, the average is in both, and is what `best` holds.

    Args:
        folder: The folder, which is made if it is missing.
        recipe: The recipe; a checkpoint of another recipe, data set, warm start, precision or seed
            is refused.
        data: The fingerprint of the data set.
        seed: The seed of the training.
        warm_start: A checksum of the weights it begins with. If None, it begins from scratch.
        precision: The precision of the computation. If None, 32-true.
    """

    def __init__(
        self,
        folder: Path,
        recipe: Recipe,
        data: str,
        seed: int,
        warm_start: str | None = None,
        precision: str | None = None,
    ) -> None:
        self.folder = folder
        self.training: Mapping[str, Json] = {
            "recipe": recipe.to_json(),
            "data": data,
            "warm_start": warm_start,
            "precision": precision,
            "seed": seed,
        }

    def state(self) -> State:
        """The state to go on from; a new one where there is no checkpoint.

        Raises:
            InputError: The file is damaged or of another training (the first difference).
        """
        found = _last(self.folder)
        if found is None:
            return State()
        training, state = found
        self._check(self.folder / LAST, training)
        return state

    def resume(
        self, network: nn.Module, average: nn.Module | None, optimizer: torch.optim.Optimizer
    ) -> dict[str, Tensor]:
        """Puts weights, their average and momenta in place; what the task gave is returned.

        Nothing happens where there is no checkpoint.

        Raises:
            InputError: The file is damaged or of another network (the first difference).
        """
        path = self.folder / LAST
        if not path.exists():
            return {}
        tensors, _ = read_tensors(path, AGAIN)
        load_weights(network, _part(tensors, "weight."), path)
        if average is not None:
            load_weights(average, _part(tensors, "average."), path)
        names = dict(network.named_parameters())
        for name, tensor in _part(tensors, "momentum.").items():
            # The same memory layout as the weights keeps the continuation bit for bit.
            momentum = torch.empty_like(names[name]).copy_(tensor)
            optimizer.state[names[name]]["momentum_buffer"] = momentum
        return _part(tensors, "task.")

    def reload(self, network: nn.Module) -> None:
        """Puts the best weights in place; raises InputError as `best_weights` does."""
        load_weights(network, best_weights(self.folder), self.folder / BEST)

    def save(
        self,
        network: nn.Module,
        average: nn.Module | None,
        optimizer: torch.optim.Optimizer,
        state: State,
        task: Mapping[str, Tensor],
        *,
        improved: bool,
    ) -> None:
        """Writes `last`, and `best` where it improved; `task`: what the next update depends on."""
        header = {
            "training": json.dumps(self.training),
            "state": json.dumps(dataclasses.asdict(state)),
        }
        weights = _copies(network)
        averaged = {} if average is None else _copies(average)
        if improved:
            measured = _part(averaged, "module.") or weights
            write_whole(self.folder / BEST, _to_bytes(measured, header))
        tensors = {f"weight.{name}": tensor for name, tensor in weights.items()}
        tensors |= {f"average.{name}": tensor for name, tensor in averaged.items()}
        tensors |= {f"task.{name}": tensor.contiguous() for name, tensor in task.items()}
        for name, parameter in network.named_parameters():
            momentum = optimizer.state[parameter].get("momentum_buffer")
            if momentum is not None:
                tensors[f"momentum.{name}"] = momentum.contiguous()
        write_whole(self.folder / LAST, _to_bytes(tensors, header))

    def _check(self, path: Path, recorded: Mapping[str, Json]) -> None:
        for name, wanted in self.training.items():
            there = recorded.get(name)
            if not _same(there, wanted):
                what = _difference(name, there, wanted)
                raise InputError(
                    f"{path} is of another training: {what}; name another `folder` to keep "
                    "both, or remove this one to begin again in its place"
                )


def training_at(folder: Path) -> dict[str, Json] | None:
    """The identity of the training whose checkpoint lies in a folder; None if there is none.

    Raises:
        InputError: The checkpoint is damaged.
    """
    found = _last(folder)
    return None if found is None else found[0]


def history_at(folder: Path) -> tuple[float, ...]:
    """The validation metric of every epoch of the training whose checkpoint lies in a folder.

    Raises:
        InputError: The checkpoint is damaged.
    """
    found = _last(folder)
    return () if found is None else found[1].history


def best_weights(folder: Path) -> dict[str, Tensor]:
    """The weights of the best epoch, or of the last step where no epoch was finished.

    They are taken from `last` where that is the best and `best` is not there.

    Raises:
        InputError: The weights are missing or damaged.
    """
    if (folder / BEST).exists():
        return read_tensors(folder / BEST, AGAIN)[0]
    tensors, header = read_tensors(folder / LAST, AGAIN)
    _, state = _read_header(folder / LAST, header)
    if state.best_epoch and (state.best_epoch != state.epochs or state.step):
        raise InputError(
            f"{folder / BEST} is not there, which held the weights of the best epoch, "
            f"{state.best_epoch}: put it back; or {AGAIN}"
        )
    return _part(tensors, "average.module.") or _part(tensors, "weight.")


def _last(folder: Path) -> tuple[dict[str, Json], State] | None:
    """The identity and progress of the last checkpoint of a folder; None if there is none."""
    path = folder / LAST
    if not path.exists():
        return None
    _, header = read_tensors(path, AGAIN)
    return _read_header(path, header)


def _read_header(path: Path, header: Mapping[str, str]) -> tuple[dict[str, Json], State]:
    """The identity of a checkpoint's training, and its progress."""
    try:
        training, fields = (parse_json(header[name], path) for name in ("training", "state"))
        state = State(**fields | {"history": tuple(fields.get("history", ()))})
        _check_state(state)
        return dict(training), state
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path} is no checkpoint of a training; {AGAIN}") from error


def _check_state(state: State) -> None:
    """Raises TypeError where a field is of another kind than its default."""
    for field in dataclasses.fields(state):
        value, kind = getattr(state, field.name), type(field.default)
        if type(value) is not kind and not (kind is float and type(value) is int):
            raise TypeError(f"{field.name} is {value!r}")
    if not all(type(value) in (int, float) for value in state.history):
        raise TypeError(f"history is {state.history}")


def _same(there: Json, here: Json) -> bool:
    """Whether both are equal; a field that an earlier version did not have is off."""
    if isinstance(there, dict) and isinstance(here, dict):
        return all(there.get(field) == here.get(field) for field in there | here)
    return bool(there == here)


def _difference(name: str, there: Json, here: Json) -> str:
    """A difference in words."""
    match name, there, here:
        case "recipe", dict(), dict():
            first = next(field for field in there | here if there.get(field) != here.get(field))
            return f"its recipe has {first} {there.get(first)}, this one {here.get(first)}"
        case "data", _, _:
            return "its data are others (the content or the vocabulary changed)"
        case "warm_start", None, _:
            return "it began from scratch, this one begins with trained weights (`warm_start`)"
        case "warm_start", _, None:
            return "it began with trained weights (`warm_start`), this one begins from scratch"
        case "warm_start", _, _:
            return "it began with other trained weights"
        case "precision", _, _:
            known = (there or "32-true", here or "32-true")
            return f"it computes in {known[0]}, this one in {known[1]} (`precision`)"
        case _:
            return "its seed or its architecture is another"


def _part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin with a prefix, by the rest of the name."""
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}


def _copies(network: nn.Module) -> dict[str, Tensor]:
    """Copies: safetensors refuses tensors that share memory, as tied weights do."""
    return {
        name: tensor.clone(memory_format=torch.contiguous_format)
        for name, tensor in network.state_dict().items()
    }


def _to_bytes(tensors: Mapping[str, Tensor], header: Mapping[str, str]) -> bytes:
    """A safetensors file with a checksum, which shows if a bit flips later."""
    return save(dict(tensors), {**header, CHECKSUM: checksum(tensors, header)})


def checksum(tensors: Mapping[str, Tensor], header: Mapping[str, str] | None = None) -> str:
    """CRC-32 of names, types, shapes, values and a header, as eight hexadecimal digits."""
    found = zlib.crc32(json.dumps(header, sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        found = zlib.crc32(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode(), found)
        values = tensor.detach().cpu().contiguous().flatten().view(torch.uint8)
        found = zlib.crc32(values.numpy().data, found)
    return f"{found:08x}"


Form = tuple[tuple[int, ...], str]
"""Shape of a tensor, and its type as safetensors files name it."""


def read_forms(path: Path, remedy: str = EXPORT_AGAIN) -> dict[str, Form]:
    """The forms of the tensors in a safetensors file, from its header alone.

    Raises:
        InputError: The file is missing, damaged, not a regular file, or larger than the memory.
    """
    check_regular(path)
    check_fits(path, path.stat().st_size)
    try:
        header = parse_json(_header(path).decode(), path)
        return {
            name: (tuple(entry["shape"]), entry["dtype"])
            for name, entry in header.items()
            if name != "__metadata__"
        }
    except InputError:
        raise
    except (OSError, ValueError, AttributeError, KeyError, TypeError) as error:
        raise InputError(f"{path} is damaged ({error}); {remedy}") from error


def _header(path: Path) -> bytes:
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > LARGEST_HEADER:
            raise ValueError(
                f"its header has {length:,} bytes, expected {LARGEST_HEADER:,} at most"
            )
        return file.read(length)


def read_tensors(
    path: Path, remedy: str = EXPORT_AGAIN
) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """The tensors and the header of a safetensors file.

    Args:
        path: The path of the file.
        remedy: The advice where the file is damaged.

    Raises:
        InputError: The file is missing or damaged: its checksum, where it has one, is another.
    """
    read_forms(path, remedy)
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            header = dict(file.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} is damaged ({error}); {remedy}") from error
    expected = header.pop(CHECKSUM, None)
    if expected is not None and (found := checksum(tensors, header)) != expected:
        raise InputError(
            f"{path} is damaged: its checksum is {found}, expected {expected}; {remedy}"
        )
    return tensors, header


def load_weights(network: nn.Module, weights: dict[str, torch.Tensor], path: Path) -> None:
    """Puts weights into a network; raises InputError that names the first difference."""
    check_forms(network, {name: _form(tensor) for name, tensor in weights.items()}, path)
    network.load_state_dict(weights)


def check_forms(network: nn.Module, there: Mapping[str, Form], path: Path) -> None:
    """Raises InputError where tensors of a file are not the network's (the first difference)."""
    here = {name: _form(tensor) for name, tensor in network.state_dict().items()}
    for name in [*here, *there]:
        if here.get(name) != there.get(name):
            found, own = (_described(forms.get(name)) for forms in (there, here))
            if found == own:
                found, own = (forms[name][1] for forms in (there, here))
            raise InputError(
                f"{path} is of another network: {name} is {found} there and {own} here; "
                "give the genotype and the sizes it was trained with, or name another folder"
            )


def _form(tensor: Tensor) -> Form:
    return tuple(tensor.shape), TYPES.get(tensor.dtype, str(tensor.dtype))


def _described(form: Form | None) -> str:
    return "absent" if form is None else str(form[0])


def agreeing(network: nn.Module, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights that the network has under the same name in the same shape."""
    own = network.state_dict()
    return {n: t for n, t in weights.items() if n in own and own[n].shape == t.shape}
