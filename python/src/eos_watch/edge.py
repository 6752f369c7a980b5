"""Why a loss spikes: its energy in the directions at the edge of stability."""

from __future__ import annotations

from collections.abc import Sequence

# Directions with a sharpness beyond this share of the threshold swing.
AT_THE_EDGE = 0.8


def edge_energy(
    values: Sequence[float], slopes: Sequence[float], threshold: float
) -> tuple[float, int]:
    """Energy of the oscillation in the directions at the edge, and their number.

    Σ (uₖ·g)²/(2λₖ) over the eigenvalues λₖ beyond 0.8 × threshold, with the slope uₖ·g of the
    loss along each; the rest of the loss is that of the midpoint about which it swings.
    """
    edge = [(v, s) for v, s in zip(values, slopes) if v > AT_THE_EDGE * threshold]
    return sum(slope * slope / (2 * value) for value, slope in edge), len(edge)
