"""Where evaluations run.

Here     in the process that asks        here.py
Local    in processes of this machine    local.py, process.py, pipe.py, devices.py
Ray      on the machines of a cluster    ray.py

slots.py          so many at once, each made again where it has died
conversation.py   what a submitter and a worker say to each other
memory.py         what a worker may hold
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from naokit.doors import WORKER_DIED
from naokit.workers.here import Here
from naokit.workers.local import Local

if TYPE_CHECKING:
    from naokit.workers.ray import Ray

__all__ = ["WORKER_DIED", "Here", "Local", "Ray"]


def __getattr__(name: str) -> Any:
    if name == "Ray":
        from naokit.workers.ray import Ray

        return Ray
    raise AttributeError(f"module 'naokit.workers' has no attribute {name!r}")
