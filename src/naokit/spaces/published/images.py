"""Published convolutional cells.

The networks are built by the rules of the official PyTorch code wherever the genotype came from;
where its own code differed, `note` says so. DARTS is absent: it concatenates nodes that others
read, and has dilated convolutions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from naokit.spaces.cells import ConvCells
from naokit.spaces.published.genotype import NAO_PAPER, NAO_PT, NAO_TF, Genotype


@dataclass(frozen=True)
class Size:
    """A size that a network of the cell was published in, or is counted in here.

    Attributes:
        data: The data that the network was trained on.
        channels: The number of channels of the first cells, the paper's F.
        cells: The number of normal cells between reductions, the paper's N.
        parameters: The number of parameters of naokit's network, without the auxiliary head; a test
            counts them again.
        macs: The multiply-accumulates of naokit's network for one image; a test counts them again.
        result: The published test error in percent and its conditions; empty if none is confirmed.
        source: The source of the result.
    """

    data: str
    channels: int
    cells: int
    parameters: int
    macs: int
    result: str = ""
    source: str = ""

    @property
    def classes(self) -> int:
        """How many classes the data has."""
        return {"CIFAR-10": 10, "CIFAR-100": 100, "ImageNet": 1000}[self.data]

    @property
    def image(self) -> tuple[int, int, int]:
        """Shape of an image (C, H, W)."""
        return (3, 224, 224) if self.data == "ImageNet" else (3, 32, 32)


_GENOTYPES = (
    Genotype(
        "naonet-a",
        ConvCells.large(),
        "0 7 1 15 2 8 1 7 0 6 1 7 0 8 4 7 1 5 0 7 0 7 1 13 0 6 0 14 0 9 1 10 0 14 2 6 1 11 0 7",
        f"{NAO_PT}, NAO_V1/train_NAONet_A_*.sh; {NAO_TF}, NAO/cnn/dag.NAONet.json",
        (
            Size("CIFAR-10", 36, 6, 11_470_150, 1_673_814_240, "2.48, cutout", f"{NAO_PT}, README"),
            Size("CIFAR-10", 64, 6, 36_186_058, 5_285_944_832),
            Size(
                "CIFAR-10",
                128,
                6,
                144_576_394,
                21_133_147_136,
                "2.11, cutout (2.07 in arXiv v1; 1.93 in README and latest abstract)",
                f"NeurIPS 2018 abstract; abstracts of {NAO_PAPER}; {NAO_PT}, README",
            ),
            Size(
                "CIFAR-100",
                128,
                6,
                144_714_724,
                21_133_285_376,
                "14.80, cutout",
                f"{NAO_TF}, README",
            ),
            Size(
                "ImageNet",
                42,
                4,
                11_353_831,
                1_243_996_992,
                "25.7 top-1, 8.2 top-5",
                f"{NAO_PT}, README",
            ),
        ),
        "the TensorFlow original calibrates both inputs always, pads pools otherwise and has "
        "11,523,214 parameters at F=36 on CIFAR-10",
    ),
    Genotype(
        "naonet-b",
        ConvCells.small(),
        "0 1 0 2 0 1 2 2 1 3 0 2 4 0 1 3 2 1 0 3 1 1 1 0 2 1 2 4 1 0 2 3 3 1 2 2 0 2 0 2",
        f"{NAO_PT}, NAO_V1/train_NAONet_B_36_cifar10.sh (found with weight sharing)",
        (Size("CIFAR-10", 36, 6, 2_921_302, 462_002_400, "2.93, cutout", f"{NAO_PT}, README"),),
    ),
    Genotype(
        "naonet-ws",
        ConvCells.small(),
        "0 1 0 4 2 2 1 3 1 0 2 0 2 3 1 3 1 2 0 4 1 1 0 3 2 3 2 3 1 0 0 1 0 4 2 4 2 3 2 3",
        f"{NAO_TF}, NAO-WS/cnn/train_final.sh",
        (
            Size(
                "CIFAR-10",
                36,
                5,
                2_301_310,
                364_443_264,
                "3.53 (3.50 in README); 2.93 with cutout in the latest abstract",
                f"NeurIPS 2018 abstract; latest abstract of {NAO_PAPER}; {NAO_TF}, README",
            ),
        ),
        "the TensorFlow original (2.5 M parameters) has one more 1x1 layer a cell on input 1",
    ),
    Genotype(
        "naonet-v2",
        ConvCells.small(),
        "1 1 0 1 2 4 0 0 0 0 2 1 0 0 0 2 0 3 0 0 0 2 0 2 2 2 1 0 0 0 0 1 0 0 0 3 0 0 0 1",
        f"{NAO_PT}, NAO_V2 (of the follow-up, arXiv 1909.10815)",
        (
            Size("CIFAR-10", 36, 6, 4_387_654, 684_238_464, "2.57", f"{NAO_PT}, NAO_V2/README"),
            Size(
                "ImageNet",
                52,
                4,
                7_026_850,
                782_069_184,
                "25.5 top-1, 8.2 top-5",
                f"{NAO_PT}, NAO_V2/README",
            ),
        ),
        "published without a table of operations: read with that of the small space; F is that of "
        "its scripts, N on CIFAR-10 that of NAONet-A and -B",
    ),
    Genotype(
        "nasnet-a",
        ConvCells.nasnet(),
        "1 1 0 0 0 1 0 0 1 2 0 4 0 2 0 2 1 0 1 4 1 1 0 5 1 3 0 5 1 2 0 1 3 4 2 2 2 0 1 3",
        "Zoph et al. 2018, arXiv 1707.07012, figure 4; as in github.com/quark0/darts genotypes.py",
        (
            Size(
                "CIFAR-10",
                32,
                6,
                3_061_738,
                483_842_304,
                "2.4 at its largest size",
                "abstract of arXiv 1707.07012",
            ),
        ),
        "the cells alone: backbone, calibration and identities are ours",
    ),
    Genotype(
        "amoebanet-a",
        ConvCells.nasnet(),
        "0 2 1 3 0 0 2 1 0 0 3 2 1 0 1 4 0 4 1 2 0 2 1 0 0 3 2 5 0 5 1 2 0 3 1 3 0 6 5 0",
        "Real et al. 2019, arXiv 1802.01548; as in github.com/quark0/darts genotypes.py",
        (Size("CIFAR-10", 36, 6, 3_145_510, 488_931_552),),
        "the cells alone; its 1x7-7x1 convolution has a normalisation in the middle here",
    ),
    Genotype(
        "enas",
        ConvCells.small(),
        "0 2 0 0 0 4 0 1 0 4 1 1 1 0 0 1 0 2 1 1 1 0 1 0 0 3 0 2 1 1 3 1 1 0 0 4 0 3 1 1",
        "Pham et al. 2018, arXiv 1802.03268; github.com/melodyguan/enas, cifar10_micro_final.sh",
        (
            Size(
                "CIFAR-10",
                36,
                5,
                3_729_430,
                590_384_160,
                "2.89, cutout",
                "abstract of arXiv 1802.03268",
            ),
        ),
        "the cells alone: the original projects every cell's output back to F channels",
    ),
)

IMAGE_NETWORKS: Mapping[str, Genotype[Size]] = {g.name: g for g in _GENOTYPES}
