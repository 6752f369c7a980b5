"""A clock that counts passes through a network, so that no test depends on a machine's speed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import torch
from torch import nn


class Passes:
    """Forward 1, backward 2, both again for a derivative of the gradient."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    @contextmanager
    def count(self, model: nn.Module) -> Iterator[Passes]:
        def forward(*_: Any) -> None:
            self.now += 1

        grad, backward = torch.autograd.grad, torch.Tensor.backward

        def counted_grad(outputs: Any, *args: Any, **kwargs: Any) -> Any:
            self.now += 4 if len(args) > 1 else 2
            return grad(outputs, *args, **kwargs)

        def counted_backward(tensor: Any, *args: Any, **kwargs: Any) -> Any:
            self.now += 2
            return backward(tensor, *args, **kwargs)

        hook = model.register_forward_hook(forward)
        with (
            mock.patch.object(torch.autograd, "grad", counted_grad),
            mock.patch.object(torch.Tensor, "backward", counted_backward),
        ):
            yield self
        hook.remove()
