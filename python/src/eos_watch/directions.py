"""What consecutive gradients say of the directions that are tracked."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .ritz import Vector

# Gradients of the training are those of the loss when they differ by less than this share.
ALIKE = 0.1
# A move is along a direction when at least this share of its length is.
ALONG = 0.02


@dataclass(frozen=True)
class Slopes:
    """From the gradient of a step and the move that led to it."""

    slopes: tuple[float, ...]
    """uₖ·g of this step, in the optimizer's metric."""
    curvatures: tuple[float, ...]
    """Δ(uₖ·g)/(uₖ·Δw), the curvature of the loss along uₖ; NaN where the move is not along it."""


class Directions:
    """The kept vectors as gradients see them, and the gradient before.

    Gradients that are clipped, of a mini-batch, or with dropout are not those of the loss that is
    measured, and tell nothing of its curvature. So the first one behind a measurement is held
    against the measurement's own; where they differ, none is used until the next.
    """

    def __init__(self) -> None:
        self._along: tuple[Vector, ...] = ()
        self._across: tuple[Vector, ...] = ()
        self._weights: Vector | None = None
        self._heights: tuple[float, ...] = ()
        self._expected: Vector | None = None
        self._trusted = True

    @property
    def told(self) -> bool:
        """Whether the next gradient is worth looking at."""
        return self._trusted or self._expected is not None

    def keep(self, vectors: Sequence[Vector], scale: Vector | None, gradient: Vector) -> None:
        """Takes Ritz vectors of the operator that is scaled by P^(−1/2) on both sides.

        :param gradient: scaled as they are; at the weights of the next gradient that is looked at
        """
        self.forget()
        self._expected = gradient if scale is None else gradient / scale
        self._along = tuple(vectors) if scale is None else tuple(v * scale for v in vectors)
        self._across = tuple(vectors) if scale is None else tuple(v / scale for v in vectors)

    def next(self, gradient: Vector, weights: Vector) -> Slopes | None:
        """The gradient at the weights of this step.

        Along an eigenvector u, Δ(u·g) = λ u·Δw, whatever else the move does.
        """
        expected, self._expected = self._expected, None
        if expected is not None:
            rest = gradient - expected
            self._trusted = float(rest @ rest) <= ALIKE**2 * float(expected @ expected)
        if not self._along or not self._trusted:
            return None
        heights = tuple(float(vector @ gradient) for vector in self._along)
        curvatures: tuple[float, ...] = ()
        if self._weights is not None:
            move = weights - self._weights
            length = math.sqrt(float(move @ move))
            curvatures = tuple(
                _slope(now - before, float(vector @ move), length * math.sqrt(vector @ vector))
                for now, before, vector in zip(heights, self._heights, self._across)
            )
        self._weights, self._heights = weights, heights
        return Slopes(heights, curvatures)

    def forget(self) -> None:
        """Says that the next gradient is not that of the next step."""
        self._weights = self._expected = None

    def state_dict(self, export: Callable[[Vector], Any]) -> dict[str, Any]:
        return {
            "along": [export(vector) for vector in self._along],
            "across": [export(vector) for vector in self._across],
            "weights": None if self._weights is None else export(self._weights),
            "heights": self._heights,
            "expected": None if self._expected is None else export(self._expected),
            "trusted": self._trusted,
        }

    def load_state_dict(self, state: dict[str, Any], adopt: Callable[[Any], Vector]) -> None:
        self._along = tuple(adopt(vector) for vector in state["along"])
        self._across = tuple(adopt(vector) for vector in state["across"])
        self._weights = None if state["weights"] is None else adopt(state["weights"])
        self._heights = tuple(state["heights"])
        self._expected = None if state["expected"] is None else adopt(state["expected"])
        self._trusted = state["trusted"]


def _slope(rise: float, run: float, length: float) -> float:
    return rise / run if abs(run) > ALONG * length else math.nan
