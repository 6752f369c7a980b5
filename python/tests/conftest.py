"""Leaves out the tests of frameworks that are not there, and says so on top."""

from __future__ import annotations

import os
from importlib.util import find_spec

# Small networks: more threads than one only wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

NEEDS = {
    "test_jax.py": ("jax", "optax"),
    "test_torch.py": ("torch", "curvlinops"),
    "test_torch_training.py": ("torch",),
    "test_huggingface.py": ("torch", "transformers", "accelerate"),
    "test_lightning.py": ("torch", "lightning"),
    "test_keras.py": ("keras", "torch", "jax"),
}

# Packages that are to be taken for absent, such as those whose installation was not finished.
WITHOUT = os.environ.get("EOS_WITHOUT", "").split(",")

LEFT_OUT = {
    file: missing
    for file, names in NEEDS.items()
    if (missing := [name for name in names if name in WITHOUT or find_spec(name) is None])
}

collect_ignore = list(LEFT_OUT)


def pytest_report_header() -> list[str]:
    return [f"left out {file}: without {', '.join(m)}" for file, m in LEFT_OUT.items()]
