"""Two processes against one: batch statistics, and a whole training, to rounding."""

import json
from pathlib import Path

import pytest
import torch
from lightning_fabric import Fabric
from torch import multiprocessing, nn

import naokit
from naokit.images.loading import load_images
from naokit.images.recipes import ImageRecipe
from naokit.images.task import ImageTask
from naokit.training.checkpoint import read_tensors
from naokit.training.loop import train
from naokit.training.processes import Share, SharedBatchNorm, share_statistics

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
    torch.distributed.destroy_process_group()


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


def _train(fabric: Fabric, folder: str) -> None:
    """Two epochs on 260 digits in double precision; the last batch has four images."""
    torch.manual_seed(0)
    network = naokit.build(
        naokit.spaces.ConvCells.small(1).parse("0 0 1 3 0 1 1 4"),
        channels=4,
        cells=1,
        image=(1, 8, 8),
    ).double()
    recipe = ImageRecipe(
        "plain",
        2,
        128,
        learning_rate=0.05,
        crop_padding=0,
        flip=False,
        train_images=260,
        statistics_batches=2,
    )
    shared = share_statistics(network, fabric)
    losses: list[float] = []
    train(
        shared,
        ImageTask(load_images("digits"), recipe, fabric),
        seed=0,
        fabric=fabric,
        checkpoint=Path(folder),
        on_epoch=lambda epoch: losses.append(epoch.loss),
    )
    (Path(folder) / f"{fabric.global_rank}.json").write_text(json.dumps(losses))


def test_a_training_in_two_processes_is_that_of_one(tmp_path: Path) -> None:
    for processes in (1, 2):
        folder = str(tmp_path / str(processes))
        strategy = "auto" if processes == 1 else "ddp_spawn"
        fabric = Fabric(
            accelerator="cpu", devices=processes, strategy=strategy, precision="64-true"
        )
        if processes == 1:
            _train(fabric, folder)
        else:
            fabric.launch(Share(_train, (folder,)))
    alone, shared = (read_tensors(tmp_path / p / "last.safetensors")[0] for p in "12")
    assert alone.keys() == shared.keys()
    for name, tensor in alone.items():
        torch.testing.assert_close(shared[name], tensor, atol=1e-9, rtol=1e-7)
    alone_losses, *losses = (
        json.loads((tmp_path / name).read_text()) for name in ("1/0.json", "2/0.json", "2/1.json")
    )
    assert losses == [pytest.approx(alone_losses, rel=1e-7)] * 2  # of all images, in each process
