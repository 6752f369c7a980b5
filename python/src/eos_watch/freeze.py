"""Measuring a PyTorch module without a trace: all that a measurement moves is put back."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.overrides import TorchFunctionMode

HALF = (torch.float16, torch.bfloat16)
# These normalize by the batch in training, which is part of the loss; all else is as in evaluation.
BATCH_NORMS = (
    nn.modules.batchnorm._BatchNorm,
    nn.modules.instancenorm._InstanceNorm,
)


@contextmanager
def frozen(model: nn.Module, parameters: Sequence[nn.Parameter]) -> Iterator[None]:
    """The module as its training loss sees it, to be differentiated twice.

    Dropout is off, BatchNorm uses its batch and keeps its running means, random states stand
    still, attention takes its differentiable path, and half precision becomes single precision.
    Everything is put back as it was, to the bit.
    """
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        stack.enter_context(_random_states())
        stack.enter_context(_modes(model))
        stack.enter_context(_buffers(model))
        stack.enter_context(_no_autocast())
        stack.enter_context(sdpa_kernel(SDPBackend.MATH))
        if "torch._dynamo" in sys.modules:
            # A compiled module has no second derivative. Only one that compiles has loaded this.
            stack.enter_context(torch.compiler.set_stance("force_eager"))
        if any(isinstance(module, nn.RNNBase) for module in model.modules()):
            # Its cuDNN kernels have no second derivative.
            stack.enter_context(torch.backends.cudnn.flags(enabled=False))
        if any(p.dtype in HALF for p in parameters):
            stack.enter_context(_single_precision(model))
        yield


@contextmanager
def _random_states() -> Iterator[None]:
    python, array = random.getstate(), np.random.get_state()
    # A device that was not used yet has no state, and must not be started for this.
    used = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    devices = range(torch.cuda.device_count()) if used else ()
    with torch.random.fork_rng(devices=devices):
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(array)


@contextmanager
def _modes(model: nn.Module) -> Iterator[None]:
    training = [(module, module.training) for module in model.modules()]
    try:
        for module, _ in training:
            if not isinstance(module, BATCH_NORMS):
                module.training = False
        yield
    finally:
        for module, was in training:
            module.training = was


@contextmanager
def _buffers(model: nn.Module) -> Iterator[None]:
    """Lets the module write into copies of its buffers."""
    originals: list[tuple[nn.Module, str, Tensor]] = []
    try:
        for module in model.modules():
            for name, buffer in list(module._buffers.items()):
                if buffer is not None:
                    originals.append((module, name, buffer))
                    module._buffers[name] = buffer.detach().clone()
        yield
    finally:
        for module, name, buffer in originals:
            module._buffers[name] = buffer


@contextmanager
def _no_autocast() -> Iterator[None]:
    """Single precision also where the loss function asks for autocast itself."""
    kind: Any = torch.amp.autocast_mode.autocast
    enter = kind.__enter__

    def enter_disabled(self: Any) -> Any:
        answer = enter(self)
        torch.set_autocast_enabled(self.device, False)
        return answer

    with ExitStack() as stack:
        for device in ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",):
            stack.enter_context(kind(device, enabled=False))
        kind.__enter__ = enter_disabled
        try:
            yield
        finally:
            kind.__enter__ = enter


@contextmanager
def _single_precision(model: nn.Module) -> Iterator[None]:
    originals = [(p, p.data) for p in model.parameters() if p.dtype in HALF]
    try:
        for parameter, data in originals:
            parameter.data = data.float()
        with _Upcast():
            yield
    finally:
        for parameter, data in originals:
            parameter.data = data


class _Upcast(TorchFunctionMode):
    """Turns each tensor in half precision that a function is given into single precision."""

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        answer = func(*_upcast(args), **_upcast(kwargs or {}))
        return _upcast(answer)


def _upcast(value: Any) -> Any:
    if isinstance(value, Tensor):
        # `Tensor.float` would come back here.
        if value.dtype not in HALF:
            return value
        with torch._C.DisableTorchFunction():
            return value.float()
    if type(value) in (tuple, list):
        return type(value)(_upcast(item) for item in value)
    if type(value) is dict:
        return {key: _upcast(item) for key, item in value.items()}
    return value
