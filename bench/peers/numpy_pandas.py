"""A plain Python loop for the weights, NumPy for the columns, pandas for the file.

numpy_pandas.py W2 STEPS LAMBDA2 OUT   the whole program: all columns into a Parquet file (W4: the same, short)
"""

import numpy as np
import pandas as pd

from run_table import ETA, FLOOR, INIT, LAMBDA1, PHASES, REGIMES, arguments, columns_of, metadata_of, report, timed


def descend(steps, lambda2):
    alpha, beta1, beta2 = INIT
    rows = []
    for _ in range(steps + 1):
        rows.append((alpha, beta1, beta2))
        e1, e2 = LAMBDA1 * alpha * beta1, lambda2 * (alpha * beta2 - 1)
        g_alpha = beta1 * e1 + beta2 * e2
        beta1 -= ETA * alpha * e1
        if abs(beta1) < FLOOR:
            beta1 = -FLOOR if beta1 < 0 else FLOOR
        beta2 -= ETA * alpha * e2
        alpha -= ETA * g_alpha
    return np.array(rows).T.copy()


def sharpness_of(alpha, beta1, beta2, lambda2):
    hessian = np.zeros((len(alpha), 3, 3))
    hessian[:, 0, 0] = LAMBDA1 * beta1**2 + lambda2 * beta2**2
    hessian[:, 1, 0] = 2 * LAMBDA1 * alpha * beta1
    hessian[:, 2, 0] = lambda2 * (2 * alpha * beta2 - 1)
    hessian[:, 1, 1] = LAMBDA1 * alpha**2
    hessian[:, 2, 2] = lambda2 * alpha**2
    return np.linalg.eigvalsh(hessian)[:, -1]


def write(steps, lambda2, path):
    alpha, beta1, beta2 = descend(steps, lambda2)
    columns = columns_of(alpha, beta1, beta2, sharpness_of(alpha, beta1, beta2, lambda2), lambda2)
    frame = pd.DataFrame(columns)
    frame["regime"] = pd.Categorical.from_codes(frame["regime"], REGIMES)
    frame["phase"] = pd.Categorical.from_codes(frame["phase"], PHASES)
    frame.attrs = metadata_of(columns, lambda2)
    frame.to_parquet(path, index=False, row_group_size=65536)


if __name__ == "__main__":
    work, steps, lambda2, out = arguments()
    _, seconds = timed(lambda: write(steps, lambda2, out))
    report(work, seconds, steps, {})
