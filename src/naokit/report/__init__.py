"""What a run found: `contents.py` as values, `results.py` of a training, `words.py` for people."""
