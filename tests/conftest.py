"""What every test runs under: checked shapes, one thread, no network."""

import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_DATASETS_OFFLINE", "1")
os.environ["OMP_NUM_THREADS"] = "1"  # two workers share two cores, and so do their children

from jaxtyping import install_import_hook

install_import_hook(["naokit.method", "naokit.networks"], "beartype.beartype")
