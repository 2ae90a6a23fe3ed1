"""Where evaluations run.

Here     in the process that asks        here.py
Local    in processes of this machine    local.py, process.py, pipe.py, devices.py

slots.py          so many at once, each made again where it has died
conversation.py   what a submitter and a worker say to each other
memory.py         what a worker may hold
"""

from naokit.doors import WORKER_DIED
from naokit.workers.here import Here
from naokit.workers.local import Local

__all__ = ["WORKER_DIED", "Here", "Local"]
