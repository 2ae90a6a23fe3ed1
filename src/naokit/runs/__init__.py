"""Runs: from a plan to a trained, exported, verified network in a folder."""
