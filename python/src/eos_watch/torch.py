"""The watch for PyTorch: Hessian-vector products by differentiating twice."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from .need import need

need("torch", "eos_watch.Watch (for JAX there is eos_watch.jax)")

import torch
from torch import Tensor, nn

from .budget import Clock
from .directions import Directions, Slopes
from .freeze import HALF, frozen
from .optimizer import Optimizer
from .recorder import Recorder
from .torch_optimizer import describe, plain, scales

Loss = Callable[[], Tensor]

# Relative error of a Hessian-vector product, in units of the last place: seen with BatchNorm.
ROUNDING = 512
# Move of the weights, by their length, that a difference of gradients is taken over.
DIFFERENCE = 1e-3


class Watch:
    """Measures the sharpness of a module while it trains, and writes a line a step.

    Call it once a step, behind ``optimizer.step()``. The training goes on to the same bits as
    without it. Where a measurement fails (no second derivative, no memory) it warns, measures no
    more, and goes on writing the loss.

    Example::

        watch = Watch(model, lambda: loss_fn(model(X), y), optimizer, "train.ndjson", budget=0.05)
        for step in range(1000):
            loss = loss_fn(model(X), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            watch(step, loss)

    :param model: the module whose dropout, BatchNorm and buffers are held still meanwhile
    :param loss: the loss whose Hessian is meant, on the same data at each call
    :param optimizer: a ``torch.optim`` optimizer; its parameters are those that count, and its
        preconditioner (RMSprop, Adam, AdamW) is the metric
    :param log: name of the log, or ``-`` for standard output
    :param budget: the share of the training time that the watch may take; None measures at every
        step
    :param batch: the loss of another mini-batch at each call: adds ``batch_sharpness``. Gradients
        of single batches then say nothing about the whole, and are not looked at
    :param batches: how many mini-batches one ``batch_sharpness`` is the mean of
    :param keep: eigenvalues that are tracked
    :param tolerance: relative error bar at which a measurement ends
    :param every: write each so many-th row of those that hold no measurement
    :param framework: said in the first line of the log
    :param clock: what tells the time that is budgeted
    """

    def __init__(
        self,
        model: nn.Module,
        loss: Loss,
        optimizer: Any,
        log: str | os.PathLike[str] = "train.ndjson",
        budget: float | None = 0.05,
        *,
        batch: Loss | None = None,
        batches: int = 4,
        keep: int = 3,
        tolerance: float = 1e-3,
        every: int = 1,
        framework: str = "pytorch",
        clock: Clock = time.perf_counter,
    ) -> None:
        if not isinstance(model, nn.Module):
            raise TypeError(f"model: {type(model).__name__} is not a module of torch.nn")
        if not callable(loss):
            raise TypeError(
                "loss: give a function that computes the loss anew at each call, such as "
                "lambda: loss_fn(model(X), y)"
            )
        self._optimizer = plain(optimizer)
        described = describe(self._optimizer)
        if batch is not None and described.name == "gd":
            described = replace(described, name="sgd")
        self._probe = TorchProbe(
            model,
            loss,
            _parameters(self._optimizer),
            lambda: scales(self._optimizer),
            batch,
            batches,
            described.decay_in_operator,
        )
        self._recorder = Recorder(
            self._probe,
            described,
            log,
            budget,
            clock,
            {"framework": framework, "parameters": self._probe.size},
            keep=keep,
            tolerance=tolerance,
            every=every,
        )
        self._slopes: Slopes | None = None
        self._lr: float | None = None
        self._first = _first_process()
        self._wait = None if self._probe.waits_for_itself else self._probe.wait
        self._handle: Any = None
        self._listen(self._first)
        self._recorder.time_idle(lambda: self(0, 0.0))

    def __call__(self, step: int, loss: Tensor | float, **more: Any) -> None:
        """Writes the row of a step; ``more`` are further values for it."""
        recorder = self._recorder
        if recorder.idle:
            recorder.pass_over(self._wait)
            if not recorder.idle:
                self._listen(True)
            return
        if not self._first:
            return
        if isinstance(loss, Tensor):
            loss = loss.detach()
            if not loss.is_cpu:
                # What it waits for is the step's.
                loss = float(loss)
        recorder.budget.enter()
        value = float(loss)
        slopes, self._slopes = self._slopes, None
        lr = self._lr if self._lr is not None else float(self._optimizer.param_groups[0]["lr"])
        self._lr = None
        recorder.record(int(step), value, lr, slopes, more)
        recorder.leave()
        if recorder.idle:
            self._probe.directions.forget()
            self._listen(False)

    @property
    def last(self) -> dict[str, Any]:
        """The row that was written last."""
        return self._recorder.last

    @property
    def optimizer(self) -> Optimizer:
        return self._recorder.optimizer

    def close(self) -> None:
        """Closes the log, and lets go of the optimizer. The rows are safe without it."""
        self._listen(False)
        self._recorder.log.close()

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def state_dict(self) -> dict[str, Any]:
        """For the checkpoint: what is tracked, what was spent, and how long the log is."""
        state = self._recorder.state_dict(self._probe.export)
        return {**state, "probe": self._probe.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on where the checkpoint was made; rows behind it leave the log."""
        self._recorder.load_state_dict(state, self._probe.adopt)
        self._probe.load_state_dict(state["probe"])
        self._listen(self._first and not self._recorder.idle)

    def _listen(self, on: bool) -> None:
        """Sees gradients before each step, or not: a hook costs also where it does nothing."""
        if on and not self._handle:
            self._handle = self._optimizer.register_step_pre_hook(self._before_step)
        elif self._handle and not on:
            self._handle.remove()
            self._handle = None

    def _before_step(self, *_: Any) -> None:
        recorder, probe = self._recorder, self._probe
        if not recorder.vectors:
            self._lr = float(self._optimizer.param_groups[0]["lr"])
            return
        probe.wait()
        recorder.budget.enter()
        self._lr = float(self._optimizer.param_groups[0]["lr"])
        if probe.batch is None and probe.directions.told and recorder.wants_slopes():
            start = recorder.budget.clock()
            self._slopes = probe.slopes()
            recorder.took_slopes(recorder.budget.clock() - start)
        else:
            probe.directions.forget()
        recorder.leave_hook()


class TorchSample:
    """The graph of the loss and its gradient at the present weights."""

    def __init__(
        self,
        loss: Tensor,
        parameters: Sequence[nn.Parameter],
        scale: Tensor | None,
        decay: float,
        generator: torch.Generator,
    ) -> None:
        self._parameters = parameters
        self._generator = generator
        self._scale = scale
        self._decay = decay
        slopes = torch.autograd.grad(
            loss, parameters, create_graph=True, allow_unused=True, materialize_grads=True
        )
        self._open = [i for i, slope in enumerate(slopes) if slope.requires_grad]
        self._slopes = [slopes[i] for i in self._open]
        self.gradient = self._scaled(flat([slope.detach() for slope in slopes]))
        self.rounding = ROUNDING * torch.finfo(self.gradient.dtype).eps

    def product(self, vector: Tensor) -> Tensor:
        """H v in the optimizer's metric: P^(−1/2) (H + decay) P^(−1/2) v."""
        scaled = self._scaled(vector)
        image: Tensor
        if self._open:
            parts = split(scaled, self._parameters)
            parts = [parts[i].to(slope.dtype) for i, slope in zip(self._open, self._slopes)]
            images = torch.autograd.grad(
                self._slopes,
                self._parameters,
                parts,
                retain_graph=True,
                allow_unused=True,
                materialize_grads=True,
            )
            image = flat([part.detach() for part in images])
        else:
            image = torch.zeros_like(scaled)
        if self._decay:
            image = image + self._decay * scaled
        return self._scaled(image)

    def random(self) -> Tensor:
        like = self.gradient
        return torch.randn(
            like.shape, generator=self._generator, device=like.device, dtype=like.dtype
        )

    def _scaled(self, vector: Tensor) -> Tensor:
        return vector if self._scale is None else vector * self._scale


class TorchProbe:
    """Measures a module by a loss function; ``scales`` answers P^(−1/2) for each parameter."""

    def __init__(
        self,
        model: nn.Module,
        loss: Loss,
        parameters: Sequence[nn.Parameter],
        scales: Callable[[], list[Tensor] | None],
        batch: Loss | None = None,
        batches: int = 4,
        decay: float = 0.0,
    ) -> None:
        if not parameters:
            raise ValueError("no parameter of the optimizer is trained; nothing has a sharpness")
        if batches < 1:
            raise ValueError(f"batches: {batches} is not a whole number from 1 up")
        self.model = model
        self.loss = loss
        self.batch = batch
        self.batches = batches
        self.parameters = parameters
        self.size = sum(p.numel() for p in parameters)
        self.decay = decay
        self._scales = scales
        self._generator = torch.Generator(parameters[0].device).manual_seed(0)
        self._previous: Tensor | None = None
        self._trusted = False
        self.directions = Directions()

    @contextmanager
    def sample(self) -> Iterator[TorchSample]:
        with frozen(self.model, self.parameters):
            yield self._open(self._value(self.loss))

    def batch_sharpness(self) -> tuple[float, float] | None:
        """Mean of g·Hg/‖g‖² over mini-batches, and the standard error of it.

        Andreyev and Beneventano 2024, arXiv:2412.20553; in the optimizer's metric.
        """
        if self.batch is None:
            return None
        values = []
        with frozen(self.model, self.parameters):
            for _ in range(self.batches):
                sample = self._open(self._value(self.batch))
                g = sample.gradient
                values.append(float(g @ sample.product(g)) / float(g @ g))
        mean = sum(values) / len(values)
        if len(values) < 2:
            return mean, float("nan")
        variance = sum((value - mean) ** 2 for value in values) / (len(values) - 1)
        return mean, (variance / len(values)) ** 0.5

    @property
    def has_update(self) -> bool:
        return self._previous is not None

    def want_update(self) -> None:
        self._previous = self.weights()

    def update_curvature(self) -> float | None:
        """Curvature of the loss along the last update, from three losses.

        (L(w + d) − 2 L(w) + L(w − d))/‖d‖²; None where rounding would drown it.
        """
        previous, self._previous = self._previous, None
        assert previous is not None
        move = self.weights() - previous
        scale = self._scale()
        length = float(torch.linalg.vector_norm(move if scale is None else move / scale)) ** 2
        losses = []
        with frozen(self.model, self.parameters), torch.no_grad():
            for factor in (-1.0, 0.0, 1.0):
                with self._moved(move, factor):
                    losses.append(float(_scalar(self._value(self.loss)).double()))
        before, now, after = losses
        rounding = 4 * torch.finfo(move.dtype).eps * abs(now)
        bend = before - 2 * now + after
        if length == 0 or abs(bend) < 10 * rounding:
            return None
        return bend / length

    def _value(self, loss: Loss) -> Tensor:
        """What the loss function answers, where it does nothing else.

        :raises RuntimeError: where it moves weights or gradients; the first time they are put back
        """
        before = _marks(self.parameters)
        copies = [] if self._trusted else [_copies(p) for p in self.parameters]
        value = loss()
        if _marks(self.parameters) == before:
            self._trusted = True
            return value
        with torch.no_grad():
            for p, (data, gradient, copy) in zip(self.parameters, copies):
                p.copy_(data)
                p.grad = gradient
                if gradient is not None and copy is not None:
                    gradient.copy_(copy)
        raise RuntimeError(
            "the loss function of the watch changes weights or gradients; let it compute the loss "
            "and return it, without backward() or step()"
        )

    def contradiction(self, vector: Tensor, value: float) -> str | None:
        """Holds a Rayleigh quotient against a difference of two gradients.

        Parts of a module that have no second derivative are not always errors: PyTorch takes some
        for constant, and the products are too small without a word.
        """
        scale = self._scale()
        along = vector if scale is None else vector * scale
        here = [p.data for p in self.parameters]
        move = DIFFERENCE * float(torch.linalg.vector_norm(flat(here)))
        move /= float(torch.linalg.vector_norm(along))
        slopes = []
        with frozen(self.model, self.parameters):
            for sign in (1.0, -1.0):
                with self._moved(along, sign * move):
                    parts = torch.autograd.grad(
                        _scalar(self.loss()), self.parameters, materialize_grads=True,
                        allow_unused=True,
                    )
                slopes.append(flat(parts))
        told = float((slopes[0] - slopes[1]) @ along) / (2 * move)
        told += self.decay * float(along @ along)
        noise = 1e-5 * float(torch.linalg.vector_norm(slopes[0])) / move
        if abs(told - value) <= 0.5 * max(abs(told), abs(value)) + noise:
            return None
        return (
            f"the second derivative along one direction is {value:.3g}, and gradients say "
            f"{told:.3g}: part of the model cannot be differentiated twice"
        )

    @contextmanager
    def _moved(self, direction: Tensor, factor: float) -> Iterator[None]:
        """The weights a part of the way along a direction; back to the same bits behind it."""
        here = [p.data for p in self.parameters]
        try:
            for p, data, part in zip(self.parameters, here, split(direction, self.parameters)):
                p.data = (data + factor * part).to(p.dtype)
            yield
        finally:
            for p, data in zip(self.parameters, here):
                p.data = data

    @property
    def waits_for_itself(self) -> bool:
        """Whether what a step calls for is computed when the call returns."""
        return self.parameters[0].device.type == "cpu"

    def wait(self) -> None:
        device = self.parameters[0].device
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    def keep(self, vectors: Sequence[Tensor], gradient: Tensor) -> None:
        """The directions along which gradients are looked at from now on."""
        self.directions.keep(vectors, self._scale(), gradient)

    def slopes(self, weights: Tensor | None = None) -> Slopes | None:
        """What the gradients say of the directions; they are of the present weights or of these."""
        gradients = [p.grad for p in self.parameters]
        if all(gradient is None for gradient in gradients):
            return None
        pairs = zip(self.parameters, gradients)
        gradient = flat([torch.zeros_like(p) if g is None else g.detach() for p, g in pairs])
        return self.directions.next(gradient, self.weights() if weights is None else weights)

    def weights(self) -> Tensor:
        return flat([p.detach() for p in self.parameters])

    def export(self, vector: Tensor) -> Tensor:
        return vector.cpu()

    def adopt(self, vector: Tensor) -> Tensor:
        if vector.numel() != self.size:
            raise ValueError(f"this state is of {vector.numel()} parameters, not {self.size}")
        return vector.to(self.parameters[0].device)

    def state_dict(self) -> dict[str, Any]:
        return {
            "directions": self.directions.state_dict(self.export),
            "previous": None if self._previous is None else self.export(self._previous),
            "generator": self._generator.get_state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.directions.load_state_dict(state["directions"], self.adopt)
        previous = state["previous"]
        self._previous = None if previous is None else self.adopt(previous)
        self._generator.set_state(state["generator"])

    def _open(self, loss: Tensor) -> TorchSample:
        scale, generator = self._scale(), self._generator
        return TorchSample(_scalar(loss), self.parameters, scale, self.decay, generator)

    def _scale(self) -> Tensor | None:
        parts = self._scales()
        return None if parts is None else flat(parts)


def _marks(parameters: Sequence[nn.Parameter]) -> list[tuple[int, int, int]]:
    """Changes where a weight or its gradient was written to."""
    return [
        (p._version, 0, -1) if p.grad is None else (p._version, p.grad.data_ptr(), p.grad._version)
        for p in parameters
    ]


def _copies(p: nn.Parameter) -> tuple[Tensor, Tensor | None, Tensor | None]:
    return p.detach().clone(), p.grad, None if p.grad is None else p.grad.clone()


def flat(tensors: Sequence[Tensor]) -> Tensor:
    """All of them as one vector, in single precision at least."""
    return torch.cat([t.reshape(-1).float() if t.dtype in HALF else t.reshape(-1) for t in tensors])


def split(vector: Tensor, like: Sequence[Tensor]) -> list[Tensor]:
    parts = torch.split(vector, [tensor.numel() for tensor in like])
    return [part.view(tensor.shape) for part, tensor in zip(parts, like)]


def _scalar(loss: Tensor) -> Tensor:
    if not isinstance(loss, Tensor) or loss.numel() != 1:
        raise RuntimeError("the loss function of the watch does not return one number")
    return loss.reshape(())


def _parameters(optimizer: Any) -> list[nn.Parameter]:
    return [p for group in optimizer.param_groups for p in group["params"] if p.requires_grad]


def _first_process() -> bool:
    distributed = torch.distributed
    if not distributed.is_available() or not distributed.is_initialized():
        return True
    return bool(distributed.get_rank() == 0)
