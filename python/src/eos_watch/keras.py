"""The watch as a callback of Keras 3, on its PyTorch and JAX backends."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from .need import need

need("keras", "eos_watch.keras")

import keras

from .budget import Clock
from .optimizer import Optimizer
from .recorder import Recorder

DROPOUTS = (
    keras.layers.Dropout,
    keras.layers.SpatialDropout1D,
    keras.layers.SpatialDropout2D,
    keras.layers.SpatialDropout3D,
    keras.layers.GaussianDropout,
    keras.layers.AlphaDropout,
)


class EosWatch(keras.callbacks.Callback):  # type: ignore[misc]
    """Measures the sharpness while ``fit`` runs, and writes a line a training step.

    Example::

        model.fit(x, y, callbacks=[EosWatch("train.ndjson", data=(x, y))])

    :param log: name of the log
    :param budget: the share of the training time that measuring may take
    :param data: inputs and targets that the sharpness is measured on
    :param full_batch: says that each step sees all of ``data``, so that its gradient tells of the
        whole (PyTorch)
    :param keep: eigenvalues that are tracked
    :param tolerance: relative error bar at which a measurement ends
    :param every: write each so many-th row of those that hold no measurement
    :param clock: what tells the time that is budgeted
    """

    def __init__(
        self,
        log: str | os.PathLike[str] = "train.ndjson",
        budget: float | None = 0.05,
        *,
        data: tuple[Any, Any],
        full_batch: bool = False,
        keep: int = 3,
        tolerance: float = 1e-3,
        every: int = 1,
        clock: Clock = time.perf_counter,
    ) -> None:
        super().__init__()
        if keras.backend.backend() not in ("torch", "jax"):
            raise ValueError(
                f"Keras runs on {keras.backend.backend()}; the watch knows torch and jax, "
                "set KERAS_BACKEND"
            )
        self._log = log
        self._budget = budget
        self._data = data
        self._full_batch = full_batch
        self._keep = keep
        self._tolerance = tolerance
        self._every = every
        self._clock = clock
        self._step = 0
        self._sum = 0.0
        self._side: Any = None
        self._recorder: Recorder | None = None
        self._saved: dict[str, Any] | None = None

    def on_train_begin(self, logs: Any = None) -> None:
        if self._recorder:
            return
        described = describe(self.model.optimizer)
        self._side = _side(self.model, self._data, described, self._full_batch)
        self._recorder = Recorder(
            self._side.probe,
            described,
            self._log,
            self._budget,
            self._clock,
            {
                "framework": f"keras-{keras.backend.backend()}",
                "parameters": self._side.probe.size,
            },
            keep=self._keep,
            tolerance=self._tolerance,
            every=self._every,
        )
        self._step = int(self.model.optimizer.iterations)
        if self._saved:
            self._recorder.load_state_dict(self._saved, self._side.probe.adopt)
            self._side.probe.load_state_dict(self._saved["probe"])
            self._saved = None

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._sum = 0.0

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        recorder = self._recorder
        if recorder is None:
            return
        # Keras tells the mean over the epoch so far; what the loss waits for is the step's.
        total = float((logs or {})["loss"]) * (batch + 1)
        loss, self._sum = total - self._sum, total
        step, self._step = self._step, self._step + 1
        if recorder.idle:
            recorder.pass_over()
            return
        recorder.budget.enter()
        slopes = None
        if self._full_batch and recorder.wants_slopes():
            start = recorder.budget.clock()
            slopes = self._side.slopes()
            recorder.took_slopes(recorder.budget.clock() - start)
        else:
            self._side.leave()
        recorder.record(step, loss, float(self.model.optimizer.learning_rate), slopes)
        recorder.leave()
        if recorder.idle:
            self._side.leave()

    def on_train_end(self, logs: Any = None) -> None:
        if self._recorder:
            self._recorder.log.close()

    def state_dict(self) -> dict[str, Any]:
        """For a checkpoint of your own beside Keras's: what is tracked, and what was spent."""
        if not self._recorder:
            return {}
        state = self._recorder.state_dict(self._side.probe.export)
        return {**state, "probe": self._side.probe.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on where the checkpoint was made, from the next ``fit`` on."""
        self._saved = state or None
        self._recorder = None


def _side(*arguments: Any) -> Any:
    """What differs between the backends; each is imported only where it runs."""
    if keras.backend.backend() == "torch":
        from .keras_torch import TorchSide

        return TorchSide(*arguments)
    from .keras_jax import JaxSide

    return JaxSide(*arguments)


def describe(optimizer: Any) -> Optimizer:
    """Name and parameters; Keras decouples the weight decay of each optimizer."""
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    decay = float(optimizer.weight_decay or 0.0)
    if isinstance(optimizer, keras.optimizers.SGD):
        beta = float(optimizer.momentum)
        name = "nesterov" if optimizer.nesterov and beta else "momentum" if beta else "gd"
        return Optimizer(name, beta=beta, weight_decay=decay, decoupled=True)
    if isinstance(optimizer, keras.optimizers.RMSprop):
        return Optimizer(
            "rmsprop",
            beta=float(optimizer.momentum),
            beta2=float(optimizer.rho),
            eps=float(optimizer.epsilon),
            weight_decay=decay,
            decoupled=True,
        )
    if isinstance(optimizer, keras.optimizers.Adam):
        return Optimizer(
            "adamw" if decay else "adam",
            beta=float(optimizer.beta_1),
            beta2=float(optimizer.beta_2),
            eps=float(optimizer.epsilon),
            weight_decay=decay,
            decoupled=True,
        )
    return Optimizer(type(optimizer).__name__.lower(), weight_decay=decay, decoupled=True)


def metric(described: Optimizer, optimizer: Any) -> list[Any] | None:
    """P for each trained variable; None where it is 1, or nothing was seen yet.

    Adam: (1 − β₁ᵗ)(√ν + ε)/√(1 − β₂ᵗ); RMSProp: √(ν + ε), centered √(ν − mean² + ε): as Keras
    itself divides by them.
    """
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    t = int(optimizer.iterations)
    if not described.preconditioned or t == 0:
        return None
    eps = described.eps
    second = [variable.value for variable in _of(optimizer, "velocity")]
    if described.name == "rmsprop":
        if optimizer.centered:
            means = [variable.value for variable in _of(optimizer, "average_gradient")]
            second = [v - m**2 for v, m in zip(second, means)]
        return [(v + eps) ** 0.5 for v in second]
    if optimizer.amsgrad:
        second = [variable.value for variable in _of(optimizer, "velocity_hat")]
    factor = (1 - described.beta**t) / (1 - described.beta2**t) ** 0.5
    return [(v**0.5 + eps) * factor for v in second]


def _of(optimizer: Any, kind: str) -> Sequence[Any]:
    return [v for v in optimizer.variables if v.name.endswith(f"_{kind}")]


@contextmanager
def no_dropout(model: Any) -> Iterator[None]:
    layers = [layer for layer in model._flatten_layers() if isinstance(layer, DROPOUTS)]
    rates = [layer.rate for layer in layers]
    try:
        for layer in layers:
            layer.rate = 0.0
        yield
    finally:
        for layer, rate in zip(layers, rates):
            layer.rate = rate
