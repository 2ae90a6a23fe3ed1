"""ResNet-20 for CIFAR (He et al. 2015, arXiv 1512.03385, section 4.2), to compare cells with.

0.27 M parameters, 41 M multiply-accumulates. Shortcuts are the paper's option A: every second
pixel, channels filled up with zeros.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


class Block(nn.Module):
    """Two 3x3 convolutions and a shortcut."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.one = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.two = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.normalise_one, self.normalise_two = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)
        self.stride, self.more = stride, channels - channels_in

    def forward(self, x: Tensor) -> Tensor:
        y = self.normalise_two(self.two(F.relu(self.normalise_one(self.one(x)))))
        if self.more:
            shortcut = x[:, :, :: self.stride, :: self.stride]
            x = F.pad(shortcut, (0, 0, 0, 0, 0, self.more))
        return F.relu(x + y)


class ResNet20(nn.Sequential):
    """The network: images (B, 3, 32, 32) -> logits (B, K)."""

    def __init__(self, classes: int = 10) -> None:
        blocks = [
            Block(channels // 2 if place == 0 and stride == 2 else channels, channels, stride)
            if place == 0
            else Block(channels, channels, 1)
            for channels, stride in ((16, 1), (32, 2), (64, 2))
            for place in range(3)
        ]
        super().__init__(
            nn.Conv2d(3, 16, 3, padding=1, bias=False),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            *blocks,
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(64, classes),
        )
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.kaiming_normal_(parameter)
