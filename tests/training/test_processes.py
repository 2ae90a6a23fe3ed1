"""Batch statistics over several processes, against torch's own over the whole batch."""

from pathlib import Path

import torch
from torch import multiprocessing, nn

from naokit.training.processes import SharedBatchNorm

SIZE = (6, 3, 4, 4)


def images() -> torch.Tensor:
    return torch.sin(torch.arange(6 * 3 * 16, dtype=torch.float64)).view(SIZE)


def weighted(outputs: torch.Tensor) -> torch.Tensor:
    """A loss that no symmetry hides in."""
    weights = torch.arange(outputs[0].numel(), dtype=outputs.dtype).view(outputs[0].shape).cos()
    return (outputs * weights).sum() + outputs.pow(3).sum()


def _share(rank: int, folder: str) -> None:
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2
    )
    layer = SharedBatchNorm(3).double()
    mine = images()[:2] if rank == 0 else images()[2:]  # shares of different sizes
    x = mine.clone().requires_grad_()
    weighted(layer(x)).backward()
    found = {"x": x.grad, "scale": layer.weight.grad, **layer.state_dict()}
    torch.save(found, f"{folder}/{rank}.pt")


def test_statistics_and_gradients_are_those_of_the_whole_batch(tmp_path: Path) -> None:
    multiprocessing.spawn(_share, (str(tmp_path),), nprocs=2)
    shares = [torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in (0, 1)]
    layer = nn.BatchNorm2d(3).double()
    x = images().requires_grad_()
    weighted(layer(x)).backward()
    torch.testing.assert_close(torch.cat([share["x"] for share in shares]), x.grad)
    torch.testing.assert_close(shares[0]["scale"] + shares[1]["scale"], layer.weight.grad)
    for name in ("running_mean", "running_var", "num_batches_tracked"):
        torch.testing.assert_close(shares[0][name], layer.state_dict()[name])
        torch.testing.assert_close(shares[1][name], layer.state_dict()[name])
    shared = SharedBatchNorm(3).double()
    shared.load_state_dict(layer.state_dict())
    torch.testing.assert_close(shared.eval()(images()), layer.eval()(images()))
