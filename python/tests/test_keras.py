"""The callback in Keras 3, each backend in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rows import measured, read


def run(backend: str, script: str, *arguments: object) -> str:
    """What one of the scripts prints, with Keras on that backend."""
    tests = Path(__file__).parent
    done = subprocess.run(
        [sys.executable, tests / script, *map(str, arguments)],
        env={**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(tests.parent / "src")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module", params=["torch", "jax"])
def fits(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path, dict[str, Any]]:
    """A backend, the folder of its logs, and what each optimizer came to."""
    folder = tmp_path_factory.mktemp("fits")
    out = run(request.param, "keras_run.py", folder)
    return request.param, folder, json.loads(out.splitlines()[-1])


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop"])
def test_fit_is_the_same_to_the_bit_and_measured(
    fits: tuple[str, Path, dict[str, Any]], optimizer: str
) -> None:
    backend, folder, answers = fits
    answer = answers[optimizer]
    assert answer["same"]
    header, rows = read(folder / f"{optimizer}.ndjson")
    assert header["framework"] == f"keras-{backend}"
    assert header["optimizer"] == {"sgd": "gd"}.get(optimizer, optimizer)
    assert [row["step"] for row in rows] == list(range(60))
    # Keras tells means over the epoch; a row holds the loss of its own batch.
    pairs = np.reshape([row["loss"] for row in rows], (30, 2))
    assert np.allclose(pairs.mean(1), answer["epochs"], rtol=1e-4)
    last = measured(rows)[-1]
    assert last["step"] == 59
    assert last["sharpness"] == pytest.approx(answer["dense"], rel=2e-3)


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_a_resumed_fit_writes_the_log_of_one_that_was_not_stopped(
    tmp_path: Path, backend: str
) -> None:
    whole, cut = tmp_path / "whole.ndjson", tmp_path / "cut.ndjson"
    run(backend, "keras_resume.py", tmp_path, "begin")
    assert len(read(cut)[1]) == 26
    run(backend, "keras_resume.py", tmp_path, "resume")
    header, rows = read(whole)
    assert read(cut)[0] == header and [row["step"] for row in rows] == list(range(40))
    for once, again in zip(rows, read(cut)[1], strict=True):
        assert again.keys() == once.keys() and again["step"] == once["step"]
        for name in ("loss", "sharpness", "sharpness_2"):
            assert again[name] == pytest.approx(once[name], rel=1e-5)
        # What was tracked was kept: a start from nothing takes twice as many products.
        assert again["products"] == once["products"]
