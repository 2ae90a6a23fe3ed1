"""`NAOSampler` of naokit, for OptunaHub."""

from naokit import NAOSampler

__all__ = ["NAOSampler"]
