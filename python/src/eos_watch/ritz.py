"""The top of the spectrum of a symmetric operator, tracked from one measurement to the next."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

# A flat vector of any framework: `a @ b`, `a + b`, `a - b` and `a * number` are all it must know.
Vector = Any
Matrix = np.ndarray[Any, np.dtype[np.float64]]

# Vectors held at once; at that number the basis is cut down to its top, which costs no product.
LARGEST_BASIS = 16
# Products of a measurement that has nothing to start from.
COLD = 10


@dataclass(frozen=True)
class Top:
    """The largest eigenvalues as far as they are known."""

    values: tuple[float, ...]
    """Ritz values, largest first: lower bounds of the eigenvalues."""
    error: float
    """How far the largest eigenvalue can lie from ``values[0]``."""
    vectors: tuple[Vector, ...]
    """Ritz vectors of length 1, in the order of the values."""
    products: int
    """Products with the operator that this took."""

    def holds(self, tolerance: float) -> bool:
        return self.error <= tolerance * abs(self.values[0])


def track(
    product: Callable[[Vector], Vector],
    random: Callable[[], Vector],
    kept: Sequence[Vector],
    *,
    keep: int = 3,
    tolerance: float = 1e-3,
    most: int = 60,
    rounding: float = 1e-6,
) -> Top:
    """Block Davidson: the top of a symmetric operator from the vectors ``kept`` of last time.

    The basis grows by one random probe and by residuals, until no interval can reach over the top
    by more than ``tolerance`` times its value, or ``most`` products are spent. A small residual
    proves an eigenvalue, not the largest: so each measurement expands another pair than the first
    at least once, which over measurements is a power iteration on what is still missed, and a
    first one makes ``COLD`` products at least.

    :param rounding: relative error of one product, added to the error bar
    """
    fewest = fewest_products(len(kept), keep)
    most = max(most, fewest)
    basis = _Basis(product)
    for vector in kept:
        basis.add(vector)
    basis.add(random())
    while True:
        values, coordinates, residuals = basis.pairs()
        error = error_bar(values, residuals) + rounding * float(np.abs(values).max())
        sure = basis.products >= fewest and error <= tolerance * abs(values[0])
        if sure or basis.products >= most:
            break
        if len(basis.vectors) >= LARGEST_BASIS:
            basis.restart(coordinates[:, : keep + 2])
            continue
        reach = values + residuals
        if error <= tolerance * abs(values[0]):
            reach[0] = -math.inf
        furthest = int(np.argmax(reach))
        if not basis.expand(coordinates[:, furthest], float(values[furthest])):
            # The basis is invariant up to rounding: only something new can tell more.
            if not basis.add(random()):
                break
    count = min(keep, len(values))
    return Top(
        values=tuple(float(value) for value in values[:count]),
        error=float(error),
        vectors=tuple(basis.combine(coordinates[:, i]) for i in range(count)),
        products=basis.products,
    )


def fewest_products(kept: int, keep: int) -> int:
    """Products of a measurement that starts from so many vectors, before it may end."""
    return kept + 2 if kept >= keep else COLD


def error_bar(values: Matrix, residuals: Matrix) -> float:
    """How far the largest eigenvalue can lie over the largest Ritz value.

    With the j top Ritz vectors split off, the largest eigenvalue λ of [[Θ, Rᵀ], [R, C]] solves
    λ ≤ θ₁ + ‖R‖²/(λ − μ), where μ bounds the spectrum of C; so with g = θ₁ − μ,
    λ − θ₁ ≤ (√(g² + 4‖R‖²) − g)/2. μ is taken from the intervals of the Ritz pairs that are left;
    any j gives a bound, and the least of them is answered.
    """
    if len(values) < 2:
        return float(residuals[0]) if len(values) else math.inf
    squares = np.cumsum(residuals**2)[:-1]
    reach = np.maximum.accumulate((values + residuals)[::-1])[::-1][1:]
    gaps = values[0] - reach
    return float(np.min((np.sqrt(gaps**2 + 4 * squares) - gaps) / 2))


class _Basis:
    """Orthonormal vectors, their products, and the Gram matrices between them."""

    def __init__(self, product: Callable[[Vector], Vector]) -> None:
        self.product = product
        self.vectors: list[Vector] = []
        self.images: list[Vector] = []
        self.operator: Matrix = np.zeros((0, 0))
        self.squared: Matrix = np.zeros((0, 0))
        self.products = 0

    def add(self, vector: Vector) -> bool:
        """Adds what of the vector is new; False where that is nothing."""
        length = math.sqrt(max(float(vector @ vector), 0.0))
        if not (length > 0 and math.isfinite(length)):
            return False
        q = vector * (1 / length)
        for _ in range(2):
            for other in self.vectors:
                q = q - other * float(other @ q)
        rest = math.sqrt(max(float(q @ q), 0.0))
        if rest < 1e-4:
            return False
        q = q * (1 / rest)
        image = self.product(q)
        self.products += 1
        self.vectors.append(q)
        self.images.append(image)
        self.operator = _bordered(self.operator, [float(v @ image) for v in self.vectors])
        self.squared = _bordered(self.squared, [float(w @ image) for w in self.images])
        return True

    def pairs(self) -> tuple[Matrix, Matrix, Matrix]:
        """Ritz values, largest first, their coordinates in the basis, and residual norms."""
        values, coordinates = np.linalg.eigh(self.operator)
        values, coordinates = values[::-1], coordinates[:, ::-1]
        lengths = np.einsum("ij,ik,kj->j", coordinates, self.squared, coordinates)
        return values, coordinates, np.sqrt(np.maximum(lengths - values**2, 0.0))

    def combine(self, coordinates: Matrix) -> Vector:
        return _combined(self.vectors, coordinates)

    def expand(self, coordinates: Matrix, value: float) -> bool:
        """Adds the residual of a Ritz pair."""
        return self.add(_combined(self.images, coordinates) - self.combine(coordinates) * value)

    def restart(self, coordinates: Matrix) -> None:
        """Goes on with the Ritz vectors of these coordinates alone; their images are known."""
        columns = [coordinates[:, i] for i in range(coordinates.shape[1])]
        self.vectors, self.images = (
            [_combined(self.vectors, column) for column in columns],
            [_combined(self.images, column) for column in columns],
        )
        self.operator = coordinates.T @ self.operator @ coordinates
        self.squared = coordinates.T @ self.squared @ coordinates


def _combined(vectors: Sequence[Vector], coordinates: Matrix) -> Vector:
    total = vectors[0] * float(coordinates[0])
    for vector, coordinate in zip(vectors[1:], coordinates[1:]):
        total = total + vector * float(coordinate)
    return total


def _bordered(matrix: Matrix, border: list[float]) -> Matrix:
    """The matrix with one more row and column, the same."""
    n = len(border)
    grown = np.empty((n, n))
    grown[: n - 1, : n - 1] = matrix
    grown[n - 1, :] = border
    grown[:, n - 1] = border
    return grown
