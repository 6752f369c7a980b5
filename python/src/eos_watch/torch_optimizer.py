"""What a ``torch.optim`` optimizer is, and the metric that it moves in."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import Tensor

from .optimizer import Optimizer

NAMES = {"RMSprop": "rmsprop", "Adam": "adam", "AdamW": "adamw"}

# What the threshold depends on; a decay of its own for some parameters hardly moves it.
DECISIVE = ("momentum", "nesterov", "dampening", "betas")


def plain(optimizer: Any) -> Any:
    """The optimizer inside the wrappers of accelerate and Lightning."""
    while not isinstance(optimizer, torch.optim.Optimizer) or type(optimizer).__name__ in (
        "AcceleratedOptimizer",
    ):
        inner = getattr(optimizer, "optimizer", None) or getattr(optimizer, "_optimizer", None)
        if inner is None:
            raise TypeError(f"{type(optimizer).__name__} is not an optimizer of torch.optim")
        optimizer = inner
    return optimizer


def describe(optimizer: torch.optim.Optimizer) -> Optimizer:
    """Name and parameters, those of the first group; it warns where others have another threshold."""
    group = optimizer.param_groups[0]
    odd = [
        name
        for name in DECISIVE
        if any(other.get(name) != group.get(name) for other in optimizer.param_groups)
    ]
    if odd:
        warnings.warn(
            f"eos_watch: the groups of the optimizer differ in {', '.join(odd)}; "
            "the threshold is that of the first group",
            RuntimeWarning,
            stacklevel=3,
        )
    kind = _kind(optimizer)
    decay = float(group.get("weight_decay", 0.0))
    if kind == "SGD":
        beta = float(group["momentum"])
        name = "nesterov" if group["nesterov"] else "momentum" if beta else "gd"
        dampening = float(group["dampening"]) if beta else 0.0
        return Optimizer(name, beta=beta, weight_decay=decay, dampening=dampening)
    if kind == "RMSprop":
        return Optimizer(
            "rmsprop",
            beta=float(group["momentum"]),
            beta2=float(group["alpha"]),
            eps=float(group["eps"]),
            weight_decay=decay,
        )
    if kind in ("Adam", "AdamW"):
        # Since 2.6 Adam can decouple its decay too.
        decoupled = kind == "AdamW" or bool(group.get("decoupled_weight_decay"))
        beta, beta2 = group["betas"]
        return Optimizer(
            "adamw" if decoupled else "adam",
            beta=float(beta),
            beta2=float(beta2),
            eps=float(group["eps"]),
            weight_decay=decay,
        )
    return Optimizer(kind.lower(), weight_decay=decay)


def scales(optimizer: torch.optim.Optimizer) -> list[Tensor] | None:
    """P^(−1/2) for each trained parameter; None where it is 1 for all.

    Of Adam (Cohen et al. 2022, arXiv:2207.14484): P = (1 − β₁ᵗ)(√(ν/(1 − β₂ᵗ)) + ε); of RMSprop
    √ν + ε. A group with a learning rate of its own moves in a metric of its own.
    """
    kind = _kind(optimizer)
    first = float(optimizer.param_groups[0]["lr"])
    parts: list[Tensor] = []
    trivial = True
    for group in optimizer.param_groups:
        rate = float(group["lr"]) / first if first > 0 else 1.0
        for p in group["params"]:
            if not p.requires_grad:
                continue
            metric = _metric(kind, group, optimizer.state.get(p))
            trivial = trivial and metric is None and rate == 1.0
            one = torch.ones_like(p, dtype=torch.float64 if p.dtype == torch.float64 else None)
            part = one if metric is None else metric.to(one.dtype).rsqrt()
            parts.append(part * rate**0.5)
    return None if trivial else parts


def _metric(kind: str, group: dict[str, Any], state: Any) -> Tensor | None:
    if not state:
        return None
    eps = float(group.get("eps", 0.0))
    if kind == "RMSprop":
        second = state["square_avg"]
        if group["centered"]:
            second = second - state["grad_avg"] ** 2
        return _wide(second).clamp_min(0).sqrt() + eps
    if kind in ("Adam", "AdamW"):
        beta, beta2 = group["betas"]
        t = float(state["step"])
        second = _wide(state["max_exp_avg_sq"] if group["amsgrad"] else state["exp_avg_sq"])
        corrected = (second / (1 - float(beta2) ** t)).sqrt() + eps
        metric: Tensor = corrected * (1 - float(beta) ** t)
        return metric
    return None


def _wide(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.dtype in (torch.float16, torch.bfloat16) else tensor


def _kind(optimizer: torch.optim.Optimizer) -> str:
    """The class of torch.optim that it is, or derives from."""
    for kind in type(optimizer).__mro__:
        if kind.__module__.startswith("torch.optim") and kind.__name__ in ("SGD", *NAMES):
            # AdamW derives from Adam and comes first.
            return kind.__name__
    return type(optimizer).__name__
