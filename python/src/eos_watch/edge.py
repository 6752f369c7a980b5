"""Why a loss spikes: its energy in the directions at the edge of stability."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

# Directions with a sharpness beyond this share of the threshold swing.
AT_THE_EDGE = 0.8


def edge_columns(
    values: Sequence[float], slopes: Sequence[float], threshold: float
) -> dict[str, Any]:
    """Energy of the oscillation in the directions at the edge, in all and in each.

    (uₖ·g)²/(2λₖ) for each eigenvalue λₖ beyond 0.8 × threshold, largest eigenvalue first, with the
    slope uₖ·g of the loss along it; the rest of the loss is that of the midpoint about which it
    swings.
    """
    energies = [
        slope * slope / (2 * value)
        for value, slope in zip(values, slopes)
        if value > AT_THE_EDGE * threshold
    ]
    return {
        "edge_energy": sum(energies),
        "edge_directions": len(energies),
        "edge_energies": energies,
    }
