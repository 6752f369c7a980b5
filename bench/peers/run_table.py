"""What the Python peers share: the columns of a run from its weights and sharpness, in NumPy, and its summary."""

import json
import sys
import time

import numpy as np

LAMBDA1, ETA, FLOOR, INIT = 100.0, 1 / 20, 1e-6, (0.3, 0.1, 0.3)
BAND, DELTA, EPSILON, KAPPA = 0.05, 0.01, 1e-8, 0.05
THRESHOLD, THRESHOLD_DELTA = 2 / ETA, (2 + DELTA) / ETA
ALPHA_HAT = np.sqrt(THRESHOLD / LAMBDA1)
REGIMES = ["stable", "edge", "unstable"]
PHASES = ["progressive-sharpening", "eos-sharpening", "eos-self-stabilization", "convergence"]
PROBES = [0, 1000, 2015, 5000, 10000]


def columns_of(alpha, beta1, beta2, sharpness, lambda2):
    """All columns in their order; regime and phase as codes into REGIMES and PHASES."""
    p, r = alpha * beta1, alpha * beta2 - 1
    e1, e2 = LAMBDA1 * p, lambda2 * r
    l1, l2 = 0.5 * e1 * p, 0.5 * e2 * r
    pinned = np.copysign(ALPHA_HAT, alpha) * beta2 - 1
    g_alpha = beta1 * e1 + beta2 * e2
    balance = alpha * alpha - beta1 * beta1 - beta2 * beta2
    root = np.sqrt(balance * balance + 4)
    small = 2 / (np.abs(balance) + root)
    square, inverse = np.where(balance >= 0, (1 / small, small), (small, 1 / small))
    gfs_sharpness = np.maximum(LAMBDA1 * square, lambda2 * (square + inverse))
    ratio = 0.5 * ETA * sharpness
    coarse = coarse_phases(sharpness, gfs_sharpness)
    over = sharpness >= THRESHOLD
    crossed = over.copy()
    crossed[1:] &= ~over[:-1]
    return {
        "step": np.arange(len(alpha)),
        "alpha": alpha,
        "beta1": beta1,
        "beta2": beta2,
        "log10_abs_beta1": np.log10(np.abs(beta1)),
        "loss": l1 + l2,
        "l1": l1,
        "l2": l2,
        "l_hat": 0.5 * lambda2 * pinned * pinned,
        "grad_norm": np.sqrt(g_alpha * g_alpha + (alpha * e1) ** 2 + (alpha * e2) ** 2),
        "sharpness": sharpness,
        "sharpness_ratio": ratio,
        "regime": (ratio >= 1 - BAND).astype(np.int8) + (ratio > 1 + BAND),
        "gfs_sharpness": gfs_sharpness,
        "balance": balance,
        "phase": np.where(coarse == 1, np.where(alpha * g_alpha < 0, 1, 2), coarse).astype(np.int8),
        "cycle": np.cumsum(crossed, dtype=np.int32),
    }


def coarse_phases(sharpness, gfs_sharpness):
    """0 progressive sharpening, 1 edge of stability, 3 convergence: walks from change to change."""
    crossings = np.flatnonzero(sharpness >= THRESHOLD)
    settled = np.flatnonzero(
        (sharpness <= THRESHOLD_DELTA) & (gfs_sharpness <= THRESHOLD_DELTA) & (sharpness >= (1 - KAPPA) * gfs_sharpness)
    )
    high = np.flatnonzero(sharpness > THRESHOLD_DELTA)
    phase = np.zeros(len(sharpness), dtype=np.int8)
    at = crossings[0] if len(crossings) else len(phase)
    if len(settled) and settled[0] < at:
        at = settled[0]
    else:
        phase[at:] = 1
    while True:
        k = np.searchsorted(settled, at)
        if k == len(settled):
            return phase
        at = settled[k]
        phase[at:] = 3
        k = np.searchsorted(high, at)
        if k == len(high):
            return phase
        at = high[k]
        phase[at:] = 1


def metadata_of(columns, lambda2):
    """Config and summary as the run file's metadata holds them."""
    steps = len(columns["step"]) - 1
    config = {"lambda1": LAMBDA1, "lambda2": lambda2, "eta": ETA, "init": INIT, "floor": FLOOR, "steps": steps}
    coarse = np.array([0, 1, 1, 3])[columns["phase"]]
    starts = np.concatenate([[0], np.flatnonzero(np.diff(coarse)) + 1])
    edge = coarse == 1
    bad = np.flatnonzero((columns["loss"] > EPSILON) | (columns["sharpness"] > THRESHOLD_DELTA))
    converged_at = int(bad[-1]) + 1 if len(bad) else 0
    names = {0: "progressive-sharpening", 1: "edge-of-stability", 3: "convergence"}
    summary = {
        "outcome": "gradient-flow" if not columns["cycle"][-1] else "converged" if coarse[-1] == 3 else "edge-of-stability",
        "phases": [
            {"phase": names[int(coarse[first])], "first_step": int(first), "last_step": int(after) - 1}
            for first, after in zip(starts, np.append(starts[1:], steps + 1))
        ],
        "cycles": int(columns["cycle"][-1]),
        "first_crossing": int(np.argmax(edge)) if edge.any() else None,
        "max_sharpness_ratio": float(columns["sharpness_ratio"].max()),
        "diverged_at": None,
        "final_loss": float(columns["loss"][-1]),
        "convergence_time": {"delta": DELTA, "epsilon": EPSILON, "step": converged_at if converged_at <= steps else None},
        "l_hat_slope": None,
        "mean_l1_in_eos": None,
        "mean_l1_predicted": None,
        "warnings": [],
    }
    if edge.sum() > 50:
        l_hat, step, beta2 = columns["l_hat"][edge], columns["step"][edge], columns["beta2"][edge]
        along = np.copysign(1, columns["alpha"][edge]) * beta2
        summary["l_hat_slope"] = float(np.polynomial.Polynomial.fit(step, np.log(l_hat), 1).convert().coef[1])
        summary["mean_l1_in_eos"] = float(columns["l1"][edge].mean())
        summary["mean_l1_predicted"] = float((0.5 * ALPHA_HAT * lambda2 * along * (1 - ALPHA_HAT * along)).mean())
    return {"eos.schema_version": "1", "eos.config": json.dumps(config), "eos.summary": json.dumps(summary)}


def probe(columns):
    """Values at a few steps, to be compared between programs."""
    last = len(columns["step"]) - 1
    return {
        f"{t}.{name}": values[t].item()
        for t in sorted({t for t in PROBES if t <= last} | {last})
        for name, values in columns.items()
        if name != "step"
    }


def arguments():
    """WORK STEPS LAMBDA2 [OUT or RUNS]"""
    work, steps, lambda2, *rest = sys.argv[1:]
    return work, int(steps), float(lambda2), *rest


def report(work, seconds, steps, check):
    wall, processor = seconds
    print(json.dumps({"work": work, "seconds": wall, "processor": processor, "steps": steps, "check": check}))


def timed(compute):
    """What was computed, and the seconds of it: by the clock on the wall, and of the processor."""
    begin, begun = time.perf_counter(), time.process_time()
    result = compute()
    return result, (time.perf_counter() - begin, time.process_time() - begun)
