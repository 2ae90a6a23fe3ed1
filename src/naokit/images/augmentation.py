"""Random changes to a batch of images, on the device where they are (kornia, and cutout).

Shapes: B batch, C channels, H and W height and width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from naokit.base import InputError
from naokit.images.recipes import ImageRecipe


class Augmentation:
    """Crop, flip, colour jitter, standardise, cutout, in this order; drawn from a generator.

    A recipe with `resized_crop` crops while pictures are decoded (`stream`), not here.

    Args:
        recipe: The recipe that names the changes.
        image: The shape of an image, (C, H, W).
        mean: The mean of each channel of the training images, in [0, 1], (C,).
        std: The standard deviation of each channel, in the same units, (C,).

    Raises:
        InputError: The recipe has a colour jitter, and the images are not of three channels.
    """

    def __init__(
        self, recipe: ImageRecipe, image: tuple[int, int, int], mean: Tensor, std: Tensor
    ) -> None:
        self.mean = mean.view(-1, 1, 1) * 255
        self.scale = 1 / (std.view(-1, 1, 1) * 255)
        self.change = _changes(recipe, image)
        self.jitter = _jitter(recipe, image)
        self.side = recipe.cutout

    def standardise(self, images: Tensor) -> Tensor:
        """Images (B, C, H, W) of bytes as floats with mean 0 and deviation 1."""
        return (images.float() - self.mean) * self.scale

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """A changed, standardised batch (B, C, H, W) of bytes."""
        batch = self.standardise(self._changed(images, generator))
        return _cut_out(batch, self.side, generator) if self.side else batch

    def _changed(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """The images cropped, mirrored and jittered, still from 0 to 255."""
        if self.change is None and self.jitter is None:
            return images
        with torch.random.fork_rng(devices=[]):  # kornia knows only the global generator
            # On the processor alone: a device's generator is at the networks' dropout.
            seed = int(torch.randint(2**62, (), generator=generator))
            torch.default_generator.manual_seed(seed)
            batch = images.float()
            if self.change is not None:
                batch = self.change(batch)
            return batch if self.jitter is None else self.jitter(batch / 255) * 255


def _changes(recipe: ImageRecipe, image: tuple[int, int, int]) -> nn.Module | None:
    from kornia.augmentation import RandomCrop, RandomHorizontalFlip

    changes: list[nn.Module] = []
    if recipe.crop_padding and not recipe.resized_crop:
        padding, size = recipe.crop_padding, image[1:]
        changes.append(RandomCrop(size, padding=padding, cropping_mode="slice"))
    if recipe.flip:
        changes.append(RandomHorizontalFlip(p=0.5))
    return nn.Sequential(*changes) if changes else None


def _jitter(recipe: ImageRecipe, image: tuple[int, int, int]) -> nn.Module | None:
    """Torchvision's colour jitter: factors are drawn an image, the order of its steps a batch."""
    if recipe.colour_jitter is None:
        return None
    if image[0] != 3:
        raise InputError(
            f"recipe {recipe.name} has a colour_jitter, which needs images of 3 channels, "
            f"not {image[0]}; choose a recipe without one"
        )
    from kornia.augmentation import ColorJitter

    # Not ColorJiggle: it adds to the brightness, torchvision multiplies.
    jitter: nn.Module = ColorJitter(*recipe.colour_jitter, p=1.0)
    return jitter


def _cut_out(images: Tensor, side: int, generator: torch.Generator) -> Tensor:
    """Standardised images (B, C, H, W) with a square of their mean colour, which is zero.

    Its centre is any pixel, and the border cuts it: a quarter of a square of 16 is left in a corner
    (DeVries and Taylor 2017, arXiv 1708.04552; `Cutout` of the official code). Kornia's keeps it
    whole within the image, which takes more away.
    """
    inside = []
    for length in images.shape[2:]:
        centres = torch.randint(length, (len(images), 1), generator=generator).to(images.device)
        begins = centres - side // 2
        places = torch.arange(length, device=images.device)
        inside.append((places >= begins) & (places < begins + side))  # (B, H), then (B, W)
    rows, columns = inside
    return images.masked_fill((rows[:, :, None] & columns[:, None, :])[:, None], 0.0)
