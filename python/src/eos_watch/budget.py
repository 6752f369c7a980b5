"""How much time the watch may take, and what each kind of measurement costs."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from typing import Any

Clock = Callable[[], float]

# A cost is the lower median of so many: the first time of anything takes long, and so does what had
# to wait for other processes.
MEDIAN_OF = 5


class Budget:
    """Keeps the time of the watch under ``share`` of the time that training takes.

    All that happens between :meth:`enter` and :meth:`leave` is the watch's: measuring, looking at
    gradients, lines of the log. The rest is the training. Time is what ``clock`` says, in any unit.

    :param share: a number up to 1; None for as much as there is to measure
    """

    def __init__(self, share: float | None, clock: Clock = time.perf_counter) -> None:
        if share is not None and not 0 < share <= 1:
            raise ValueError(
                f"budget: {share} is not a share of the training time such as 0.05, from above 0 "
                "to 1; None measures at every step, whatever it takes"
            )
        self.share = math.inf if share is None else share
        self.clock = clock
        self.spent = 0.0
        self.training = 0.0
        self.steps = 0
        self._entered = 0.0
        self._left: float | None = None
        self._costs: dict[str, deque[float]] = {}

    def enter(self) -> None:
        """What was since the last :meth:`leave` was training."""
        now = self.clock()
        if self._left is not None:
            self.training += now - self._left
        self._entered = now

    def leave(self) -> float:
        """Answers with the time since :meth:`enter`."""
        now = self.clock()
        taken = now - self._entered
        self.spent += taken
        self._left = now
        return taken

    @property
    def unlimited(self) -> bool:
        return self.share == math.inf

    @property
    def credit(self) -> float:
        """What may be spent now; negative where a measurement took longer than expected."""
        return math.inf if self.unlimited else self.share * self.training - self.spent

    @property
    def step(self) -> float:
        """Mean time of a training step."""
        return self.training / max(self.steps, 1)

    def allows(self, share: float, spent: float) -> bool:
        """Whether something that may take a share of the budget has spent less than that."""
        return self.unlimited or spent <= share * self.share * self.training

    def learn(self, kind: str, cost: float) -> None:
        self._costs.setdefault(kind, deque(maxlen=MEDIAN_OF)).append(cost)

    def cost(self, kind: str) -> float | None:
        known = self._costs.get(kind)
        return sorted(known)[(len(known) - 1) // 2] if known else None

    def state_dict(self) -> dict[str, Any]:
        return {
            "training": self.training,
            "spent": self.spent,
            "steps": self.steps,
            "costs": {kind: list(costs) for kind, costs in self._costs.items()},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.spent = float(state["spent"])
        self.training = float(state["training"])
        self.steps = int(state["steps"])
        self._costs = {k: deque(v, maxlen=MEDIAN_OF) for k, v in state["costs"].items()}
        self._left = self.clock()
