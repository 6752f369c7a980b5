"""Decides at each step what the budget allows to measure, and writes the row."""

from __future__ import annotations

import math
import os
import statistics
import warnings
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np

from .aftereffects import BARE, REST
from .budget import Budget, Clock
from .directions import Slopes
from .edge import edge_columns
from .log import Log
from .optimizer import Optimizer
from .ritz import Top, Vector, fewest_products, track

# Products of one measurement, however much was saved.
MOST = 60
# A sharpness is called so when its error bar is within this share; else it is a `ritz_value`.
CALLED_SHARPNESS = 0.05
# Where the ratio to the threshold is nearer to 1 than this, it matters most.
NEAR = 0.2
# Changes of the ratio that are worth a measurement, near the threshold and far from it.
CHANGE_NEAR, CHANGE_FAR = 0.02, 0.1
# Measurements that may be saved up for when it matters.
SAVED = 6
# How much more often than the budget brings in a measurement may be made when it matters.
HASTE = 4.0
# Shares of the budget for looking at steps and writing their lines, for signals from gradients, and
# for curvature along the update.
SHARE_LOOKS, SHARE_GRADIENTS, SHARE_FORWARD = 0.3, 0.3, 0.15
# A curvature takes the weights and gradients of up to so many neighbouring steps.
BURST = 3
# However small the budget is, one step of so many is looked at.
RAREST = 1000
# Steps' worth of time of what was not timed yet: loss and gradient with a graph, one product,
# one loss alone.
GUESS = {"gradient": 1.5, "product": 2.0, "forward": 0.4}
# The signal of the gradients is the median of so many.
MEDIAN_OF = 5
# A loss beyond its running level by this share, and by so many usual deviations, is a spike.
SPIKE_RISE, SPIKE_DEVIATIONS = 0.1, 4.0


class Sample(Protocol):
    """The loss at the present weights, differentiable twice, in the optimizer's metric."""

    gradient: Vector
    rounding: float

    def product(self, vector: Vector) -> Vector: ...
    def random(self) -> Vector: ...


class Probe(Protocol):
    """What a framework must be able to do, each leaving the training as it was."""

    @property
    def has_update(self) -> bool:
        """Whether the weights before the last update are known."""
        ...

    def want_update(self) -> None: ...
    def update_curvature(self) -> float | None: ...
    def sample(self) -> AbstractContextManager[Sample]: ...
    def contradiction(self, vector: Vector, value: float) -> str | None:
        """Why a curvature cannot be right, where that is so."""
        ...

    def batch_sharpness(self) -> tuple[float, float] | None: ...
    def wait(self) -> None: ...
    def keep(self, vectors: Sequence[Vector], gradient: Vector) -> None: ...


class Recorder:
    """The part of a watch that knows no framework."""

    def __init__(
        self,
        probe: Probe,
        optimizer: Optimizer,
        log: str | os.PathLike[str],
        budget: float | None,
        clock: Clock,
        header: dict[str, Any],
        *,
        keep: int,
        tolerance: float,
        every: int,
    ) -> None:
        if keep < 1 or every < 1 or not 0 < tolerance < 1:
            raise ValueError(
                f"keep={keep}, every={every}, tolerance={tolerance}: "
                "keep and every are whole numbers from 1 up, tolerance lies between 0 and 1"
            )
        self.probe = probe
        self.optimizer = optimizer
        self.budget = Budget(budget, clock)
        self.log = Log(
            log, {**optimizer.header(), **header, "eigenvalues": keep, "budget": budget}
        )
        self.keep = keep
        self.tolerance = tolerance
        self.every = every
        self.top: Top | None = None
        self.broken: str | None = None
        self._unwritten = False
        self._level: float | None = None
        self._deviation = 0.0
        self._spiked = False
        self._last_ratio: float | None = None
        # Of the ratio a step; known from the second measurement on, as is what one usually costs.
        self._trend: float | None = None
        self._last_step = 0
        self._curvatures: deque[float] = deque(maxlen=MEDIAN_OF)
        self._forward = 0.0
        self._gradients = 0.0
        self._burst = 0
        self._spiking = False
        self._passed_over = 0
        self._looks = 0
        # In the step that goes on: all that the watch took, and the slopes' part of it.
        self._taken = 0.0
        self._slopes: float | None = None
        self._last: dict[str, Any] = {}
        # Steps that are passed over before the next one is looked at.
        self.idle = 0

    @property
    def vectors(self) -> tuple[Vector, ...]:
        return self.top.vectors if self.top else ()

    @property
    def last(self) -> dict[str, Any]:
        """The row that was written last."""
        return dict(self._last)

    def time_idle(self, call: Callable[[], object]) -> None:
        """Times a call that passes over a step."""
        self.idle = RAREST
        self.budget.time_idle(call)
        self.idle = self._passed_over = 0

    def pass_over(self, wait: Callable[[], object] | None = None) -> None:
        """Says that nothing is looked at in a step.

        :param wait: waits for what the step left to be computed, where steps do not by themselves:
            bare ones are then timed together, else one by one
        """
        self.idle -= 1
        self._passed_over += 1
        if self.idle > BARE or self._passed_over + self.idle < REST:
            return
        if wait and self.idle not in (0, BARE):
            return
        if wait:
            wait()
        self.budget.stamp()

    def wants_slopes(self) -> bool:
        """Whether the budget allows the signals of the gradients at this step."""
        if not self.vectors or self.broken:
            return False
        if self._burst > 0:
            self._burst -= 1
            return True
        cost = (self.budget.cost("slopes") or 0.0) + self._look()
        allowed = self.budget.allows(SHARE_GRADIENTS, self._gradients + BURST * cost)
        if allowed or (self._spiking and self.budget.credit >= cost):
            self._burst = BURST - 1
            return True
        return False

    def took_slopes(self, cost: float) -> None:
        self._slopes = cost
        self.budget.learn("slopes", cost)

    def record(
        self,
        step: int,
        loss: float,
        lr: float,
        slopes: Slopes | None = None,
        more: dict[str, Any] | None = None,
    ) -> None:
        """Measures what is due and allowed, and writes the row of this step.

        To be called between ``enter`` and ``leave`` of the budget, which belong to who calls.
        """
        self.budget.settle(1 + self._passed_over)
        self._passed_over = 0
        threshold = self.optimizer.threshold(lr)
        self._take_loss(loss)
        row: dict[str, Any] = {"step": step, "loss": loss, "lr": lr, "kind": "loss"}
        if more:
            row.update(more)
        if slopes:
            self._add_slopes(row, slopes, threshold)
        if not self.broken and math.isfinite(loss):
            self._measure(row, step, threshold)
        if step % self.every == 0 or row["kind"] not in ("loss", "gradient"):
            self._write(row)
        self._last = row

    def _write(self, row: dict[str, Any]) -> None:
        if self._unwritten:
            return
        begun = self.log.begun
        try:
            self.log.write(row)
        except OSError as error:
            if not begun:
                raise
            # A full disk is no reason to end the training.
            self._unwritten = True
            reason = error.strerror or str(error)
            warnings.warn(f"eos_watch writes no more: {reason}", RuntimeWarning, stacklevel=5)

    def leave_hook(self) -> None:
        """Ends what comes before the call in a step."""
        self._taken += self.budget.leave()

    def leave(self) -> None:
        """Ends a call of the watch, and decides how many steps are passed over now."""
        budget = self.budget
        taken, slopes = self._taken + budget.leave(), self._slopes
        self._taken, self._slopes = 0.0, None
        kind = self._last.get("kind")
        looked = kind in ("loss", "gradient")
        if looked:
            budget.learn("look", taken - (slopes or 0.0))
        budget.did("look" if looked else "measured", taken)
        if slopes is None:
            self._looks += 1
        else:
            self._gradients += slopes + self._look()
        # The step behind a measurement is looked at, since it tells the aftereffect.
        swift = self._burst > 0 or (self._spiking and budget.credit > 0) or not looked
        self.idle = 0 if swift else self._rest()
        if self.idle:
            self._looks = 0

    def _look(self) -> float:
        """What looking at a step takes."""
        cost = self.budget.cost("look") or 0.0
        return cost + self.budget.after("look", cost)

    def _rest(self) -> int:
        """Steps to pass over, so that looks stay within their share of the budget."""
        cost, step = self._look(), self.budget.step
        if self.budget.unlimited or not cost or step <= 0:
            return 0
        due = self._looks * cost / (SHARE_LOOKS * self.budget.share * step)
        return max(self.budget.rests(), min(RAREST, math.ceil(due)) - self._looks)

    def _measure(self, row: dict[str, Any], step: int, threshold: float | None) -> None:
        try:
            products = self._products_due(step, threshold)
            if products > 0:
                self._track(row, step, threshold, products)
            elif self._forward_due():
                if self.probe.has_update:
                    self._measure_forward(row)
                else:
                    self.probe.want_update()
        except np.linalg.LinAlgError:
            # Products that are not finite; the next ones may be.
            return
        except Exception as error:
            # A run of days is worth more than its sharpness, whatever went wrong.
            self.broken = str(error).strip().split("\n")[0] or type(error).__name__
            row["watch_error"] = self.broken
            warnings.warn(f"eos_watch measures no more: {self.broken}", RuntimeWarning, stacklevel=5)

    def _take_loss(self, loss: float) -> None:
        if not math.isfinite(loss):
            return
        if self._level is None:
            self._level = loss
            return
        rise = loss - self._level
        scale = max(SPIKE_RISE * abs(self._level), SPIKE_DEVIATIONS * self._deviation)
        self._spiking = rise > scale
        self._spiked = self._spiked or self._spiking
        bounded = max(-scale, min(scale, rise)) if scale > 0 else rise
        self._deviation += 0.05 * (abs(bounded) - self._deviation)
        self._level += 0.1 * bounded

    def _add_slopes(
        self, row: dict[str, Any], slopes: Slopes, threshold: float | None
    ) -> None:
        row["kind"] = "gradient"
        if slopes.curvatures and math.isfinite(slopes.curvatures[0]):
            row["gradient_curvature"] = slopes.curvatures[0]
            self._curvatures.append(slopes.curvatures[0])
        if self.top and threshold is not None:
            row.update(edge_columns(self.top.values, slopes.slopes, threshold))

    def _cost(self, kind: str) -> float:
        """Time that one of a kind takes: as measured, or from what was, or from a step."""
        known = self.budget.cost(kind)
        if known is not None:
            return known
        forward = self.budget.cost("forward")
        if forward is not None:
            return forward * GUESS[kind] / GUESS["forward"]
        return self.budget.step * GUESS[kind]

    def _products_due(self, step: int, threshold: float | None) -> int:
        """Products that a measurement may take now; 0 where it is not due or not affordable."""
        if self.budget.unlimited:
            return MOST
        if self.budget.cost("forward") is None:
            # One loss tells first what the rest will cost.
            return 0
        converged = self.top is not None and self.top.holds(CALLED_SHARPNESS)
        fewest = fewest_products(len(self.vectors), self.keep)
        gradient, product = self._cost("gradient"), self._cost("product")
        credit = self.budget.credit
        if credit < gradient + fewest * product:
            return 0
        usual = gradient + (self.keep + 3) * product
        if converged:
            # Savings are spent at a few times the rate at which they came, not all at once.
            if (step - self._last_step) * self.budget.share * self.budget.step * HASTE < usual:
                return 0
            if credit < SAVED * usual and not self._matters(step, threshold):
                return 0
        return min(MOST, int((credit - gradient) / product)) if product > 0 else MOST

    def _matters(self, step: int, threshold: float | None) -> bool:
        """Whether the sharpness is likely to have moved enough to be measured out of turn."""
        if threshold is None or self._last_ratio is None or self._trend is None or not self.top:
            return True
        if self._spiked:
            return True
        ratio = self._last_ratio + self._trend * (step - self._last_step)
        if len(self._curvatures) == MEDIAN_OF:
            ratio = statistics.median(self._curvatures) / threshold
        near = abs(ratio - 1) < NEAR or abs(self._last_ratio - 1) < NEAR
        return abs(ratio - self._last_ratio) > (CHANGE_NEAR if near else CHANGE_FAR)

    def _forward_due(self) -> bool:
        cost = 3 * self._cost("forward")
        if self.budget.credit < cost:
            return False
        if self.budget.cost("forward") is None:
            return True
        return self.budget.allows(SHARE_FORWARD, self._forward + cost)

    def _measure_forward(self, row: dict[str, Any]) -> None:
        clock = self.budget.clock
        self.probe.wait()
        start = clock()
        curvature = self.probe.update_curvature()
        self.probe.wait()
        cost = clock() - start
        self._forward += cost
        self.budget.learn("forward", cost / 3)
        if curvature is not None and math.isfinite(curvature):
            row["kind"] = "forward"
            row["update_curvature"] = curvature

    def _track(
        self, row: dict[str, Any], step: int, threshold: float | None, most: int
    ) -> None:
        clock = self.budget.clock
        self.probe.wait()
        start = clock()
        with self.probe.sample() as sample:
            gradient = sample.gradient
            self.probe.wait()
            opened = clock()
            if not math.isfinite(float(gradient @ gradient)):
                # A loss that is not finite has no curvature.
                return
            top = track(
                sample.product,
                sample.random,
                self.vectors or (gradient,),
                keep=self.keep,
                tolerance=self.tolerance,
                most=most,
                rounding=sample.rounding,
            )
            slopes = [float(vector @ gradient) for vector in top.vectors]
            tracked = clock()
            if self.top is None:
                self._check(gradient, sample.product(gradient))
        self.budget.learn("gradient", opened - start)
        self.budget.learn("product", (tracked - opened) / top.products)
        if not all(map(math.isfinite, top.values)):
            return
        self.top = top
        self.probe.keep(top.vectors, gradient)
        # The next gradient shows whether gradients are those of this loss.
        self._burst = max(self._burst, 1)
        self._say(row, top)
        if threshold is not None and "edge_energy" not in row:
            row.update(edge_columns(top.values, slopes, threshold))
        batch = self.probe.batch_sharpness()
        if batch:
            row["batch_sharpness"] = batch[0]
            if math.isfinite(batch[1]):
                row["batch_sharpness_error"] = batch[1]
        self._remember(step, threshold, top)

    def _check(self, gradient: Vector, image: Vector) -> None:
        """Once, along the gradient: whether the products are those of the loss at all."""
        squared = float(gradient @ gradient)
        if squared > 0:
            unit = gradient * (1 / math.sqrt(squared))
            wrong = self.probe.contradiction(unit, float(gradient @ image) / squared)
            if wrong:
                raise RuntimeError(wrong)

    def _say(self, row: dict[str, Any], top: Top) -> None:
        row["products"] = top.products
        if not top.holds(CALLED_SHARPNESS):
            row["kind"] = "ritz"
            row["ritz_value"], row["ritz_error"] = top.values[0], top.error
            return
        row["kind"] = "sharpness"
        row["sharpness"], row["sharpness_error"] = top.values[0], top.error
        for i, value in enumerate(top.values[1:], 2):
            row[f"sharpness_{i}"] = value

    def _remember(self, step: int, threshold: float | None, top: Top) -> None:
        self._spiked = False
        self._curvatures.clear()
        if threshold is None or not top.holds(CALLED_SHARPNESS):
            return
        ratio = top.values[0] / threshold
        if self._last_ratio is not None and step > self._last_step:
            self._trend = (ratio - self._last_ratio) / (step - self._last_step)
        self._last_ratio, self._last_step = ratio, step

    def state_dict(self, export: Callable[[Vector], Any]) -> dict[str, Any]:
        """All that a resumed watch needs to go on as if it had not been stopped."""
        return {
            "version": 3,
            "budget": self.budget.state_dict(),
            "position": self.log.position(),
            "top": None
            if self.top is None
            else {
                "values": self.top.values,
                "error": self.top.error,
                "vectors": [export(vector) for vector in self.top.vectors],
                "products": self.top.products,
            },
            "level": self._level,
            "deviation": self._deviation,
            "spiked": self._spiked,
            "ratio": self._last_ratio,
            "trend": self._trend,
            "step": self._last_step,
            "curvatures": list(self._curvatures),
            "forward": self._forward,
            "gradients": self._gradients,
            "burst": self._burst,
            "spiking": self._spiking,
            "idle": self.idle,
            "passed_over": self._passed_over,
            "looks": self._looks,
        }

    def load_state_dict(self, state: dict[str, Any], adopt: Callable[[Any], Vector]) -> None:
        if state.get("version") != 3:
            raise ValueError(f"this state has version {state.get('version')!r}; known is 3")
        self.budget.load_state_dict(state["budget"])
        self.log.resume(state["position"])
        top = state["top"]
        self.top = top and Top(
            tuple(top["values"]),
            float(top["error"]),
            tuple(adopt(vector) for vector in top["vectors"]),
            int(top["products"]),
        )
        self._level = state["level"]
        self._deviation = state["deviation"]
        self._spiked = state["spiked"]
        self._last_ratio = state["ratio"]
        self._trend = state["trend"]
        self._last_step = state["step"]
        self._curvatures = deque(state["curvatures"], maxlen=MEDIAN_OF)
        self._forward = state["forward"]
        self._gradients = state["gradients"]
        self._burst = state["burst"]
        self._spiking = state["spiking"]
        self.idle = state["idle"]
        self._passed_over = state["passed_over"]
        self._looks = state["looks"]
