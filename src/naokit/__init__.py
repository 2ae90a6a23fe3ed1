"""naokit: Neural Architecture Optimization, from a search space to a verified network."""

__version__ = "0.1.0"
