"""Which processor this is: libraries choose their kernels by it."""

import platform
import re
from pathlib import Path

from torch.backends.cpu import get_cpu_capability

INFO = Path("/proc/cpuinfo")


def processor() -> str:
    """Its maker, family and model where the system tells, and its vector instructions."""
    told = INFO.read_text() if INFO.exists() else ""
    found = re.findall(r"^(?:vendor_id|cpu family|model)\s*: (.*)$", told, re.MULTILINE)[:3]
    found = found or [platform.processor() or platform.machine()]
    return " ".join([*found, get_cpu_capability()])
