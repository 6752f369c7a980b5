"""What the watch costs: time with it over time without, by turns in one process.

Run as `PYTHONPATH=python/src:python/tests python bench/watch.py [NET] [ROUNDS] [SECONDS]`. Two copies
of a network train by turns of some steps, one of them watched, for so many seconds each; a figure is
the median over rounds of the time of the one over that of the other, less 1. Both on one thread, and
both as the wall's time and as the process's: these differ where other processes want the machine.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from eos_watch import Watch
from nets import NETS

CHOSEN = sys.argv[1:2] or list(NETS)
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 5
SECONDS = float(sys.argv[3]) if len(sys.argv) > 3 else 20.0
BUDGETS = (0.01, 0.05, 0.2)
TURN = 0.2


class Stopwatch:
    """Runs while it is wanted; the watch reads it too, for which other turns are no time."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.passed = 0.0
        self.since: float | None = None

    def __call__(self) -> float:
        return self.passed + (self.clock() - self.since if self.since is not None else 0.0)

    def start(self) -> None:
        self.since = self.clock()

    def stop(self) -> None:
        self.passed, self.since = self(), None


class Trainee:
    def __init__(self, net: str, budget: float | None, log: Path) -> None:
        self.model, self.loss = NETS[net]()
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.05)
        self.wall, self.process = Stopwatch(time.perf_counter), Stopwatch(time.process_time)
        self.step = 0
        self.watch: Watch | None = None
        if budget is not None:
            self.wall.start()
            self.process.start()
            self.watch = Watch(
                self.model, self.loss, self.optimizer, log, budget, clock=self.wall
            )
            self.process.stop()
            self.wall.stop()

    def train(self, steps: int) -> None:
        self.wall.start()
        self.process.start()
        for self.step in range(self.step + 1, self.step + steps + 1):
            value = self.loss()
            self.optimizer.zero_grad()
            value.backward()
            self.optimizer.step()
            if self.watch:
                self.watch(self.step, value)
        self.process.stop()
        self.wall.stop()


def overhead(net: str, budget: float, log: Path, turn: int, turns: int) -> tuple[float, float]:
    plain, watched = Trainee(net, None, log), Trainee(net, budget, log)
    for i in range(turns):
        for trainee in (plain, watched) if i % 2 else (watched, plain):
            trainee.train(turn)
    return watched.wall() / plain.wall() - 1, watched.process() / plain.process() - 1


torch.set_num_threads(1)
with tempfile.TemporaryDirectory() as name:
    log = Path(name) / "log.ndjson"
    for net in CHOSEN:
        first = Trainee(net, None, log)
        first.train(100)
        begun = first.process()
        first.train(100)
        turn = max(20, int(TURN / ((first.process() - begun) / 100)))
        for budget in BUDGETS:
            found = [
                overhead(net, budget, log, turn, max(2, round(SECONDS / TURN)))
                for _ in range(ROUNDS)
            ]
            wall, process = (statistics.median(f) for f in zip(*found))
            print(
                f"{net}, {1000 * TURN / turn:.2f} ms a step, budget {budget}: "
                f"{wall:+.4f} of the wall's time, {process:+.4f} of the process's",
                flush=True,
            )
