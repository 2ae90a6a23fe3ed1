"""Measurements; `python -m benchmarks.NAME` runs one again and writes benchmarks/results/NAME.json."""
