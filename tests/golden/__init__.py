"""What must not change when the code moves: proposals, weights and outputs, recorded once.

`python -m tests.golden.record` writes the files beside this one. Run it only for a change that is
meant to alter them, and say so in CHANGELOG.md.
"""
