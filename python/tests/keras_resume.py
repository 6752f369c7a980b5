"""Trains a small Keras model through, or stops it, or goes on from where it was stopped.

Run as `python keras_resume.py LOG FOLDER whole|first|second`; the backend is that of KERAS_BACKEND.
"""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import keras
import numpy as np
from eos_watch.keras import EosWatch

LOG, FOLDER, PART = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
EPOCHS, SAVED, STOPPED = 20, 10, 13

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)
x = rng.normal(size=(32, 4)).astype("float32")
y = np.sin(x).sum(1, keepdims=True)
watch = EosWatch(LOG, None, data=(x, y))


def fit(model: keras.Model, begin: int, end: int) -> None:
    model.fit(
        x, y, batch_size=16, initial_epoch=begin, epochs=end, verbose=0, shuffle=False,
        callbacks=[watch],
    )


if PART == "second":
    model = keras.models.load_model(FOLDER / "model.keras")
    watch.load_state_dict(pickle.loads((FOLDER / "watch.pickle").read_bytes()))
    fit(model, SAVED, EPOCHS)
else:
    layers = [keras.Input((4,)), keras.layers.Dense(8, "tanh"), keras.layers.BatchNormalization()]
    # No dropout: Keras does not save where its random numbers stand.
    model = keras.Sequential([*layers, keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.01), "mse")
    if PART == "whole":
        fit(model, 0, EPOCHS)
    else:
        fit(model, 0, SAVED)
        model.save(FOLDER / "model.keras")
        (FOLDER / "watch.pickle").write_bytes(pickle.dumps(watch.state_dict()))
        # Rows beyond the checkpoint, which the resumed run writes again.
        fit(model, SAVED, STOPPED)
