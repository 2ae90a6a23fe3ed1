"""A trained network with the methods of the Hugging Face hub.

    network = Pretrained.from_pretrained("folder or owner/name")
    network.predict(images)                     # bytes (B, C, H, W) -> class names
    network.push_to_hub("owner/name")

The files are those of `bundle`: what `naokit export` writes is what the hub gets and gives.

Shapes: B batch, C channels, H and W height and width, K classes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from huggingface_hub import ModelHubMixin, snapshot_download
from torch import Tensor, nn

from naokit.export import check_free, save
from naokit.export.bundle import read
from naokit.export.config import CONFIG, WEIGHTS
from naokit.images.bundle import ImageBundle
from naokit.images.predicting import fit_picture


class Pretrained(nn.Module, ModelHubMixin):
    """A trained image classifier.

    Attributes:
        bundle: The network and what belongs to it.
        network: The network itself.
    """

    def __init__(self, bundle: ImageBundle) -> None:
        super().__init__()
        self.bundle = bundle
        self.network = bundle.network
        self.training = bundle.network.training

    @property
    def class_names(self) -> tuple[str, ...]:
        """One for each output (K)."""
        return self.bundle.class_names

    def forward(self, images: Tensor) -> Tensor:
        """Standardised floats (B, C, H, W) -> logits (B, K)."""
        logits: Tensor = self.network(images)
        return logits

    def standardise(self, images: Tensor) -> Tensor:
        """Bytes (B, C, H, W) as the network was trained on them."""
        return self.bundle.interface.standardise(images)

    def prepare(self, *pictures: str | Path) -> Tensor:
        """Bytes (B, C, H, W) of picture files, as `naokit predict` shows them to the network."""
        shown = self.bundle.interface
        fitted = [
            fit_picture(Path(picture), shown.image, streamed=shown.streamed) for picture in pictures
        ]
        return torch.from_numpy(np.stack([picture.pixels for picture in fitted]))

    @torch.no_grad()
    def probabilities(self, images: Tensor) -> Tensor:
        """Bytes (B, C, H, W) -> probability of each class (B, K)."""
        return self.forward(self.standardise(images)).softmax(dim=1)

    def predict(self, images: Tensor) -> list[str]:
        """Bytes (B, C, H, W) -> name of the likeliest class of each image (B)."""
        best = self.probabilities(images).argmax(dim=1)
        return [self.class_names[int(label)] for label in best]

    def save_pretrained(
        self,
        save_directory: str | Path,
        *,
        config: Any = None,
        repo_id: str | None = None,
        push_to_hub: bool = False,
        model_card_kwargs: dict[str, Any] | None = None,
        **push_to_hub_kwargs: Any,
    ) -> str | None:
        """Writes weights, config and model card; the mixin would delete the config first.

        Args:
            save_directory: The folder to write to.
            config: The mixin's argument, which is not used: the config is the network's.
            repo_id: The name on the hub. If None, the name of the folder.
            push_to_hub: Whether the network is pushed to the hub as well.
            model_card_kwargs: The mixin's argument, which is not used: the card is the network's.
            push_to_hub_kwargs: Arguments of `push_to_hub`.

        Raises:
            InputError: The folder holds another network.
        """
        del config, model_card_kwargs
        folder = Path(save_directory)
        check_free(folder, self.bundle)
        save(self.bundle, folder)
        if not push_to_hub:
            return None
        url: str = self.push_to_hub(repo_id or folder.name, **push_to_hub_kwargs)
        return url

    @classmethod
    def _from_pretrained(
        cls,
        *,
        model_id: str,
        revision: str | None,
        cache_dir: str | Path | None,
        force_download: bool,
        local_files_only: bool,
        token: str | bool | None,
        **model_kwargs: Any,
    ) -> Pretrained:
        """The network of a folder or of the hub; `model_kwargs` may hold `read`'s space."""
        if Path(model_id).is_dir():
            return cls(read(ImageBundle, Path(model_id), **model_kwargs))
        folder = snapshot_download(
            model_id,
            revision=revision,
            cache_dir=cache_dir,
            force_download=force_download,
            local_files_only=local_files_only,
            token=token,
            allow_patterns=[WEIGHTS, CONFIG],
        )
        return cls(read(ImageBundle, Path(folder), **model_kwargs))
