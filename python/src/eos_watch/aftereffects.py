"""What the watch costs beyond its own time: steps behind it find cold caches, and are slower."""

from __future__ import annotations

from collections import deque
from typing import Any

# So many steps behind a call are slower at most; so many behind those are timed as bare ones.
SETTLE, BARE = 32, 16
REST = SETTLE + BARE
# What is known of an aftereffect is the middle of so many.
MIDDLE_OF = 15
# Steps over which an aftereffect can be told from what steps differ anyhow.
MOST_STEPS = 64

Class = tuple[str, int]


class Aftereffects:
    """Compares the steps behind a call of the watch with steps that long nothing came before.

    Time goes by intervals, from the end of one call to the beginning of the next that is not passed
    over. One of n steps takes n bare steps and the aftereffect, which is learnt by the kind of work
    that the call did and the magnitude of n. Bare steps are those at the end of long intervals;
    intervals since the last such are held against them, so that what makes all steps slower or
    faster is in none.
    """

    def __init__(self) -> None:
        self._seen: dict[Class, deque[tuple[int, float]]] = {}
        self._excess: dict[Class, deque[float]] = {}

    def learn(self, kind: str, steps: int, time: float) -> None:
        """Takes an interval of so many steps behind a call that did work of a kind."""
        if kind and 0 < steps <= MOST_STEPS:
            self._seen.setdefault(_class(kind, steps), _few()).append((steps, time))

    def bare(self, step: float) -> None:
        """Takes the time of a bare step."""
        for known, seen in self._seen.items():
            excess = _middle([time - steps * step for steps, time in seen])
            self._excess.setdefault(known, _few()).append(excess)
        self._seen.clear()

    def of(self, kind: str, steps: int) -> float:
        """How much longer so many steps take behind work of a kind; 0 where it is not known."""
        wanted = _class(kind, steps)[1]
        known = [(abs(size - wanted), size) for name, size in self._excess if name == kind]
        return max(0.0, _middle(self._excess[kind, min(known)[1]])) if known else 0.0

    def state_dict(self) -> dict[str, Any]:
        return {
            "seen": {known: list(seen) for known, seen in self._seen.items()},
            "excess": {known: list(excess) for known, excess in self._excess.items()},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._seen = {known: _few(seen) for known, seen in state["seen"].items()}
        self._excess = {known: _few(excess) for known, excess in state["excess"].items()}


def _class(kind: str, steps: int) -> Class:
    return kind, steps.bit_length()


def _few(values: Any = ()) -> deque[Any]:
    return deque(values, maxlen=MIDDLE_OF)


def _middle(values: Any) -> float:
    """Mean of the middle half: neither an outlier counts nor the shape."""
    ordered = sorted(values)
    cut = len(ordered) // 4
    kept = ordered[cut : len(ordered) - cut]
    return float(sum(kept) / len(kept))
