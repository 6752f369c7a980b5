"""How much time the watch may take, and what each kind of measurement costs."""

from __future__ import annotations

import math
import statistics
import time
from collections import deque
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from .aftereffects import BARE, REST, Aftereffects

Clock = Callable[[], float]

# A cost is the lower median of so many: the first time of anything takes long, and so does what had
# to wait for other processes.
MEDIAN_OF = 5
# An aftereffect beyond so many times the work it comes from is the noise of long steps.
MOST_AFTER = 4.0
# Steps between two rests that are made to time bare ones: few first, twice as many behind each.
FIRST_STEPS, MOST_STEPS = 32, 1024
# Calls that are timed to know what one that does nothing takes, and how much longer one takes
# between the steps of a training than in a loop that finds all of it in the cache.
IDLE_CALLS, COLD = 100, 4.0


class Budget:
    """Keeps the time of the watch under ``share`` of the time that training takes.

    All that happens between :meth:`enter` and :meth:`leave` is the watch's: measuring, looking at
    gradients, lines of the log; so are calls that pass over a step, and what the steps behind a
    call take longer. The rest is the training. Time is what ``clock`` says, in any unit.

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
        # Of a call that passes over a step.
        self.idle_call = 0.0
        self._after = Aftereffects()
        # What the last call did, and how long it took.
        self._work: tuple[str, float] = ("", 0.0)
        # Training since that call, while it is not settled.
        self._between = 0.0
        self._last_steps = 1
        # What passed before bare steps began, and when they and some of them ended.
        self._head = 0.0
        self._stamps: list[float] = []
        self._since_rest = 0
        self._most_steps = FIRST_STEPS
        self._entered = 0.0
        self._left: float | None = None
        self._costs: dict[str, deque[float]] = {}

    def enter(self) -> None:
        """What was since the last :meth:`leave` was the training's, or an aftereffect."""
        now = self.clock()
        if self._left is not None:
            self._between += now - self._left
        self._entered = now

    def leave(self) -> float:
        """Answers with the time since :meth:`enter`."""
        now = self.clock()
        taken = now - self._entered
        self.spent += taken
        self._left = now
        return taken

    def settle(self, steps: int) -> None:
        """Ends an interval of so many steps; all but the last were passed over."""
        time = max(0.0, self._between - (steps - 1) * self.idle_call)
        kind, taken = self._work
        after = min(self.after(kind, taken, steps), time)
        if len(self._stamps) < 2:
            self._after.learn(kind, steps, time)
            self._since_rest += steps
        else:
            head = steps - 1 - BARE
            self._after.learn(kind, head, self._head - head * self.idle_call)
            times = [late - early for early, late in pairwise(self._stamps)]
            self._after.bare(statistics.median(times) * len(times) / BARE - self.idle_call)
            self._since_rest = 0
        self._stamps = []
        self.spent += self._between - time + after
        self.training += time - after
        self.steps += steps
        self._between, self._last_steps = 0.0, steps

    def did(self, kind: str, taken: float) -> None:
        """Says what the call that ends did, and how long it took."""
        self._work = (kind, taken)

    def after(self, kind: str, taken: float, steps: int | None = None) -> float:
        """How much longer the training takes behind such work, for as many steps as last time."""
        known = self._after.of(kind, self._last_steps if steps is None else steps)
        return min(known, MOST_AFTER * taken)

    def stamp(self) -> None:
        """Says that bare steps begin, or that some have passed; each time as many."""
        now = self.clock()
        if not self._stamps and self._left is not None:
            self._head = now - self._left
        self._stamps.append(now)

    def rests(self) -> int:
        """Steps to pass over now so that bare ones are timed; 0 where that is not due."""
        if self._since_rest < self._most_steps:
            return 0
        self._most_steps = min(2 * self._most_steps, MOST_STEPS)
        return REST

    def time_idle(self, call: Callable[[], object]) -> None:
        """Times a call that passes over a step."""
        start = self.clock()
        for _ in range(IDLE_CALLS):
            call()
        self.idle_call = COLD * (self.clock() - start) / IDLE_CALLS

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
            "after": self._after.state_dict(),
            "work": self._work,
            "rests": (self._since_rest, self._most_steps, self._last_steps),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.spent = float(state["spent"])
        self.training = float(state["training"])
        self.steps = int(state["steps"])
        self._costs = {k: deque(v, maxlen=MEDIAN_OF) for k, v in state["costs"].items()}
        self._after.load_state_dict(state["after"])
        self._work = tuple(state["work"])
        self._since_rest, self._most_steps, self._last_steps = state["rests"]
        self._between, self._stamps = 0.0, []
        self._left = self.clock()
