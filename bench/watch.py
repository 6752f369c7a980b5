"""What the watch costs: wall time with it over wall time without, in one process, by turns.

Run as `PYTHONPATH=python/src:python/tests python bench/watch.py [ROUNDS] [SECONDS]`. A turn trains a
network for so many seconds' worth of steps; the ratio is that of medians over the rounds.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

import torch
from eos_watch import Watch
from nets import NETS

ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 5
SECONDS = float(sys.argv[2]) if len(sys.argv) > 2 else 20.0
BUDGETS = (0.01, 0.05, 0.2)


def turn(net: str, steps: int, budget: float | None, folder: Path) -> float:
    model, loss = NETS[net]()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    watch = None
    if budget is not None:
        watch = Watch(model, loss, optimizer, folder / "log.ndjson", budget)
    start = time.perf_counter()
    for step in range(steps):
        value = loss()
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        if watch:
            watch(step, value)
    return time.perf_counter() - start


torch.set_num_threads(1)
with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    for net in NETS:
        # Warm, then as many steps as fill the time.
        turn(net, 30, 0.2, folder)
        steps = max(100, int(SECONDS / (turn(net, 100, None, folder) / 100)))
        times: dict[float | None, list[float]] = {None: [], **{b: [] for b in BUDGETS}}
        for _ in range(ROUNDS):
            for budget in times:
                times[budget].append(turn(net, steps, budget, folder))
        plain = statistics.median(times[None])
        told = ", ".join(
            f"budget {b}: {statistics.median(times[b]) / plain - 1:+.3f}" for b in BUDGETS
        )
        print(f"{net}: {1000 * plain / steps:.2f} ms a step, {steps} steps; {told}", flush=True)
