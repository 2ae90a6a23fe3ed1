"""What tokens become: plain torch modules that know neither tokens nor spaces."""

from naokit.networks.cell import Branch, Cell, CellPlan
from naokit.networks.counting import count_macs, count_parameters, latencies_ms, timings_ms
from naokit.networks.image import ImageNetwork
from naokit.networks.operations import OPERATIONS, FactorizedReduce, OperationBuilder
from naokit.networks.stem import stem_for

__all__ = [
    "OPERATIONS",
    "Branch",
    "Cell",
    "CellPlan",
    "FactorizedReduce",
    "ImageNetwork",
    "OperationBuilder",
    "count_macs",
    "count_parameters",
    "latencies_ms",
    "stem_for",
    "timings_ms",
]
