"""Trains a small Keras model through, then one that is stopped; or goes on with the latter.

Run as `python keras_resume.py FOLDER begin|resume`; the backend is that of KERAS_BACKEND.
"""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import keras
import numpy as np
from eos_watch.keras import EosWatch

FOLDER, PART = Path(sys.argv[1]), sys.argv[2]
EPOCHS, SAVED, STOPPED = 20, 10, 13

rng = np.random.default_rng(0)
x = rng.normal(size=(32, 4)).astype("float32")
y = np.sin(x).sum(1, keepdims=True)


def watcher(name: str) -> EosWatch:
    return EosWatch(FOLDER / name, None, data=(x, y))


def fresh() -> keras.Model:
    keras.utils.set_random_seed(0)
    layers = [keras.Input((4,)), keras.layers.Dense(8, "tanh"), keras.layers.BatchNormalization()]
    # No dropout: Keras does not save where its random numbers stand.
    model = keras.Sequential([*layers, keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.01), "mse")
    return model


def fit(model: keras.Model, watch: EosWatch, begin: int, end: int) -> None:
    model.fit(
        x, y, batch_size=16, initial_epoch=begin, epochs=end, verbose=0, shuffle=False,
        callbacks=[watch],
    )


if PART == "begin":
    fit(fresh(), watcher("whole.ndjson"), 0, EPOCHS)
    model, watch = fresh(), watcher("cut.ndjson")
    fit(model, watch, 0, SAVED)
    model.save(FOLDER / "model.keras")
    (FOLDER / "watch.pickle").write_bytes(pickle.dumps(watch.state_dict()))
    # Rows beyond the checkpoint, which the resumed run writes again.
    fit(model, watch, SAVED, STOPPED)
else:
    model, watch = keras.models.load_model(FOLDER / "model.keras"), watcher("cut.ndjson")
    watch.load_state_dict(pickle.loads((FOLDER / "watch.pickle").read_bytes()))
    fit(model, watch, SAVED, EPOCHS)
