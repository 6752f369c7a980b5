"""How much time measuring may take, and what a measurement costs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Clock = Callable[[], float]

# How far one measured cost moves the running one.
WEIGHT = 0.3


class Budget:
    """Keeps the time spent on measuring under ``share`` of the time that training takes.

    Time is what ``clock`` says, in any unit; it runs from the first call of :meth:`begin`.
    """

    def __init__(self, share: float, clock: Clock = time.perf_counter) -> None:
        if not 0 <= share <= 10:
            raise ValueError(f"budget: {share} is not a share of the training time, such as 0.05")
        self.share = share
        self.clock = clock
        self.spent = 0.0
        self.steps = 0
        self._aside = 0.0
        self._before = 0.0
        self._start: float | None = None
        self._costs: dict[str, float] = {}

    def begin(self) -> None:
        if self._start is None:
            self._start = self.clock()

    @property
    def training(self) -> float:
        """Time since the begin that was not the watch's own."""
        elapsed = 0.0 if self._start is None else self.clock() - self._start
        return self._before + elapsed - self.spent - self._aside

    @property
    def credit(self) -> float:
        """What may be spent now; negative where a measurement took longer than expected."""
        return self.share * self.training - self.spent

    @property
    def step(self) -> float:
        """Mean time of a training step."""
        return self.training / max(self.steps, 1)

    @contextmanager
    def spending(self) -> Iterator[None]:
        start = self.clock()
        try:
            yield
        finally:
            self.spent += self.clock() - start

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Time that is neither training nor measuring: lines of the log."""
        start = self.clock()
        try:
            yield
        finally:
            self._aside += self.clock() - start

    def learn(self, kind: str, cost: float) -> None:
        old = self._costs.get(kind)
        self._costs[kind] = cost if old is None else old + WEIGHT * (cost - old)

    def cost(self, kind: str) -> float | None:
        return self._costs.get(kind)

    def state_dict(self) -> dict[str, Any]:
        return {
            "training": self.training,
            "spent": self.spent,
            "steps": self.steps,
            "costs": dict(self._costs),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        # What was spent before counts as spent here: `training` subtracts it.
        self.spent = float(state["spent"])
        self._before = float(state["training"]) + self.spent
        self._aside = 0.0
        self.steps = int(state["steps"])
        self._costs = dict(state["costs"])
        self._start = self.clock()
