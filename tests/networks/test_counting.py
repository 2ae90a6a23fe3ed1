"""Counts against a second way of counting, and what counting leaves behind."""

import torch
from torch import Tensor, nn

from naokit.networks import ImageNetwork, count_macs, count_parameters, without_weights
from naokit.settings import ImageSettings

from .plans import NAONET_A, read


def tiny(*, auxiliary: bool = False) -> ImageNetwork:
    return ImageNetwork(*read(NAONET_A), ImageSettings(3, 4, 1, (1, 8, 8), auxiliary))


def counted_by_hooks(network: nn.Module, images: Tensor) -> int:
    """Outputs times inputs of each, layer by layer."""
    total = 0

    def count(module: nn.Module, _: object, output: Tensor) -> None:
        nonlocal total
        assert isinstance(module, nn.Conv2d | nn.Linear)
        total += output[0].numel() * module.weight[0].numel()

    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.register_forward_hook(count)
    network.eval()(images)
    return total


def test_macs_of_a_layer_and_of_a_network() -> None:
    layer = nn.Conv2d(4, 6, 3, padding=1, groups=2)
    assert count_macs(layer, (4, 5, 5)) == 6 * 25 * (4 // 2) * 9
    network = tiny(auxiliary=True)
    assert count_macs(network, (1, 8, 8)) == counted_by_hooks(network, torch.randn(1, 1, 8, 8))


def test_counting_leaves_modes_statistics_and_gradients_alone() -> None:
    network = tiny().double().train()
    network.cells[0].eval()
    modes = [module.training for module in network.modules()]
    state = {name: value.clone() for name, value in network.state_dict().items()}
    count_macs(network, (1, 8, 8))
    assert [module.training for module in network.modules()] == modes
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())
    assert all(weight.grad is None for weight in network.parameters())


def test_the_auxiliary_head_counts_only_when_asked_for() -> None:
    with_head, without = tiny(auxiliary=True), tiny()
    assert count_parameters(with_head) == count_parameters(without)
    assert count_parameters(without, auxiliary=True) == count_parameters(without)
    assert with_head.auxiliary is not None
    extra = sum(weight.numel() for weight in with_head.auxiliary.parameters())
    assert count_parameters(with_head, auxiliary=True) == count_parameters(without) + extra


def test_a_network_without_weights_counts_alike() -> None:
    with without_weights():
        network = tiny(auxiliary=True)
    assert all(weight.is_meta for weight in network.parameters())
    assert count_parameters(network) == count_parameters(tiny())
    assert count_macs(network, (1, 8, 8)) == count_macs(tiny(), (1, 8, 8))


class Named(nn.Module):
    """A user's layer that names its arguments."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(4, 6, 3)

    def forward(self, images: Tensor) -> Tensor:
        return nn.functional.relu(input=self.layer(images))


def test_a_layer_without_weights_may_name_its_arguments() -> None:
    with without_weights():
        network = Named()
    assert count_macs(network, (4, 5, 5)) == count_macs(Named(), (4, 5, 5)) == 6 * 9 * 36


def test_macs_of_the_published_network() -> None:
    with torch.device("meta"):
        network = ImageNetwork(*read(NAONET_A), ImageSettings(10, 36, 6, (3, 32, 32)))
    assert count_macs(network, (3, 32, 32)) == 1_673_814_240
    assert count_parameters(network) == 11_470_150
