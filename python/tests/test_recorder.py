"""The ladder, the budget and the log, on a quadratic whose passes are counted."""

from __future__ import annotations

import json
import math
import os
import resource
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from eos_watch.aftereffects import REST
from eos_watch.budget import FIRST_STEPS, MOST_STEPS
from eos_watch.directions import Directions
from eos_watch.edge import edge_columns
from eos_watch.log import NOTE
from eos_watch.optimizer import Optimizer
from eos_watch.recorder import Recorder
from rows import measured, read

ETA = 0.1
THRESHOLD = 2 / ETA
SIZE = 40
# Forward 1, backward 2; a product differentiates both.
STEP, GRADIENT, PRODUCT, FORWARD = 3.0, 4.0, 6.0, 1.0


class Quadratic:
    """½ Σ hᵢ wᵢ² with a top eigenvalue that a test may move, and passes as time."""

    def __init__(self) -> None:
        self.values = np.concatenate([[10.0, 5.0, 3.0], np.linspace(0, 1, SIZE - 3)])
        self.weights = np.ones(SIZE)
        self.time = 0.0
        self.rng = np.random.default_rng(0)
        self.directions = Directions()
        self.previous: np.ndarray | None = None
        self.rounding = 1e-12
        self.fails = False
        # How much longer the next step takes.
        self.slower = 0.0

    @property
    def gradient(self) -> np.ndarray:
        return self.values * self.weights

    @contextmanager
    def sample(self) -> Iterator[Quadratic]:
        self.time += GRADIENT
        if self.fails:
            raise RuntimeError("derivative is not implemented\nwith details")
        yield self

    def contradiction(self, vector: np.ndarray, value: float) -> None:
        return None

    def product(self, vector: np.ndarray) -> np.ndarray:
        self.time += PRODUCT
        return self.values * vector

    def random(self) -> np.ndarray:
        return self.rng.normal(size=SIZE)

    def batch_sharpness(self) -> None:
        return None

    @property
    def has_update(self) -> bool:
        return self.previous is not None

    def want_update(self) -> None:
        self.previous = self.weights.copy()

    def update_curvature(self) -> float | None:
        assert self.previous is not None
        self.time += 3 * FORWARD
        move = self.weights - self.previous
        self.previous = None
        squared = float(move @ move)
        return float(move @ (self.values * move)) / squared if squared else None

    def wait(self) -> None:
        pass

    def keep(self, vectors: Any, gradient: Any) -> None:
        self.directions.keep(vectors, None, gradient.copy())


def recorder(probe: Quadratic, path: Path, budget: float | None, **options: Any) -> Recorder:
    settings: dict[str, Any] = {"keep": 3, "tolerance": 1e-3, "every": 1, **options}
    return Recorder(probe, Optimizer("gd"), path, budget, lambda: probe.time, {}, **settings)


def train(
    watch: Recorder, probe: Quadratic, steps: range, top: Any = lambda step: 10.0, loss: Any = None
) -> None:
    for step in steps:
        probe.values[0] = top(step)
        slopes = None
        watch.budget.enter()
        if not watch.idle and probe.directions.told and watch.wants_slopes():
            slopes = probe.directions.next(probe.gradient, probe.weights)
        else:
            probe.directions.forget()
        watch.budget.leave()
        probe.weights = probe.weights - ETA * probe.gradient
        # Keeps the swing in the first direction alive.
        probe.weights[0] = 0.01 * (-1) ** step
        probe.time += STEP + probe.slower
        probe.slower = 0.0
        if watch.idle:
            watch.pass_over()
            continue
        watch.budget.enter()
        watch.record(step, loss(step) if loss else 1.0, ETA, slopes)
        watch.leave()


@pytest.mark.parametrize("budget", [0.01, 0.05, 0.2])
def test_the_budget_is_kept_and_used(tmp_path: Path, budget: float) -> None:
    probe = Quadratic()
    watch = recorder(probe, tmp_path / "log.ndjson", budget)
    steps = 10_000
    for start in range(0, steps, 100):
        train(watch, probe, range(start, start + 100), lambda step: 10 + 10 * step / steps)
        spent, training = watch.budget.spent, watch.budget.training
        assert training == STEP * (start + 100)
        # Never ahead of it by more than one measurement that took longer than foreseen.
        assert spent <= budget * training + 20
    assert 0.5 * budget <= watch.budget.spent / watch.budget.training <= budget + 0.001


@pytest.mark.parametrize("budget", [0.01, 0.05, 0.2])
def test_lines_and_looks_count(tmp_path: Path, budget: float) -> None:
    probe = Quadratic()
    watch = recorder(probe, tmp_path / "log.ndjson", budget)
    write = watch.log.write

    def costly(row: dict[str, Any]) -> None:
        # A step takes but thirty times as long.
        probe.time += STEP / 30
        write(row)

    watch.log.write = costly  # type: ignore[method-assign]
    steps = 30_000
    train(watch, probe, range(steps), lambda step: 10 + 10 * step / steps)
    assert 0.5 * budget <= (probe.time - STEP * steps) / (STEP * steps) <= budget + 0.002
    _, rows = read(tmp_path / "log.ndjson")
    # At a fifth of the time all lines are affordable, at a hundredth one of twelve.
    lines = {0.01: 12, 0.05: 3, 0.2: 1}[budget]
    rests = REST * (math.log2(MOST_STEPS / FIRST_STEPS) + steps / MOST_STEPS)
    assert (steps - rests) / lines <= len(rows) <= 1.5 * steps / lines
    assert len(measured(rows)) > 10


@pytest.mark.parametrize("budget", [0.01, 0.05, 0.2])
def test_steps_that_are_slower_behind_the_watch_count(tmp_path: Path, budget: float) -> None:
    probe = Quadratic()
    watch = recorder(probe, tmp_path / "log.ndjson", budget)
    write = watch.log.write

    def costly(row: dict[str, Any]) -> None:
        probe.time += STEP / 30
        probe.slower = STEP / 20 if row["kind"] in ("loss", "gradient") else STEP
        write(row)

    watch.log.write = costly  # type: ignore[method-assign]
    steps = 20_000
    train(watch, probe, range(steps), lambda step: 10 + 10 * step / steps)
    spent = (probe.time - STEP * steps) / (STEP * steps)
    assert 0.5 * budget <= spent <= budget + 0.005
    # The ledger knows it, and what the training alone took.
    assert watch.budget.training == pytest.approx(STEP * steps, rel=0.005)
    assert len(measured(read(tmp_path / "log.ndjson")[1])) > 3


def test_a_training_whose_steps_differ_is_no_aftereffect(tmp_path: Path) -> None:
    probe = Quadratic()
    watch = recorder(probe, tmp_path / "log.ndjson", 0.05)
    write = watch.log.write
    rng = np.random.default_rng(0)

    def uneven(row: dict[str, Any]) -> None:
        probe.time += 1e-4 * STEP
        probe.slower = STEP * rng.exponential()
        write(row)

    watch.log.write = uneven  # type: ignore[method-assign]
    train(watch, probe, range(5000), lambda step: 10 + 10 * step / 5000)
    # At most a few times what the line took counts as its aftereffect.
    rows = read(tmp_path / "log.ndjson")[1]
    assert len(rows) > 4000 and len(measured(rows)) > 10


def test_without_a_limit_every_step_is_measured(tmp_path: Path) -> None:
    probe = Quadratic()
    train(recorder(probe, tmp_path / "log.ndjson", None), probe, range(50))
    assert [row["step"] for row in measured(read(tmp_path / "log.ndjson")[1])] == list(range(50))


def test_gradients_are_looked_at_while_the_loss_spikes(tmp_path: Path) -> None:
    probe = Quadratic()
    watch = recorder(probe, tmp_path / "log.ndjson", 0.2)
    watch._gradients = 1e9  # as if they had taken far more than their share
    train(watch, probe, range(2000), loss=lambda step: 3.0 if 1500 <= step < 1520 else 1.0)
    _, rows = read(tmp_path / "log.ndjson")
    # But for the one behind each measurement, which shows whether gradients are those of the loss.
    behind = {row["step"] + 1 for row in measured(rows)}
    looked = {row["step"] for row in rows if row["kind"] == "gradient"} - behind
    assert looked and all(1500 < step <= 1523 for step in looked)


def test_each_row_says_its_kind_and_cheap_kinds_are_not_called_sharpness(tmp_path: Path) -> None:
    probe = Quadratic()
    watch = recorder(probe, tmp_path / "log.ndjson", 0.2)
    train(watch, probe, range(3000), lambda step: 10 + 8 * step / 3000)
    _, rows = read(tmp_path / "log.ndjson")
    kinds = Counter(row["kind"] for row in rows)
    assert set(kinds) >= {"loss", "gradient", "forward", "sharpness"}
    for row in rows:
        assert ("sharpness" in row) == (row["kind"] == "sharpness")
        if "sharpness" in row:
            exact = 10 + 8 * row["step"] / 3000
            # It is the sharpness after the step.
            assert abs(row["sharpness"] - exact) <= row["sharpness_error"] + 1e-9
        if row["kind"] == "forward":
            assert 0 < row["update_curvature"] <= 18.1
        if row.get("gradient_curvature") is not None:
            assert row["gradient_curvature"] == pytest.approx(10 + 8 * row["step"] / 3000, rel=0.01)


def test_what_is_not_yet_sure_is_a_ritz_value(tmp_path: Path) -> None:
    probe = Quadratic()
    probe.values = np.sort(np.random.default_rng(1).uniform(9, 10, SIZE))[::-1].copy()
    watch = recorder(probe, tmp_path / "log.ndjson", 0.2, tolerance=1e-6)
    train(watch, probe, range(2000), lambda step: 10.0)
    _, rows = read(tmp_path / "log.ndjson")
    unsure = [row for row in rows if row["kind"] == "ritz"]
    for row in unsure:
        assert "sharpness" not in row and row["ritz_value"] <= 10 <= row["ritz_value"] + row["ritz_error"]


def test_it_measures_most_where_it_matters(tmp_path: Path) -> None:
    def share_near(top: Any) -> float:
        probe = Quadratic()
        path = tmp_path / "log.ndjson"
        train(recorder(probe, path, 0.05), probe, range(8000), top)
        steps = [row["step"] for row in measured(read(path)[1])]
        return sum(5000 <= step < 6000 for step in steps) / len(steps)

    # From half the threshold to over it between 5000 and 6000; else nothing moves.
    rising = share_near(lambda step: THRESHOLD * (0.5 + 0.55 * min(max(step - 5000, 0), 1000) / 1000))
    resting = share_near(lambda step: THRESHOLD * 0.5)
    assert rising > 1.8 * resting


def test_a_spike_is_measured_soon(tmp_path: Path) -> None:
    probe = Quadratic()
    watch = recorder(probe, tmp_path / "log.ndjson", 0.05)
    train(watch, probe, range(6000), loss=lambda step: 3.0 if step == 4321 else 1.0)
    steps = [row["step"] for row in measured(read(tmp_path / "log.ndjson")[1])]
    after = min(step for step in steps if step >= 4321)
    assert after - 4321 <= 60


def test_a_resumed_watch_writes_the_same_rows(tmp_path: Path) -> None:
    top = lambda step: 10 + 8 * step / 3000  # noqa: E731
    whole, cut = tmp_path / "whole.ndjson", tmp_path / "cut.ndjson"
    probe = Quadratic()
    train(recorder(probe, whole, 0.1), probe, range(3000), top)

    probe = Quadratic()
    watch = recorder(probe, cut, 0.1)
    train(watch, probe, range(1500), top)
    saved = watch.state_dict(np.copy)
    directions = probe.directions.state_dict(np.copy)
    kept = (probe.weights.copy(), probe.rng.bit_generator.state, probe.previous)
    train(watch, probe, range(1500, 1700), top)
    watch.log.close()

    probe = Quadratic()
    probe.weights, probe.rng.bit_generator.state, probe.previous = kept
    watch = recorder(probe, cut, 0.1)
    watch.load_state_dict(saved, np.copy)
    probe.directions.load_state_dict(directions, np.copy)
    train(watch, probe, range(1500, 3000), top)
    steps = [row["step"] for row in read(cut)[1]]
    assert steps == list(range(3000))
    assert measured(read(cut)[1]) == measured(read(whole)[1])


def test_a_state_of_another_version_is_refused(tmp_path: Path) -> None:
    watch = recorder(Quadratic(), tmp_path / "log.ndjson", 0.1)
    with pytest.raises(ValueError, match="version"):
        watch.load_state_dict({"version": 99}, np.copy)


def test_a_failed_measurement_costs_the_sharpness_and_not_the_run(tmp_path: Path) -> None:
    probe = Quadratic()
    probe.fails = True
    watch = recorder(probe, tmp_path / "log.ndjson", 0.2)
    with pytest.warns(RuntimeWarning, match="derivative is not implemented"):
        train(watch, probe, range(500))
    _, rows = read(tmp_path / "log.ndjson")
    assert [row["watch_error"] for row in rows if "watch_error" in row] == [
        "derivative is not implemented"
    ]
    assert len(rows) == 500


def test_every_line_is_on_disk_when_the_call_returns(tmp_path: Path) -> None:
    probe = Quadratic()
    path = tmp_path / "log.ndjson"
    watch = recorder(probe, path, 0.05)
    assert not path.exists()
    for step in range(50):
        train(watch, probe, range(step, step + 1))
        text = path.read_text()
        assert text.endswith("\n") and text.count("\n") == step + 2
    assert json.loads(text.split("\n")[0]) == {
        "eos": 1,
        "optimizer": "gd",
        "weight_decay": 0.0,
        "eigenvalues": 3,
        "budget": 0.05,
    }


def test_rows_can_be_thinned_but_measurements_stay(tmp_path: Path) -> None:
    probe = Quadratic()
    watch = recorder(probe, tmp_path / "log.ndjson", 0.2, every=10)
    train(watch, probe, range(1000), lambda step: 10 + 8 * step / 1000)
    _, rows = read(tmp_path / "log.ndjson")
    assert measured(rows)
    for row in rows:
        assert row["step"] % 10 == 0 or row["kind"] not in ("loss", "gradient")


def test_an_old_log_is_replaced_and_another_file_is_not(tmp_path: Path) -> None:
    old = tmp_path / "old.ndjson"
    for _ in range(2):
        probe = Quadratic()
        train(recorder(probe, old, 0.05), probe, range(5))
        assert len(read(old)[1]) == 5
    other = tmp_path / "thesis.txt"
    other.write_text("precious\n")
    with pytest.raises(FileExistsError, match="not a log of eos_watch"):
        recorder(Quadratic(), other, 0.05)
    assert other.read_text() == "precious\n"
    with pytest.raises(FileNotFoundError, match="does not exist"):
        recorder(Quadratic(), tmp_path / "none" / "log.ndjson", 0.05)
    with pytest.raises(IsADirectoryError, match="folder"):
        recorder(Quadratic(), tmp_path, 0.05)


def test_a_disk_that_is_full_costs_the_log_and_not_the_run(tmp_path: Path) -> None:
    probe = Quadratic()
    path = tmp_path / "log.ndjson"
    watch = recorder(probe, path, 0.05)
    train(watch, probe, range(5))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 90, before[1]))
    try:
        with pytest.warns(RuntimeWarning, match="writes no more"):
            train(watch, probe, range(5, 50))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    watch.log.close()
    assert 6 <= path.read_text().count("\n") < 10
    with pytest.raises(OSError):
        train(recorder(probe, Path("/dev/full"), 0.05), probe, range(1))


def test_a_folder_that_may_not_be_written_is_told_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As for who is not root.
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(PermissionError, match="another place"):
        recorder(Quadratic(), tmp_path / "log.ndjson", 0.05)


def test_a_log_that_another_watch_takes_is_left_to_it(tmp_path: Path) -> None:
    first, second = Quadratic(), Quadratic()
    old, new = (recorder(probe, tmp_path / "log.ndjson", 0.05) for probe in (first, second))
    train(old, first, range(5))
    train(new, second, range(5))
    with pytest.warns(RuntimeWarning, match="another watch has taken"):
        train(old, first, range(5, 10))
    train(new, second, range(5, 10))
    assert [row["step"] for row in read(tmp_path / "log.ndjson")[1]] == list(range(10))


def test_who_started_the_program_is_told_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = tmp_path / "note"
    monkeypatch.setenv(NOTE, os.fspath(note))
    monkeypatch.chdir(tmp_path)
    probe = Quadratic()
    train(recorder(probe, Path("log.ndjson"), 0.05), probe, range(1))
    assert note.read_text() == f"{tmp_path}/log.ndjson\n"


def test_nonsense_is_refused_at_once(tmp_path: Path) -> None:
    for options in ({"keep": 0}, {"every": 0}, {"tolerance": 0.0}):
        with pytest.raises(ValueError, match="whole numbers"):
            recorder(Quadratic(), tmp_path / "log.ndjson", 0.05, **options)
    for budget in (0, -1, 2, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="is not a share of the training time"):
            recorder(Quadratic(), tmp_path / "log.ndjson", budget)
    assert not (tmp_path / "log.ndjson").exists()


def test_a_loss_that_is_not_finite_is_written_and_measured_no_more(tmp_path: Path) -> None:
    probe = Quadratic()
    watch = recorder(probe, tmp_path / "log.ndjson", None)
    train(watch, probe, range(10), loss=lambda step: float("nan") if step > 4 else 1.0)
    _, rows = read(tmp_path / "log.ndjson")
    assert [row["step"] for row in measured(rows)] == [0, 1, 2, 3, 4]
    assert len(rows) == 10 and not any("watch_error" in row for row in rows)


def test_a_value_of_a_framework_is_written_as_a_number(tmp_path: Path) -> None:
    watch = recorder(Quadratic(), tmp_path / "log.ndjson", 0.05)
    watch.budget.enter()
    watch.record(0, 1.0, ETA, None, {"accuracy": np.float32(0.5), "note": object})
    assert read(tmp_path / "log.ndjson")[1][0]["accuracy"] == 0.5


def test_edge_energy_is_the_loss_over_the_midpoint_of_the_swing() -> None:
    # Along an eigenvector at the threshold a step goes from x to −x: the loss of the midpoint is 0.
    x = 0.3
    said = edge_columns([THRESHOLD, 4.0], [THRESHOLD * x, 7.0], THRESHOLD)
    assert said["edge_directions"] == 1
    assert said["edge_energy"] == pytest.approx(THRESHOLD * x * x / 2)
    assert said["edge_energies"] == [said["edge_energy"]]
    two = edge_columns([THRESHOLD, 0.9 * THRESHOLD], [1.0, 2.0], THRESHOLD)
    assert two["edge_directions"] == 2 and sum(two["edge_energies"]) == two["edge_energy"]
