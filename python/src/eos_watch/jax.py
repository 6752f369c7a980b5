"""The watch for JAX: Hessian-vector products as jvp of grad, compiled once."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from .need import need

need("jax", "eos_watch.jax")

import jax
import jax.numpy as jnp
import numpy as np

from .budget import Clock
from .directions import Directions, Slopes
from .optimizer import Optimizer
from .recorder import Recorder
from .ritz import Vector

__all__ = ["Optimizer", "Watch"]

Tree = Any
Loss = Callable[..., Any]
Schedule = Callable[[int], Any]

# Relative error of a Hessian-vector product, in units of the last place.
ROUNDING = 512


class Watch:
    """Measures the sharpness of a loss function while its parameters are trained.

    What it needs is compiled when it is made, before the training; a measurement that fails is
    warned of, and the loss alone is written from then on.

    Example::

        watch = Watch(params, loss, Optimizer("gd"), "train.ndjson", lr=0.1, data=(X, y))
        for step in range(1000):
            value, grads = jax.value_and_grad(loss)(params, X, y)
            params = jax.tree.map(lambda p, g: p - 0.1 * g, params, grads)
            watch(step, value, params, grads=grads)

    :param params: the parameters, for their shapes
    :param loss: ``loss(params, *data)``, one number, without anything random in it
    :param optimizer: name and parameters of the optimizer, such as ``Optimizer("adam")``
    :param log: name of the log, or ``-`` for standard output
    :param budget: the share of the training time that measuring may take
    :param lr: the learning rate, or a function of the step
    :param data: further arguments of the loss, the same at each measurement
    :param batches: how many mini-batches, the last ones, ``batch_sharpness`` is the mean of
    :param keep: eigenvalues that are tracked
    :param tolerance: relative error bar at which a measurement ends
    :param every: write each so many-th row of those that hold no measurement
    :param framework: said in the first line of the log
    :param clock: what tells the time that is budgeted
    """

    def __init__(
        self,
        params: Tree,
        loss: Loss,
        optimizer: Optimizer,
        log: str | os.PathLike[str] = "train.ndjson",
        budget: float | None = 0.05,
        *,
        lr: float | Schedule,
        data: Sequence[Any] = (),
        batches: int = 4,
        keep: int = 3,
        tolerance: float = 1e-3,
        every: int = 1,
        framework: str = "jax",
        clock: Clock = time.perf_counter,
    ) -> None:
        if not callable(loss):
            raise TypeError("loss: give a function of the parameters, loss(params, *data)")
        self._lr = lr
        self._probe = JaxProbe(
            params,
            loss,
            lambda state: optax_metric(optimizer, state),
            tuple(data),
            batches,
            optimizer.decay_in_operator,
        )
        self._recorder = Recorder(
            self._probe,
            optimizer,
            log,
            budget,
            clock,
            {"framework": framework, "parameters": self._probe.size},
            keep=keep,
            tolerance=tolerance,
            every=every,
        )
        self._first = jax.process_index() == 0
        self._recorder.time_idle(lambda: self(0, 0.0, None))

    def __call__(
        self,
        step: int,
        loss: Any,
        params: Tree,
        opt_state: Any = None,
        *,
        grads: Tree | None = None,
        batch: Sequence[Any] | None = None,
        **more: Any,
    ) -> None:
        """Writes the row of a step.

        :param params: as the step left them
        :param opt_state: of optax, as the step left it; it holds the preconditioner of RMSProp and
            Adam
        :param grads: the gradient that the step went along, of all of ``data``
        :param batch: the arguments of the loss for the mini-batch of the step, in the place of
            ``data``: adds ``batch_sharpness``
        :param more: further values for the row
        """
        if not self._first:
            return
        recorder, probe = self._recorder, self._probe
        if batch is not None:
            probe.saw(batch)
        if recorder.idle:
            recorder.pass_over(lambda: jnp.asarray(loss).block_until_ready())
            return
        # What the loss waits for is the step's.
        value = float(loss)
        recorder.budget.enter()
        probe.at(lambda: params, lambda: opt_state)
        slopes: Slopes | None = None
        if grads is not None and probe.directions.told and recorder.wants_slopes():
            start = recorder.budget.clock()
            slopes = probe.slopes(grads)
            recorder.took_slopes(recorder.budget.clock() - start)
        else:
            probe.leave()
        lr = float(self._lr(step)) if callable(self._lr) else float(self._lr)
        recorder.record(int(step), value, lr, slopes, more)
        probe.let_go()
        recorder.leave()
        if recorder.idle:
            probe.leave()

    @property
    def last(self) -> dict[str, Any]:
        """The row that was written last."""
        return self._recorder.last

    def close(self) -> None:
        """Closes the log. The rows are safe without it."""
        self._recorder.log.close()

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def state_dict(self) -> dict[str, Any]:
        """For the checkpoint: what is tracked, what was spent, and how long the log is."""
        state = self._recorder.state_dict(np.asarray)
        return {**state, "probe": self._probe.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on where the checkpoint was made; rows behind it leave the log."""
        self._recorder.load_state_dict(state, self._probe.adopt)
        self._probe.load_state_dict(state["probe"])


class JaxSample:
    """The loss at the present weights, in the optimizer's metric."""

    def __init__(
        self, probe: JaxProbe, weights: Vector, data: tuple[Any, ...], scale: Vector | None
    ) -> None:
        self._probe = probe
        self._weights = weights
        self._data = data
        self._scale = scale
        self.gradient = self._scaled(probe.here(probe.gradient(weights, *data)))
        self.rounding = float(ROUNDING * np.finfo(self.gradient.dtype).eps)

    def product(self, vector: Vector) -> Vector:
        """H v in the optimizer's metric: P^(−1/2) (H + decay) P^(−1/2) v."""
        probe = self._probe
        scaled = self._scaled(vector)
        image = probe.here(probe.product(self._weights, scaled, *self._data))
        if probe.decay:
            image = image + probe.decay * scaled
        return self._scaled(image)

    def random(self) -> Vector:
        return self._probe.random()

    def _scaled(self, vector: Vector) -> Vector:
        return vector if self._scale is None else vector * self._scale


class JaxProbe:
    """Measures a loss function of a tree of parameters; ``metric`` answers P for a state."""

    def __init__(
        self,
        params: Tree,
        loss: Loss,
        metric: Callable[[Any], Tree | None],
        data: tuple[Any, ...],
        batches: int = 4,
        decay: float = 0.0,
    ) -> None:
        leaves, structure = jax.tree.flatten(params)
        if not leaves:
            raise ValueError("there are no parameters; nothing has a sharpness")
        shapes = [leaf.shape for leaf in leaves]
        ends = np.cumsum([leaf.size for leaf in leaves])
        self.size = int(ends[-1])
        self.decay = decay
        self.directions = Directions()
        self.data = data
        self._metric = metric
        # On the host small operations cost least; elsewhere vectors stay where they are.
        self._host = all(device.platform == "cpu" for device in jnp.asarray(leaves[0]).devices())
        self._random = np.random.default_rng(0)
        self._previous: Vector | None = None
        self._before: Vector | None = None
        self._params: Callable[[], Tree] = lambda: None
        self._opt_state: Callable[[], Any] = lambda: None
        self._recent: deque[tuple[Any, ...]] = deque(maxlen=batches)

        def flat_loss(weights: jax.Array, *arguments: Any) -> jax.Array:
            parts = jnp.split(weights, ends[:-1])
            leaves = [part.reshape(shape) for part, shape in zip(parts, shapes)]
            tree = jax.tree.unflatten(structure, leaves)
            return jnp.asarray(loss(tree, *arguments)).reshape(())

        def product(weights: jax.Array, vector: jax.Array, *arguments: Any) -> jax.Array:
            with jax.default_matmul_precision("highest"):
                along: jax.Array = jax.jvp(
                    lambda w: jax.grad(flat_loss)(w, *arguments), (weights,), (vector,)
                )[1]
            return along

        weights = self._flat(params)
        self._dtype = weights.dtype
        self.loss = jax.jit(flat_loss)
        self.gradient = jax.jit(jax.grad(flat_loss))
        self.product = jax.jit(product)
        # Once, before the training; else the first measurement would wait for it.
        for compiled in (self.loss, self.gradient):
            compiled(weights, *data)
        self.product(weights, weights, *data)

    def at(self, params: Callable[[], Tree], opt_state: Callable[[], Any]) -> None:
        """Where the training stands; asked only when something is measured."""
        self._params, self._opt_state = params, opt_state

    def saw(self, batch: Sequence[Any]) -> None:
        self._recent.append(tuple(batch))

    def let_go(self) -> None:
        """The next step may take the memory of the parameters."""
        self.at(lambda: None, lambda: None)

    @contextmanager
    def sample(self) -> Iterator[JaxSample]:
        yield JaxSample(self, self._weights(), self.data, self._scale())

    def batch_sharpness(self) -> tuple[float, float] | None:
        """Mean of g·Hg/‖g‖² over the last mini-batches, and the standard error of it.

        Andreyev and Beneventano 2024, arXiv:2412.20553; in the optimizer's metric.
        """
        if not self._recent:
            return None
        weights, scale = self._weights(), self._scale()
        values = []
        for batch in self._recent:
            sample = JaxSample(self, weights, batch, scale)
            g = sample.gradient
            values.append(float(g @ sample.product(g)) / float(g @ g))
        error = float(np.std(values, ddof=1) / len(values) ** 0.5) if len(values) > 1 else np.nan
        return float(np.mean(values)), error

    @property
    def has_update(self) -> bool:
        return self._previous is not None

    def want_update(self) -> None:
        self._previous = self._weights()

    def update_curvature(self) -> float | None:
        """Curvature of the loss along the last update, from three losses.

        (L(w + d) − 2 L(w) + L(w − d))/‖d‖²; None where rounding would drown it.
        """
        previous, self._previous = self._previous, None
        weights, scale = self._weights(), self._scale()
        assert previous is not None
        move = weights - previous
        length = move if scale is None else move / scale
        before, now, after = (
            float(self.loss(weights + factor * move, *self.data)) for factor in (-1, 0, 1)
        )
        bend = before - 2 * now + after
        if abs(bend) < 40 * float(np.finfo(weights.dtype).eps) * abs(now):
            return None
        squared = float(length @ length)
        return bend / squared if squared > 0 else None

    def slopes(self, grads: Tree) -> Slopes | None:
        """What the gradient of this step says of the directions.

        It was taken at the weights that the step before left.
        """
        before, self._before = self._before, self._weights()
        if before is None:
            return None
        return self.directions.next(self._flat(grads), before)

    def leave(self) -> None:
        """Says that no gradient is looked at in this step."""
        self._before = None
        self.directions.forget()

    def keep(self, vectors: Sequence[Vector], gradient: Vector) -> None:
        self.directions.keep(vectors, self._scale(), gradient)
        # The next gradient is taken at the weights of now.
        self._before = self._weights()

    def contradiction(self, vector: Vector, value: float) -> str | None:
        """JAX refuses by itself what has no second derivative."""
        return None

    def wait(self) -> None:
        for leaf in jax.tree.leaves(self._params()):
            leaf.block_until_ready()

    def here(self, array: Any) -> Vector:
        return np.asarray(array) if self._host else array

    def random(self) -> Vector:
        vector = self._random.standard_normal(self.size).astype(self._dtype)
        return vector if self._host else jnp.asarray(vector)

    def export(self, vector: Vector) -> Any:
        return np.asarray(vector)

    def adopt(self, vector: Any) -> Vector:
        if vector.size != self.size:
            raise ValueError(f"this state is of {vector.size} parameters, not {self.size}")
        return vector if self._host else jnp.asarray(vector)

    def state_dict(self) -> dict[str, Any]:
        def known(vector: Vector | None) -> Any:
            return None if vector is None else np.asarray(vector)

        return {
            "directions": self.directions.state_dict(np.asarray),
            "previous": known(self._previous),
            "before": known(self._before),
            "random": self._random.bit_generator.state,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        def known(vector: Any) -> Vector | None:
            return None if vector is None else self.adopt(vector)

        self.directions.load_state_dict(state["directions"], self.adopt)
        self._previous, self._before = known(state["previous"]), known(state["before"])
        self._random.bit_generator.state = state["random"]

    def _weights(self) -> Vector:
        return self._flat(self._params())

    def _flat(self, tree: Tree) -> Vector:
        """All leaves as one vector, in single precision at least."""
        leaves = jax.tree.leaves(tree)
        if self._host:
            parts = [np.ravel(np.asarray(leaf)) for leaf in leaves]
            return np.concatenate([p.astype(np.float32) if p.itemsize < 4 else p for p in parts])
        rows = [jnp.ravel(leaf) for leaf in leaves]
        return jnp.concatenate([r.astype(jnp.float32) if r.dtype.itemsize < 4 else r for r in rows])

    def _scale(self) -> Vector | None:
        metric = self._metric(self._opt_state())
        return None if metric is None else self._flat(metric) ** -0.5


def optax_metric(optimizer: Optimizer, state: Any) -> Tree | None:
    """P from the state of optax; None where it is 1.

    Adam (Cohen et al. 2022, arXiv:2207.14484): P = (1 − β₁ᵗ)(√(ν/(1 − β₂ᵗ)) + ε), with the
    state's own t; RMSProp: √(ν + ε).
    """
    if not optimizer.preconditioned:
        return None
    part = _with_second_moment(state)
    if part is None:
        raise RuntimeError(
            f"{optimizer.name} has a preconditioner, and no state of optax with one is there: "
            "call watch(step, loss, params, opt_state)"
        )
    eps = optimizer.eps
    if optimizer.name == "rmsprop":
        mean = getattr(part, "mu", None)
        if mean is None:
            return jax.tree.map(lambda v: (v + eps) ** 0.5, part.nu)
        return jax.tree.map(lambda v, m: (v - m**2 + eps) ** 0.5, part.nu, mean)
    t = max(float(part.count), 1.0)
    first, second = 1 - optimizer.beta**t, 1 - optimizer.beta2**t
    return jax.tree.map(lambda v: ((v / second) ** 0.5 + eps) * first, part.nu)


def _with_second_moment(state: Any) -> Any:
    """The part of optax's state that holds ν, wherever transformations are chained or wrapped."""
    if hasattr(state, "nu"):
        return state
    children = state.values() if isinstance(state, dict) else state
    if isinstance(state, (tuple, list, dict)):
        for child in children:
            found = _with_second_moment(child)
            if found is not None:
                return found
    return None
