"""The watch as a callback of Lightning's ``Trainer``."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .need import need

need("lightning", "eos_watch.lightning")

import lightning.pytorch as pl
import torch
from torch import Tensor

from .torch import Watch

BatchLoss = Callable[[Any, Any], Tensor]


class EosWatch(pl.Callback):
    """Measures the sharpness while a ``Trainer`` fits, and writes a line an optimizer step.

    Its state is part of Lightning's checkpoints.

    Example::

        pl.Trainer(max_epochs=10, callbacks=[EosWatch("train.ndjson")]).fit(module, loader)

    :param log: name of the log
    :param budget: the share of the training time that measuring may take
    :param batch: the batch that the sharpness is measured on; the first training batch unless given
    :param loss: ``loss(module, batch)``; what ``training_step`` returns unless given
    :param full_batch: says that each step sees all data, so that its gradient tells of the whole;
        else the last batches also give ``batch_sharpness``
    :param options: as of :class:`eos_watch.Watch`
    """

    def __init__(
        self,
        log: str | os.PathLike[str] = "train.ndjson",
        budget: float | None = 0.05,
        *,
        batch: Any = None,
        loss: BatchLoss | None = None,
        full_batch: bool = False,
        **options: Any,
    ) -> None:
        self._log = log
        self._budget = budget
        self._batch = batch
        self._loss = loss or _step_loss
        self._needs_step = loss is None
        self._full_batch = full_batch
        self._options = options
        self._recent: deque[Any] = deque(maxlen=options.get("batches", 4))
        self._losses: list[Tensor] = []
        self._steps = 0
        self._watch: Watch | None = None
        self._saved: dict[str, Any] | None = None

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if not trainer.is_global_zero:
            return
        if self._needs_step and not pl_module.automatic_optimization:
            raise ValueError("this module optimizes by itself; pass loss= to the EosWatch")
        self._steps = trainer.global_step
        self._watch = Watch(
            pl_module,
            lambda: self._loss(pl_module, self._batch),
            trainer.optimizers[0],
            self._log,
            self._budget,
            batch=None if self._full_batch else lambda: self._loss(pl_module, self._next_batch()),
            framework="lightning",
            **self._options,
        )
        if self._saved:
            self._watch.load_state_dict(self._saved)
            self._saved = None

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        if not self._watch:
            return
        if self._batch is None:
            self._batch = batch
        self._recent.append(batch)
        loss = outputs.get("loss") if isinstance(outputs, dict) else outputs
        if isinstance(loss, Tensor):
            # Each is its share of the step already.
            self._losses.append(loss.detach())
        if trainer.global_step == self._steps:
            return
        self._steps = trainer.global_step
        losses, self._losses = self._losses, []
        if losses:
            self._watch(self._steps - 1, float(torch.stack(losses).sum()))

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self._watch:
            self._watch.close()

    def state_dict(self) -> dict[str, Any]:
        return self._watch.state_dict() if self._watch else {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._saved = state_dict

    def _next_batch(self) -> Any:
        self._recent.rotate(-1)
        return self._recent[0]


def _step_loss(module: Any, batch: Any) -> Tensor:
    with _silent(module):
        output = module.training_step(batch, 0)
    loss: Tensor = output["loss"] if isinstance(output, dict) else output
    return loss


@contextmanager
def _silent(module: Any) -> Iterator[None]:
    """Keeps ``self.log`` in ``training_step`` from logging a measurement as a step."""

    def nothing(*_: Any, **__: Any) -> None:
        pass

    module.log = module.log_dict = nothing
    try:
        yield
    finally:
        del module.log, module.log_dict
