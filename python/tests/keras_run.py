"""Trains a small Keras model by each optimizer, with and without the watch, and prints what tests
look at: to load Keras takes longer than all of it.

Run as `python keras_run.py FOLDER`; the backend is that of KERAS_BACKEND.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
from eos_watch.keras import EosWatch

FOLDER = Path(sys.argv[1])
OPTIMIZERS: dict[str, Any] = {
    "sgd": lambda: keras.optimizers.SGD(0.05),
    "adam": lambda: keras.optimizers.Adam(0.01),
    "rmsprop": lambda: keras.optimizers.RMSprop(0.01),
}


def fit(name: str, log: Path | None) -> tuple[list[Any], Any, Any]:
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(32, 4)).astype("float32")
    y = np.sin(x).sum(1, keepdims=True)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8, activation="tanh"),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(1),
        ]
    )
    model.compile(OPTIMIZERS[name](), "mse")
    watch = EosWatch(log, None, data=(x, y), tolerance=1e-4) if log else None
    history = model.fit(
        x, y, batch_size=16, epochs=30, verbose=0, callbacks=[watch] if watch else []
    )
    return [keras.ops.convert_to_numpy(v.value) for v in model.variables], history, model


def dense(name: str, model: Any) -> float:
    """The largest eigenvalue of the preconditioned Hessian, from differences of Keras's own
    gradients, at the weights that the training ended with."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(32, 4)).astype("float32")
    y = np.sin(x).sum(1, keepdims=True)
    w = [keras.ops.convert_to_numpy(v.value).astype(float) for v in model.trainable_variables]
    flat = np.concatenate([p.ravel() for p in w])
    cuts = np.cumsum([p.size for p in w])[:-1]

    def loss(vector: Any) -> float:
        """The same network in double precision, by hand: BatchNorm by the batch, no dropout."""
        a, b, gamma, beta, c, d = (
            part.reshape(p.shape) for part, p in zip(np.split(vector, cuts), w)
        )
        h = np.tanh(x.astype(float) @ a + b)
        h = (h - h.mean(0)) / np.sqrt(h.var(0) + 1e-3) * gamma + beta
        return float(((h @ c + d - y) ** 2).mean())

    n, step = len(flat), 1e-3
    eye = np.eye(n) * step
    hessian = np.empty((n, n))
    for i in range(n):
        for j in range(i + 1):
            value = (
                loss(flat + eye[i] + eye[j])
                - loss(flat + eye[i] - eye[j])
                - loss(flat - eye[i] + eye[j])
                + loss(flat - eye[i] - eye[j])
            ) / (4 * step * step)
            hessian[i, j] = hessian[j, i] = value
    optimizer = model.optimizer
    t = int(optimizer.iterations)
    second = [v for v in optimizer.variables if v.name.endswith("_velocity")]
    nu = np.concatenate([keras.ops.convert_to_numpy(v.value).ravel() for v in second] or [[]])
    if name == "adam":
        metric = (1 - 0.9**t) * (np.sqrt(nu) + 1e-7) / np.sqrt(1 - 0.999**t)
    elif name == "rmsprop":
        metric = np.sqrt(nu + 1e-7)
    else:
        metric = np.ones(n)
    return float(np.linalg.eigvalsh(hessian / np.sqrt(np.outer(metric, metric)))[-1])


def answer(name: str) -> dict[str, Any]:
    plain, _, _ = fit(name, None)
    watched, history, model = fit(name, FOLDER / f"{name}.ndjson")
    return {
        "same": all(map(np.array_equal, plain, watched)),
        "epochs": [float(value) for value in history.history["loss"]],
        "dense": dense(name, model),
    }


print(json.dumps({name: answer(name) for name in OPTIMIZERS}))
