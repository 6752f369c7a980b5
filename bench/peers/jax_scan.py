"""JAX on the CPU, float64: lax.scan over the steps, vmap over the runs, jit around it all.

jax_scan.py W1 STEPS LAMBDA2        one run, all columns
jax_scan.py W3 STEPS LAMBDA2 RUNS   many runs at once, only each run's summary kept
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from run_table import (
    BAND, DELTA, EPSILON, ETA, FLOOR, INIT, KAPPA, LAMBDA1, PROBES, arguments, report, timed,
)

jax.config.update("jax_enable_x64", True)
SHARPENING, EDGE, CONVERGENCE = 0, 1, 3


def largest_root(a, b, c, d1, d2):
    """Of x = a + b²/(x − d1) + c²/(x − d2): first pole exact, second linearised at the last x; 3 rounds are enough."""
    x = jnp.maximum(a, d1) + jnp.abs(b) + jnp.abs(c)
    b2, c2 = b * b, c * c
    for _ in range(3):
        inverse = 1 / (x - d2)
        g = c2 * inverse
        slope = g * inverse
        s = 1 + slope
        m = a + g + slope * x - s * d1
        root = jnp.sqrt(m * m + 4 * s * b2)
        x = d1 + jnp.where(m > 0, (m + root) / (2 * s), 2 * b2 / jnp.where(m > 0, 1, root - m))
    return x


def gfs_sharpness_of(q, lambda2):
    root = jnp.sqrt(q * q + 4)
    small = 2 / (jnp.abs(q) + root)
    large = (jnp.abs(q) + root) / 2
    square = jnp.where(q >= 0, large, small)
    return jnp.maximum(LAMBDA1 * square, lambda2 * (small + large))


class Descent(NamedTuple):
    alpha: jax.Array
    beta1: jax.Array
    beta2: jax.Array
    last_sharpness: jax.Array
    phase: jax.Array
    cycle: jax.Array


def begin(alpha, beta1, beta2):
    as_double = partial(jnp.asarray, dtype=jnp.float64)
    return Descent(as_double(alpha), as_double(beta1), as_double(beta2), as_double(-1.0), jnp.int32(0), jnp.int32(0))


def step(run, eta, lambda2):
    """The columns at this step that do not follow from others, and the state at the next one."""
    alpha, beta1, beta2, last, phase, cycle = run
    threshold, threshold_delta = 2 / eta, (2 + DELTA) / eta
    e1, r = LAMBDA1 * alpha * beta1, alpha * beta2 - 1
    e2 = lambda2 * r
    l1, l2 = 0.5 * e1 * alpha * beta1, 0.5 * e2 * r
    g_alpha, g_beta1, g_beta2 = beta1 * e1 + beta2 * e2, alpha * e1, alpha * e2
    pinned = jnp.copysign(jnp.sqrt(threshold / LAMBDA1), alpha) * beta2 - 1
    q = alpha * alpha - beta1 * beta1 - beta2 * beta2
    gfs = gfs_sharpness_of(q, lambda2)
    sharpness = largest_root(
        LAMBDA1 * beta1 * beta1 + lambda2 * beta2 * beta2,
        2 * LAMBDA1 * alpha * beta1,
        lambda2 * (2 * alpha * beta2 - 1),
        LAMBDA1 * alpha * alpha,
        lambda2 * alpha * alpha,
    )
    over = sharpness >= threshold
    cycle = cycle + (over & (last < threshold))
    phase = jnp.where(over & (phase == SHARPENING), EDGE, phase)
    settled = (sharpness <= threshold_delta) & (gfs <= threshold_delta) & (sharpness >= (1 - KAPPA) * gfs)
    phase = jnp.where(
        phase == CONVERGENCE,
        jnp.where(sharpness > threshold_delta, EDGE, CONVERGENCE),
        jnp.where(settled, CONVERGENCE, phase),
    ).astype(jnp.int32)
    moved = beta1 - eta * g_beta1
    floored = jnp.where(jnp.abs(moved) < FLOOR, jnp.where(moved < 0, -FLOOR, FLOOR), moved)
    columns = {
        "alpha": alpha,
        "beta1": beta1,
        "beta2": beta2,
        "loss": l1 + l2,
        "l1": l1,
        "l2": l2,
        "l_hat": 0.5 * lambda2 * pinned * pinned,
        "sharpness": sharpness,
        "gfs_sharpness": gfs,
        "balance": q,
        "g_alpha": g_alpha,
        "grad_norm": jnp.sqrt(g_alpha * g_alpha + g_beta1 * g_beta1 + g_beta2 * g_beta2),
        "phase": phase,
        "cycle": cycle,
    }
    return Descent(alpha - eta * g_alpha, floored, beta2 - eta * g_beta2, sharpness, phase, cycle), columns


@partial(jax.jit, static_argnames="steps")
def all_columns(lambda2, steps):
    _, c = jax.lax.scan(lambda run, _: step(run, ETA, lambda2), begin(*INIT), length=steps + 1)
    c["sharpness_ratio"] = 0.5 * ETA * c["sharpness"]
    c["log10_abs_beta1"] = jnp.log10(jnp.abs(c["beta1"]))
    c["regime"] = (c["sharpness_ratio"] >= 1 - BAND).astype(jnp.int8) + (c["sharpness_ratio"] > 1 + BAND)
    c["phase"] = jnp.where(c["phase"] == EDGE, jnp.where(c["alpha"] * c["g_alpha"] < 0, 1, 2), c["phase"])
    del c["g_alpha"]
    return c


def summary_of(eta, weight, lambda2, steps):
    """One run's summary, gathered along the way."""
    threshold, threshold_delta, alpha_hat = 2 / eta, (2 + DELTA) / eta, jnp.sqrt(2 / eta / LAMBDA1)

    def advance(carry, t):
        run, s = carry
        after, c = step(run, eta, lambda2)
        dead = (s["diverged_at"] >= 0) | ~(c["loss"] <= 1e12)
        edge = c["phase"] == EDGE
        changed = (c["phase"] != run.phase) | (t == 0)
        first = jnp.where(edge & (s["first_crossing"] < 0), t, s["first_crossing"])
        along = jnp.copysign(1, c["alpha"]) * c["beta2"]
        used = edge & (c["l_hat"] > 0)
        y = jnp.where(used, jnp.log(jnp.where(used, c["l_hat"], 1)), 0)
        u = jnp.where(used, (t - first).astype(jnp.float64), 0)
        bad = (c["loss"] > EPSILON) | (c["sharpness"] > threshold_delta)
        gathered = {
            "first_crossing": first,
            "diverged_at": s["diverged_at"],
            "convergence_time": jnp.where(bad, t + 1, s["convergence_time"]),
            "phases": s["phases"] + changed,
            "phase_starts": s["phase_starts"] + jnp.where(changed, t, 0),
            "edge_steps": s["edge_steps"] + edge,
            "cycles": c["cycle"],
            "max_sharpness": jnp.maximum(s["max_sharpness"], c["sharpness"]),
            "final_loss": c["loss"],
            "l1": s["l1"] + jnp.where(edge, c["l1"], 0),
            "predicted": s["predicted"] + jnp.where(edge, 0.5 * alpha_hat * lambda2 * along * (1 - alpha_hat * along), 0),
            "n": s["n"] + used,
            "t": s["t"] + u,
            "tt": s["tt"] + u * u,
            "y": s["y"] + y,
            "ty": s["ty"] + u * y,
        }
        kept = {name: jnp.where(dead, s[name], value) for name, value in gathered.items()}
        kept["diverged_at"] = jnp.where(dead & (s["diverged_at"] < 0), t, s["diverged_at"])
        return (after, kept), None

    zero, none = jnp.float64(0), jnp.int32(-1)
    start = {name: zero for name in ["max_sharpness", "final_loss", "l1", "predicted", "t", "tt", "y", "ty"]}
    start |= {name: jnp.int32(0) for name in ["convergence_time", "phases", "phase_starts", "edge_steps", "cycles", "n"]}
    start |= {"first_crossing": none, "diverged_at": none}
    steps_from_0 = jnp.arange(steps + 1, dtype=jnp.int32)
    (_, s), _ = jax.lax.scan(advance, (begin(weight, 0.1, weight), start), steps_from_0)
    return s


@partial(jax.jit, static_argnames="steps")
def summaries(eta, weight, lambda2, steps):
    return jax.vmap(lambda e, w: summary_of(e, w, lambda2, steps))(eta, weight)


def sweep(runs, steps, lambda2):
    """Sums over all runs of each part of their summaries, and the seconds that the compiled program took."""
    i = np.arange(runs)
    eta, weight = 1 / (12 + 0.48 * (i % 100)), 0.2 + 0.004 * (i // 100 % 100)
    compiled = summaries.lower(eta, weight, lambda2, steps).compile()
    s, seconds = timed(lambda: jax.block_until_ready(compiled(eta, weight, lambda2)))
    s = {name: np.asarray(values, dtype=float) for name, values in s.items()}
    late = (s["convergence_time"] > steps) | (s["diverged_at"] >= 0)
    s["convergence_time"][late] = -1
    enough = s["edge_steps"] > 50
    with np.errstate(all="ignore"):
        slope = (s["n"] * s["ty"] - s["t"] * s["y"]) / (s["n"] * s["tt"] - s["t"] ** 2)
        means = {"mean_l1_in_eos": s["l1"] / s["edge_steps"], "mean_l1_predicted": s["predicted"] / s["edge_steps"]}
    names = ["first_crossing", "cycles", "diverged_at", "convergence_time", "phases", "phase_starts", "edge_steps"]
    check = {
        **{name: float(s[name].sum()) for name in names},
        "max_sharpness_ratio": float((0.5 * eta * s["max_sharpness"]).sum()),
        "final_loss": float(s["final_loss"].sum()),
        "l_hat_slope": float(slope[enough].sum()),
        **{name: float(values[enough].sum()) for name, values in means.items()},
    }
    return check, seconds


if __name__ == "__main__":
    work, steps, lambda2, *rest = arguments()
    if work == "W1":
        compiled = all_columns.lower(lambda2, steps).compile()
        c, seconds = timed(lambda: jax.block_until_ready(compiled(lambda2)))
        at = sorted({t for t in PROBES if t <= steps} | {steps})
        report(work, seconds, steps, {f"{t}.{name}": c[name][t].item() for t in at for name in c})
    else:
        runs = int(rest[0])
        check, seconds = sweep(runs, steps, lambda2)
        report(work, seconds, runs * steps, check)
