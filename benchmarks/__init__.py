"""Measurements: `python -m benchmarks.NAME` runs one, results go to benchmarks/results/NAME.json."""
