"""A numba loop, NumPy for the rest of the columns, pyarrow for the file.

numba_pyarrow.py W1 STEPS LAMBDA2       all columns, no file
numba_pyarrow.py W2 STEPS LAMBDA2 OUT   the whole program: all columns into a Parquet file (W4: the same, short)
"""

import numba
import numpy as np

from run_table import ETA, FLOOR, INIT, LAMBDA1, PHASES, REGIMES, arguments, columns_of, metadata_of, probe, report, timed


@numba.njit(cache=True, error_model="numpy")
def largest_root(a, b, c, d1, d2):
    """Of x = a + b²/(x − d1) + c²/(x − d2): first pole exact, second linearised at the last x."""
    x = max(a, d1) + abs(b) + abs(c)
    b2, c2 = b * b, c * c
    for _ in range(40):
        inverse = 1 / (x - d2)
        g = c2 * inverse
        slope = g * inverse
        s = 1 + slope
        m = a + g + slope * x - s * d1
        root = np.sqrt(m * m + 4 * s * b2)
        if m > 0:
            y = (m + root) / (2 * s)
        elif m < 0:
            y = 2 * b2 / (root - m)
        else:
            y = root / (2 * s)
        change = d1 + y - x
        x = d1 + y
        if slope * inverse * change * change <= 1e-14 * x:
            break
    return x


@numba.njit(cache=True, error_model="numpy")
def descend(alpha, beta1, beta2, eta, lambda1, lambda2, floor, steps):
    weights = np.empty((3, steps + 1))
    sharpness = np.empty(steps + 1)
    for t in range(steps + 1):
        weights[0, t], weights[1, t], weights[2, t] = alpha, beta1, beta2
        sharpness[t] = largest_root(
            lambda1 * beta1 * beta1 + lambda2 * beta2 * beta2,
            2 * lambda1 * alpha * beta1,
            lambda2 * (2 * alpha * beta2 - 1),
            lambda1 * alpha * alpha,
            lambda2 * alpha * alpha,
        )
        e1, e2 = lambda1 * alpha * beta1, lambda2 * (alpha * beta2 - 1)
        g_alpha = beta1 * e1 + beta2 * e2
        beta1 -= eta * alpha * e1
        if abs(beta1) < floor:
            beta1 = -floor if beta1 < 0 else floor
        beta2 -= eta * alpha * e2
        alpha -= eta * g_alpha
    return weights, sharpness


def run(steps, lambda2):
    (alpha, beta1, beta2), sharpness = descend(*INIT, ETA, LAMBDA1, lambda2, FLOOR, steps)
    return columns_of(alpha, beta1, beta2, sharpness, lambda2)


def write(columns, lambda2, path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    words = {"regime": REGIMES, "phase": PHASES}
    arrays = [
        pa.DictionaryArray.from_arrays(values, words[name]) if name in words else pa.array(values)
        for name, values in columns.items()
    ]
    schema = pa.schema(
        [pa.field(name, array.type, nullable=False) for name, array in zip(columns, arrays)],
        metadata=metadata_of(columns, lambda2),
    )
    pq.write_table(
        pa.Table.from_arrays(arrays, schema=schema),
        path,
        row_group_size=65536,
        compression="snappy",
        use_dictionary=list(words),
        write_statistics=True,
    )


if __name__ == "__main__":
    work, steps, lambda2, *rest = arguments()
    if work == "W1":
        run(10_000, lambda2)
        columns, seconds = timed(lambda: run(steps, lambda2))
        report(work, seconds, steps, probe(columns))
    else:
        _, seconds = timed(lambda: write(run(steps, lambda2), lambda2, rest[0]))
        report(work, seconds, steps, {})
