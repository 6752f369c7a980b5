"""The watch as a callback of Hugging Face's ``Trainer``."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .need import need

need("torch", "eos_watch.huggingface")
need("transformers", "eos_watch.huggingface")

import torch
from torch import Tensor
from transformers import TrainerCallback

from .torch import Watch

STATE_FILE = "eos_watch.pt"

BatchLoss = Callable[[Any, dict[str, Any]], Tensor]


class EosWatch(TrainerCallback):
    """Measures the sharpness while a ``Trainer`` trains, and writes a line an optimizer step.

    Its state is saved with each checkpoint and found again by ``resume_from_checkpoint``.

    Example::

        trainer = Trainer(model, args, train_dataset=data, callbacks=[EosWatch("train.ndjson")])

    :param log: name of the log
    :param budget: the share of the training time that measuring may take
    :param batch: the inputs of the model that the sharpness is measured on; the first training
        batch unless given
    :param loss: ``loss(model, inputs)``; the ``loss`` that the model answers with unless given
    :param full_batch: says that each step sees all data, so that its gradient tells of the whole;
        else the last batches also give ``batch_sharpness``
    :param options: as of :class:`eos_watch.Watch`
    """

    def __init__(
        self,
        log: str | os.PathLike[str] = "train.ndjson",
        budget: float | None = 0.05,
        *,
        batch: dict[str, Any] | None = None,
        loss: BatchLoss | None = None,
        full_batch: bool = False,
        **options: Any,
    ) -> None:
        self._log = log
        self._budget = budget
        self._batch = batch
        self._loss = loss or _model_loss
        self._full_batch = full_batch
        self._options = options
        self._recent: deque[dict[str, Any]] = deque(maxlen=options.get("batches", 4))
        self._losses: list[Tensor] = []
        self._summed = False
        self._logged: float | None = None
        self._watch: Watch | None = None
        self._hook: Any = None

    def on_train_begin(
        self, args: Any, state: Any, control: Any, model: Any = None, optimizer: Any = None, **_: Any
    ) -> None:
        if not state.is_world_process_zero:
            return
        self._hook = model.register_forward_hook(self._saw, with_kwargs=True)
        self._watch = Watch(
            model,
            lambda: self._loss(model, self._fixed_batch()),
            optimizer,
            self._log,
            self._budget,
            batch=None if self._full_batch else lambda: self._loss(model, self._next_batch()),
            framework="huggingface",
            **self._options,
        )
        saved = Path(args.output_dir, f"checkpoint-{state.global_step}", STATE_FILE)
        if state.global_step > 0 and saved.is_file():
            self._watch.load_state_dict(torch.load(saved, weights_only=False))

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if not self._watch:
            return
        loss = self._step_loss()
        if loss is not None:
            self._watch(state.global_step - 1, loss)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        self._logged = (logs or {}).get("loss", self._logged)

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        folder = Path(args.output_dir, f"checkpoint-{state.global_step}")
        if self._watch and folder.is_dir():
            torch.save(self._watch.state_dict(), folder / STATE_FILE)

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if self._watch:
            self._hook.remove()
            self._watch.close()
            self._watch = None

    def _saw(self, module: Any, args: Any, kwargs: dict[str, Any], output: Any) -> None:
        # A measurement runs the module as in evaluation.
        if not module.training:
            return
        inputs = {name: value for name, value in kwargs.items() if name != "num_items_in_batch"}
        if self._batch is None:
            self._batch = inputs
        self._recent.append(inputs)
        loss = output.get("loss") if hasattr(output, "get") else None
        if isinstance(loss, Tensor):
            self._losses.append(loss.detach())
            self._summed = kwargs.get("num_items_in_batch") is not None

    def _step_loss(self) -> float | None:
        """Of all batches that went into the step; what was logged where the model told none."""
        losses, self._losses = self._losses, []
        if not losses:
            return self._logged
        total = float(torch.stack(losses).sum())
        return total if self._summed else total / len(losses)

    def _fixed_batch(self) -> dict[str, Any]:
        assert self._batch is not None
        return self._batch

    def _next_batch(self) -> dict[str, Any]:
        self._recent.rotate(-1)
        return self._recent[0]


def _model_loss(model: Any, inputs: dict[str, Any]) -> Tensor:
    output = model(**inputs)
    loss = output.get("loss") if hasattr(output, "get") else None
    if loss is None:
        raise RuntimeError("the model returns no loss; pass loss= to the EosWatch")
    tensor: Tensor = loss
    return tensor
