"""The JAX side of the Keras callback."""

from __future__ import annotations

from typing import Any

import keras

from .jax import JaxProbe
from .keras import metric, no_dropout
from .optimizer import Optimizer


class JaxSide:
    def __init__(
        self, model: Any, data: tuple[Any, Any], described: Optimizer, full_batch: bool
    ) -> None:
        if full_batch:
            raise ValueError("full_batch: Keras on JAX shows no gradients; leave it out")
        x, y = (keras.tree.map_structure(keras.ops.convert_to_tensor, part) for part in data)
        others = [variable.value for variable in model.non_trainable_variables]
        metrics = [variable.value for variable in model.metrics_variables]

        def loss(weights: Any, others: Any, x: Any, y: Any) -> Any:
            with no_dropout(model):
                output, others = model.stateless_call(weights, others, x, training=True)
                value, _ = model.stateless_compute_loss(
                    weights, others, metrics, x=x, y=y, y_pred=output, training=True
                )
            return value

        def trained() -> list[Any]:
            model.jax_state_sync()
            return [variable.value for variable in model.trainable_variables]

        self.probe = JaxProbe(
            trained(), loss, lambda _: metric(described, model.optimizer), (others, x, y)
        )
        self.probe.at(trained, lambda: None)

    def slopes(self) -> None:
        return None

    def leave(self) -> None:
        pass
