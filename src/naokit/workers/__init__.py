"""Where evaluations run: `Here`, in the process that asks."""

from naokit.workers.here import Here

__all__ = ["Here"]
