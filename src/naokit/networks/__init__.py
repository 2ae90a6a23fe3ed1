"""What tokens become: plain torch modules that know neither tokens nor spaces."""

from naokit.networks.cell import Branch, Cell, CellPlan
from naokit.networks.counting import (
    count_macs,
    count_parameters,
    latencies_ms,
    step_latencies_ms,
    step_macs,
    timings_ms,
    without_weights,
)
from naokit.networks.image import ImageNetwork
from naokit.networks.language import LanguageModel, Spoken
from naokit.networks.lstm import LstmCell, lstm_width
from naokit.networks.operations import OPERATIONS, FactorizedReduce, OperationBuilder
from naokit.networks.recurrent import ACTIVATIONS, RecurrentCell, RecurrentPlan
from naokit.networks.stem import stem_for

__all__ = [
    "ACTIVATIONS",
    "OPERATIONS",
    "Branch",
    "Cell",
    "CellPlan",
    "FactorizedReduce",
    "ImageNetwork",
    "LanguageModel",
    "LstmCell",
    "OperationBuilder",
    "RecurrentCell",
    "RecurrentPlan",
    "Spoken",
    "count_macs",
    "count_parameters",
    "latencies_ms",
    "lstm_width",
    "stem_for",
    "step_latencies_ms",
    "step_macs",
    "timings_ms",
    "without_weights",
]
