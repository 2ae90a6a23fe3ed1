"""`python -m naokit`."""

import sys
from pathlib import Path

import naokit

# `python -m` looks for every module in the current folder first: a stranger's may hold a torch.py.
if not sys.flags.safe_path and sys.path[0] != str(Path(naokit.__file__).parents[1]):
    del sys.path[0]

from naokit.cli import main

main()
