"""A plain Python loop that computes every column as it goes, NumPy for the eigenvalues, pandas for the file.

python_loop.py W2 STEPS LAMBDA2 OUT   the whole program: all columns into a Parquet file (W4: the same, short)
"""

from math import copysign, log10, sqrt

import numpy as np
import pandas as pd

from run_table import (
    ALPHA_HAT, BAND, ETA, FLOOR, INIT, KAPPA, LAMBDA1, PHASES, THRESHOLD, THRESHOLD_DELTA,
    arguments, metadata_of, report, timed,
)


def rows_of(steps, lambda2):
    alpha, beta1, beta2 = INIT
    last, phase, cycle = 0.0, "progressive-sharpening", 0
    hessian = np.zeros((3, 3))
    for t in range(steps + 1):
        p, r = alpha * beta1, alpha * beta2 - 1
        e1, e2 = LAMBDA1 * p, lambda2 * r
        l1, l2 = 0.5 * e1 * p, 0.5 * e2 * r
        g_alpha, g_beta1, g_beta2 = beta1 * e1 + beta2 * e2, alpha * e1, alpha * e2
        hessian[0, 0] = LAMBDA1 * beta1**2 + lambda2 * beta2**2
        hessian[1, 0] = 2 * LAMBDA1 * p
        hessian[2, 0] = lambda2 * (2 * alpha * beta2 - 1)
        hessian[1, 1] = LAMBDA1 * alpha**2
        hessian[2, 2] = lambda2 * alpha**2
        sharpness = float(np.linalg.eigvalsh(hessian)[-1])
        balance = alpha * alpha - beta1 * beta1 - beta2 * beta2
        small = 2 / (abs(balance) + sqrt(balance * balance + 4))
        square = 1 / small if balance >= 0 else small
        gfs_sharpness = max(LAMBDA1 * square, lambda2 * (square + 1 / square))
        if sharpness >= THRESHOLD:
            cycle += last < THRESHOLD
            if phase == "progressive-sharpening":
                phase = "edge-of-stability"
        if phase == "convergence":
            if sharpness > THRESHOLD_DELTA:
                phase = "edge-of-stability"
        elif max(sharpness, gfs_sharpness) <= THRESHOLD_DELTA and sharpness >= (1 - KAPPA) * gfs_sharpness:
            phase = "convergence"
        label = phase
        if phase == "edge-of-stability":
            label = "eos-sharpening" if alpha * g_alpha < 0 else "eos-self-stabilization"
        ratio = 0.5 * ETA * sharpness
        yield (
            t, alpha, beta1, beta2, log10(abs(beta1)), l1 + l2, l1, l2,
            0.5 * lambda2 * (copysign(ALPHA_HAT, alpha) * beta2 - 1) ** 2,
            sqrt(g_alpha * g_alpha + g_beta1 * g_beta1 + g_beta2 * g_beta2),
            sharpness, ratio, "stable" if ratio < 1 - BAND else "unstable" if ratio > 1 + BAND else "edge",
            gfs_sharpness, balance, label, cycle,
        )
        last = sharpness
        beta1 -= ETA * g_beta1
        if abs(beta1) < FLOOR:
            beta1 = -FLOOR if beta1 < 0 else FLOOR
        beta2 -= ETA * g_beta2
        alpha -= ETA * g_alpha


NAMES = (
    "step alpha beta1 beta2 log10_abs_beta1 loss l1 l2 l_hat grad_norm sharpness sharpness_ratio regime "
    "gfs_sharpness balance phase cycle"
).split()


def write(steps, lambda2, path):
    frame = pd.DataFrame(list(rows_of(steps, lambda2)), columns=NAMES).astype({"cycle": "int32"})
    columns = {name: frame[name].to_numpy() for name in NAMES}
    frame.attrs = metadata_of({**columns, "phase": frame["phase"].map(PHASES.index).to_numpy()}, lambda2)
    frame.to_parquet(path, index=False, row_group_size=65536)


if __name__ == "__main__":
    work, steps, lambda2, out = arguments()
    _, seconds = timed(lambda: write(steps, lambda2, out))
    report(work, seconds, steps, {})
