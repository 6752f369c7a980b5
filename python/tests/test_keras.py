"""The callback in Keras 3, each backend in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from rows import measured, read


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop"])
@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_fit_is_the_same_to_the_bit_and_measured(
    tmp_path: Path, backend: str, optimizer: str
) -> None:
    log = tmp_path / "log.ndjson"
    tests = Path(__file__).parent
    done = subprocess.run(
        [sys.executable, tests / "keras_run.py", log, optimizer],
        env={**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(tests.parent / "src")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["same"]
    header, rows = read(log)
    assert header["framework"] == f"keras-{backend}"
    assert header["optimizer"] == {"sgd": "gd"}.get(optimizer, optimizer)
    assert [row["step"] for row in rows] == list(range(60))
    # Keras tells means over the epoch; a row holds the loss of its own batch.
    pairs = np.reshape([row["loss"] for row in rows], (30, 2))
    assert np.allclose(pairs.mean(1), answer["epochs"], rtol=1e-4)
    last = measured(rows)[-1]
    assert last["step"] == 59
    assert last["sharpness"] == pytest.approx(answer["dense"], rel=2e-3)
