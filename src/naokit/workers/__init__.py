"""Where evaluations run: `Here`, in the process that asks; `Local`, in others of this machine."""

from naokit.workers.here import Here
from naokit.workers.local import Local

__all__ = ["Here", "Local"]
