"""What the watch costs: time with it over time without, in one process, by turns.

Run as `PYTHONPATH=python/src:python/tests python bench/watch.py [ROUNDS] [SECONDS]`. A turn trains a
network for so many seconds' worth of steps; a ratio is the median over rounds of that of two turns,
one behind the other. Time is that of the process, on one thread, so that other processes do not
count: on a machine that does nothing else it is the wall's.
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
        watch = Watch(
            model, loss, optimizer, folder / "log.ndjson", budget, clock=time.process_time
        )
    start = time.process_time()
    for step in range(steps):
        value = loss()
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        if watch:
            watch(step, value)
    return time.process_time() - start


torch.set_num_threads(1)
with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    for net in NETS:
        # Warm, then as many steps as fill the time.
        turn(net, 30, 0.2, folder)
        steps = max(100, int(SECONDS / (turn(net, 100, None, folder) / 100)))
        ratios: dict[float, list[float]] = {budget: [] for budget in BUDGETS}
        for _ in range(ROUNDS):
            for budget, found in ratios.items():
                plain = turn(net, steps, None, folder)
                found.append(turn(net, steps, budget, folder) / plain - 1)
        told = ", ".join(f"budget {b}: {statistics.median(r):+.3f}" for b, r in ratios.items())
        print(f"{net}: {1000 * plain / steps:.2f} ms a step, {steps} steps; {told}", flush=True)
