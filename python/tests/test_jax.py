"""The watch for JAX: values, budget, bits, checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from eos_watch.jax import Optimizer, Watch
from jax.flatten_util import ravel_pytree
from rows import measured, read

X = jnp.cos(jnp.pi * (jnp.arange(20) + 0.5) / 20)[:, None]
Y = jnp.cos(6 * jnp.arccos(X))
WIDTH = 12


def start() -> dict[str, Any]:
    keys = jax.random.split(jax.random.key(0), 2)
    return {
        "a": jax.random.normal(keys[0], (1, WIDTH)),
        "b": jnp.linspace(-1, 1, WIDTH),
        "c": jax.random.normal(keys[1], (WIDTH, 1)) / WIDTH**0.5,
    }


def loss(params: Any, x: Any, y: Any) -> Any:
    return ((jnp.tanh(x @ params["a"] + params["b"]) @ params["c"] - y) ** 2).mean() / 2


def dense_top(params: Any, metric: Any = None) -> float:
    """The largest eigenvalue of the whole matrix, in double precision."""
    with jax.enable_x64(True):
        flat, back = ravel_pytree(jax.tree.map(lambda p: jnp.asarray(p, jnp.float64), params))
        x, y = jnp.asarray(X, jnp.float64), jnp.asarray(Y, jnp.float64)
        hessian = np.asarray(jax.hessian(lambda w: loss(back(w), x, y))(flat))
    if metric is not None:
        scale = np.asarray(metric, np.float64) ** -0.5
        hessian = scale[:, None] * hessian * scale
    return float(np.linalg.eigvalsh(hessian)[-1])


def measure(watch: Watch, params: Any, opt_state: Any = None, **more: Any) -> dict[str, Any]:
    for step in range(60):
        watch(step, 1.0, params, opt_state, **more)
        if "sharpness" in watch.last:
            return watch.last
    raise AssertionError("nothing was measured")


def test_the_value_is_that_of_the_dense_matrix(tmp_path: Path) -> None:
    params = start()
    watch = Watch(
        params, loss, Optimizer("gd"), tmp_path / "log.ndjson", None, lr=0.1, data=(X, Y)
    )
    row = measure(watch, params)
    exact = dense_top(params)
    assert abs(row["sharpness"] - exact) <= row["sharpness_error"] <= 0.01 * exact
    header, _ = read(tmp_path / "log.ndjson")
    assert (header["framework"], header["optimizer"], header["parameters"]) == ("jax", "gd", 36)


ADAPTIVE = {
    "adam": (Optimizer("adam", beta=0.9), optax.adam(1e-2)),
    "adamw": (Optimizer("adamw", beta=0.9, weight_decay=0.1), optax.adamw(1e-2, weight_decay=0.1)),
    "clipped": (
        Optimizer("adam", beta=0.9),
        optax.chain(optax.clip_by_global_norm(1.0), optax.adam(1e-2)),
    ),
    "rmsprop": (Optimizer("rmsprop", beta2=0.9, eps=1e-8), optax.rmsprop(1e-3)),
    "centered": (Optimizer("rmsprop", eps=1e-8), optax.rmsprop(1e-3, decay=0.999, centered=True)),
}


@pytest.mark.parametrize("name", ADAPTIVE)
def test_the_preconditioned_value_is_that_of_the_dense_matrix(tmp_path: Path, name: str) -> None:
    described, optimizer = ADAPTIVE[name]
    params = start()
    state = optimizer.init(params)
    for _ in range(25):
        updates, state = optimizer.update(jax.grad(loss)(params, X, Y), state, params)
        params = optax.apply_updates(params, updates)
    watch = Watch(
        params, loss, described, tmp_path / "log.ndjson", None, lr=1e-2, data=(X, Y),
        tolerance=1e-4,
    )
    row = measure(watch, params, state)

    moments = [s for s in jax.tree.leaves(state, is_leaf=lambda s: hasattr(s, "nu")) if hasattr(s, "nu")]
    nu = np.asarray(ravel_pytree(moments[0].nu)[0], np.float64)
    if name == "rmsprop":
        metric = np.sqrt(nu + 1e-8)
    elif name == "centered":
        metric = np.sqrt(nu - np.asarray(ravel_pytree(moments[0].mu)[0], np.float64) ** 2 + 1e-8)
    else:
        metric = (1 - 0.9**25) * (np.sqrt(nu / (1 - 0.999**25)) + 1e-8)
    exact = dense_top(params, metric)
    assert abs(row["sharpness"] - exact) <= row["sharpness_error"] <= 1e-3 * exact


def test_adam_without_its_state_is_told(tmp_path: Path) -> None:
    params = start()
    watch = Watch(
        params, loss, Optimizer("adam", beta=0.9), tmp_path / "log.ndjson", None, lr=0.1, data=(X, Y),
    )
    with pytest.warns(RuntimeWarning, match="watch\\(step, loss, params, opt_state\\)"):
        for step in range(30):
            watch(step, 1.0, params)


def test_half_precision_is_measured_in_single_precision(tmp_path: Path) -> None:
    params = jax.tree.map(lambda p: p.astype(jnp.bfloat16), start())
    watch = Watch(
        params, loss, Optimizer("gd"), tmp_path / "log.ndjson", None, lr=0.1, data=(X, Y)
    )
    row = measure(watch, params)
    assert row["sharpness"] == pytest.approx(dense_top(params), rel=1e-4)


def test_batch_sharpness_is_the_mean_over_the_last_batches(tmp_path: Path) -> None:
    params = start()
    watch = Watch(
        params, loss, Optimizer("gd"), tmp_path / "log.ndjson", None, lr=0.1, data=(X, Y)
    )
    batches = [(X[i::5], Y[i::5]) for i in range(5)]
    for step in range(60):
        watch(step, 1.0, params, batch=batches[step % 5])
        if "batch_sharpness" in watch.last:
            break
    last = [batches[i % 5] for i in range(max(step - 3, 0), step + 1)]
    values = []
    for x, y in last:
        flat, back = ravel_pytree(params)
        f = lambda w: loss(back(w), x, y)  # noqa: B023, E731
        g = jax.grad(f)(flat)
        values.append(float(g @ jax.hessian(f)(flat) @ g / (g @ g)))
    assert watch.last["batch_sharpness"] == pytest.approx(np.mean(values), rel=1e-4)


@jax.jit
def update(params: Any, lr: float = 0.3) -> tuple[Any, Any, Any]:
    value, grads = jax.value_and_grad(loss)(params, X, Y)
    return jax.tree.map(lambda p, g: p - lr * g, params, grads), value, grads


class Passes:
    """A clock that counts passes through the network: a step 3, a loss 1, a gradient 3, a product 6."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def count(self, probe: Any) -> None:
        for name, cost in (("loss", 1), ("gradient", 3), ("product", 6)):
            setattr(probe, name, self._counted(getattr(probe, name), cost))

    def _counted(self, function: Any, cost: float) -> Any:
        def call(*args: Any) -> Any:
            self.now += cost
            return function(*args)

        return call


def train(path: Path | None, steps: int, budget: float | None = None, lr: float = 0.3) -> Any:
    """Trains; answers with the parameters, and how many passes went by."""
    params, passes = start(), Passes()
    watch = path and Watch(
        params, loss, Optimizer("gd"), path, budget, lr=lr, data=(X, Y), clock=passes
    )
    if watch:
        passes.count(watch._probe)
    for step in range(steps):
        params, value, grads = update(params, lr)
        passes.now += 3
        if watch:
            watch(step, value, params, grads=grads)
    return params, passes.now


def test_training_is_the_same_to_the_bit(tmp_path: Path) -> None:
    plain, _ = train(None, 60)
    watched, _ = train(tmp_path / "log.ndjson", 60)
    assert len(measured(read(tmp_path / "log.ndjson")[1])) == 60
    watched_less, _ = train(tmp_path / "log.ndjson", 60, 1.0)
    assert all(map(np.array_equal, jax.tree.leaves(plain), jax.tree.leaves(watched_less)))
    assert all(map(np.array_equal, jax.tree.leaves(plain), jax.tree.leaves(watched)))


@pytest.mark.parametrize("budget", [0.01, 0.05, 0.2])
def test_the_budget_holds_in_passes(tmp_path: Path, budget: float) -> None:
    steps = 3000
    _, passes = train(tmp_path / "log.ndjson", steps, budget)
    spent = (passes - 3 * steps) / (3 * steps)
    assert 0.4 * budget <= spent <= budget + 0.01


def test_a_resumed_run_writes_the_log_of_one_that_was_not_stopped(tmp_path: Path) -> None:
    class Steps:
        """A clock of steps: what is measured costs nothing."""

        now = 0.0

        def __call__(self) -> float:
            return self.now

    def go(watch: Watch, clock: Steps, params: Any, steps: range, stop: int = -1) -> Any:
        saved = None
        for step in steps:
            params, value, grads = update(params)
            clock.now += 1
            watch(step, value, params, grads=grads)
            if step == stop:
                saved = (params, watch.state_dict())
        watch.close()
        return saved

    def make(path: Path, clock: Steps) -> Watch:
        return Watch(start(), loss, Optimizer("gd"), path, 0.5, lr=0.3, data=(X, Y), clock=clock)

    whole, cut = tmp_path / "whole.ndjson", tmp_path / "cut.ndjson"
    clock = Steps()
    go(make(whole, clock), clock, start(), range(300))
    clock = Steps()
    params, state = go(make(cut, clock), clock, start(), range(170), 149)
    clock = Steps()
    watch = make(cut, clock)
    watch.load_state_dict(state)
    go(watch, clock, params, range(150, 300))
    assert len(measured(read(whole)[1])) > 20
    assert cut.read_text() == whole.read_text()


def test_gradients_tell_the_curvature_of_the_tracked_direction(tmp_path: Path) -> None:
    train(tmp_path / "log.ndjson", 1000, 0.5, 0.5)
    _, rows = read(tmp_path / "log.ndjson")
    errors, sharpness = [], 0.0
    for row in rows:
        if "gradient_curvature" in row and sharpness:
            errors.append(abs(row["gradient_curvature"] / sharpness - 1))
        sharpness = row.get("sharpness", sharpness)
    assert len(errors) > 30 and np.median(errors) < 0.1


def test_a_schedule_of_the_learning_rate_is_logged(tmp_path: Path) -> None:
    params = start()
    watch = Watch(
        params, loss, Optimizer("gd"), tmp_path / "log.ndjson", None, lr=lambda step: 0.1 / (step + 1),
        data=(X, Y),
    )
    for step in range(3):
        watch(step, 1.0, params)
    assert [row["lr"] for row in read(tmp_path / "log.ndjson")[1]] == [0.1, 0.05, 0.1 / 3]
