"""What a batch of images costs: two labels of mixed images, soft targets, two heads."""

import torch
from torch.nn import functional as F

from naokit.images.loss import ImageLoss, Targets, mixed
from naokit.images.recipes import ImageRecipe


def test_mixed_images_have_two_labels() -> None:
    images = torch.stack([torch.full((1, 2, 2), float(i)) for i in range(6)])
    labels = torch.arange(6)
    mix, targets = mixed(images, labels, 0.5, torch.Generator().manual_seed(1))
    assert 0 < targets.share < 1
    expected = targets.share * labels + (1 - targets.share) * targets.others
    torch.testing.assert_close(mix[:, 0, 0, 0], expected)
    same_images, plain_targets = mixed(images, labels, 0.0, torch.Generator())
    assert same_images is images
    assert plain_targets.share == 1


def test_the_loss_is_torchs_with_soft_targets() -> None:
    logits = torch.randn(8, 3)
    labels, others = torch.arange(8) % 3, torch.arange(8) % 2
    weights = torch.tensor([0.5, 1.0, 2.0])
    recipe = ImageRecipe("test", epochs=1, label_smoothing=0.2, auxiliary_weight=0.4)
    soft = 0.7 * F.one_hot(labels, 3) + 0.3 * F.one_hot(others, 3)
    expected = F.cross_entropy(logits, soft.float(), weights, reduction="sum", label_smoothing=0.2)
    loss = ImageLoss(recipe, weights)
    targets = Targets(labels, others, 0.7)
    torch.testing.assert_close(loss(logits, targets), expected)
    torch.testing.assert_close(loss((logits, logits), targets), 1.4 * expected)
