"""Measurements: `python -m benchmarks.NAME` runs one and writes benchmarks/results/NAME.json."""
