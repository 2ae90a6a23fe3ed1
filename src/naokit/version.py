"""The version of naokit, known without its package metadata."""

__version__ = "0.1.0"
