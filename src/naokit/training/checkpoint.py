"""Checkpoints of a training: two safetensors files, replaced whole, never unpickled."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from naokit.base import InputError
from naokit.files import write_whole
from naokit.training.recipes import Recipe

State = tuple[int, tuple[float, int], float]
"""(epochs done, (best accuracy, its epoch), last accuracy)."""


class Checkpoint:
    """`last.safetensors` (weights, momenta, state) and `best.safetensors` (weights) in a folder.

    Args:
        folder: made if need be.
        recipe: a checkpoint of another recipe, data set or seed is refused.
        data: fingerprint of the data set.
        seed: of the training.
    """

    def __init__(self, folder: Path, recipe: Recipe, data: str, seed: int) -> None:
        self.folder = folder
        self.training = {"recipe": recipe.to_json(), "data": data, "seed": seed}

    def resume(self, network: nn.Module, optimizer: torch.optim.Optimizer) -> State:
        """The state to go on from; weights and momenta are put in place.

        Raises:
            InputError: the file is damaged or of another training (the first difference).
        """
        path = self.folder / "last.safetensors"
        if not path.exists():
            return 0, (-1.0, 0), -1.0
        tensors, header = read_tensors(path)
        self._check(path, header)
        weights = {n.removeprefix("weight."): t for n, t in tensors.items() if n[:7] == "weight."}
        load_weights(network, weights, path)
        names = dict(network.named_parameters())
        for name, tensor in tensors.items():
            if name.startswith("momentum."):
                parameter = names[name.removeprefix("momentum.")]
                # The same memory layout as the weights keeps the continuation bit for bit.
                momentum = torch.empty_like(parameter).copy_(tensor)
                optimizer.state[parameter]["momentum_buffer"] = momentum
        epochs, best, last = json.loads(header["state"])
        return epochs, (best[0], best[1]), last

    def save(
        self,
        network: nn.Module,
        optimizer: torch.optim.Optimizer,
        state: State,
        *,
        improved: bool,
    ) -> None:
        """Writes `last`, and `best` where it improved."""
        header = {"training": json.dumps(self.training), "state": json.dumps(state)}
        # Copies: safetensors refuses tensors that share memory, as tied weights do.
        weights = {
            name: tensor.clone(memory_format=torch.contiguous_format)
            for name, tensor in network.state_dict().items()
        }
        if improved:
            write_whole(self.folder / "best.safetensors", save(weights, header))
        tensors = {f"weight.{name}": tensor for name, tensor in weights.items()}
        for name, parameter in network.named_parameters():
            momentum = optimizer.state[parameter].get("momentum_buffer")
            if momentum is not None:
                tensors[f"momentum.{name}"] = momentum.contiguous()
        write_whole(self.folder / "last.safetensors", save(tensors, header))

    def _check(self, path: Path, header: dict[str, str]) -> None:
        if not {"training", "state"} <= header.keys():
            raise InputError(f"{path} is no checkpoint of a training; remove it to start again")
        recorded = json.loads(header["training"])
        for name, wanted in self.training.items():
            if recorded.get(name) != wanted:
                raise InputError(
                    f"{path} is of another training: its {name} is {recorded.get(name)}, "
                    f"not {wanted}; remove the folder to start again, or name another"
                )


def read_tensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """The tensors and the header of a safetensors file; raises InputError if it is damaged."""
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except FileNotFoundError:
        raise InputError(f"there is no file {path}") from None
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} is damaged ({error}); remove it to start again") from error


def load_weights(network: nn.Module, weights: dict[str, torch.Tensor], path: Path) -> None:
    """Puts weights into a network; raises InputError that names the first difference."""
    own = network.state_dict()
    for name in [*own, *weights]:
        shapes = [tuple(d[name].shape) if name in d else "absent" for d in (weights, own)]
        if shapes[0] != shapes[1]:
            raise InputError(
                f"{path} is of another network: {name} is {shapes[0]} there and {shapes[1]} here"
            )
    network.load_state_dict(weights)
