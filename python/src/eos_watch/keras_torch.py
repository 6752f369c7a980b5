"""The PyTorch side of the Keras callback."""

from __future__ import annotations

from typing import Any

import keras
import torch
from torch import Tensor

from .directions import Slopes
from .keras import metric, no_dropout
from .optimizer import Optimizer
from .torch import TorchProbe


class TorchSide:
    def __init__(
        self, model: Any, data: tuple[Any, Any], described: Optimizer, full_batch: bool
    ) -> None:
        x, y = (keras.tree.map_structure(keras.ops.convert_to_tensor, part) for part in data)

        def loss() -> Tensor:
            # Moving means and seeds are variables here, not buffers.
            others = [*model.non_trainable_variables, *model.metrics_variables]
            before = [variable.value.detach().clone() for variable in others]
            try:
                with no_dropout(model):
                    return _loss(model, x, y)
            finally:
                with torch.no_grad():
                    for variable, value in zip(others, before):
                        variable.value.copy_(value)

        def scales() -> list[Tensor] | None:
            parts = metric(described, model.optimizer)
            return None if parts is None else [part**-0.5 for part in parts]

        parameters = [variable.value for variable in model.trainable_variables]
        self.probe = TorchProbe(model, loss, parameters, scales)
        self._before: Tensor | None = None

    def slopes(self) -> Slopes | None:
        """The gradient of the step was taken at the weights that the step before left."""
        before, self._before = self._before, self.probe.weights().clone()
        if before is None:
            # Nor is it at the weights of a measurement.
            self.probe.directions.forget()
            return None
        return self.probe.slopes(before)

    def leave(self) -> None:
        self._before = None
        self.probe.directions.forget()


def _loss(model: Any, x: Any, y: Any) -> Tensor:
    output = model(x, training=True)
    loss: Tensor = model.compute_loss(x=x, y=y, y_pred=output, training=True)
    return loss
