"""Published recurrent cells, each with the table of activations by which its own script decodes it.

The cell of ENAS is absent: it averages its loose ends, not all its nodes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from naokit.spaces.published.genotype import NAO_PAPER, NAO_TF, Genotype
from naokit.spaces.recurrent import RecurrentCells
from naokit.spaces.reference import REFERENCE


@dataclass(frozen=True)
class TextSize:
    """A size that a language model of the cell was published in, or is counted in here.

    Attributes:
        data: The data that the model was trained on.
        hidden: The size of embedding, state and output (H).
        parameters: The number of parameters of naokit's model; a test counts them again.
        result: The published test perplexity; empty if none is confirmed.
        source: The source of the result.
    """

    data: str
    hidden: int
    parameters: int
    result: str = ""
    source: str = ""

    @property
    def vocabulary(self) -> int:
        """How many different words the data has."""
        return {"PTB": 10_000, "WikiText-2": 33_278}[self.data]


_GENOTYPES = (
    Genotype(
        "nao-rnn",
        RecurrentCells.of_table("nao"),
        "0 1 0 1 1 1 3 0 4 1 4 1 5 1 1 1 7 1 1 1 1 2",
        f"{NAO_TF}, NAO/rnn/train_ptb_final.sh (found from scratch)",
        (
            TextSize(
                "PTB",
                850,
                27_295_000,
                "56.0 (56.02 in README; 55.9 in arXiv v1)",
                f"NeurIPS 2018 abstract; {NAO_TF}, README; abstract of {NAO_PAPER} v1",
            ),
            TextSize("WikiText-2", 700, 36_067_878, "67.10", f"{NAO_TF}, README"),
        ),
        "2 is the identity here: the script is decoded by NAO/rnn/utils.py",
    ),
    Genotype(
        "nao-rnn-ws",
        RecurrentCells.of_table("nao-ws"),
        "0 1 1 1 2 2 1 2 4 1 4 1 4 1 7 1 8 2 1 0 4 1",
        f"{NAO_TF}, NAO-WS/rnn/train_final.sh (found with weight sharing)",
        (
            TextSize(
                "PTB",
                850,
                27_295_000,
                "56.6 (56.80 and 56.66 in README)",
                f"NeurIPS 2018 abstract; {NAO_TF}, README",
            ),
        ),
        "2 is the sigmoid here: the script is decoded by NAO-WS/rnn/model.py",
    ),
    Genotype(
        "darts-rnn",
        RecurrentCells.of_table("nao-ws", nodes=8),
        "0 2 1 1 1 1 1 3 2 0 5 2 3 0 5 1",
        "Liu et al. 2019, arXiv 1806.09055, second order; github.com/quark0/darts, "
        "rnn/genotypes.py, DARTS_V2",
        (
            TextSize(
                "PTB",
                850,
                22_960_000,
                "55.7 (55.68 in README; 56.1 in tables of 2018)",
                f"ICLR 2019 paper; README of github.com/quark0/darts; table of {NAO_PAPER}",
            ),
        ),
    ),
    Genotype(
        "lstm",
        REFERENCE,
        "cell=lstm",
        "for comparison: an LSTM with a projection, as in Melis et al. 2018, arXiv 1707.05589",
        (TextSize("PTB", 850, 27_290_746),),
        "as many parameters as a cell of 11 nodes with the same embedding; wider, so that H is "
        "the size of embedding and output alone",
    ),
)

LANGUAGE_MODELS: Mapping[str, Genotype[TextSize]] = {g.name: g for g in _GENOTYPES}
