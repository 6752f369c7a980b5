"""What the log says about the optimizer, and the largest sharpness that is stable under it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Optimizer:
    """An optimizer by its name and parameters.

    :param name: ``gd``, ``momentum``, ``nesterov``, ``rmsprop``, ``adam``, ``adamw``, or another,
        whose threshold is unknown then
    :param beta: β of momentum and Nesterov, β₁ of Adam; for RMSProp its momentum
    :param beta2: decay of the second moment
    :param eps: what keeps the preconditioner from 0
    :param weight_decay: L₂ decay in the gradient; decoupled for ``adamw``, or where it is said
    :param dampening: the share of the gradient that momentum leaves out; β makes it a mean
    """

    name: str
    beta: float = 0.0
    beta2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 0.0
    dampening: float = 0.0
    decoupled: bool = False

    @property
    def preconditioned(self) -> bool:
        return self.name in ("rmsprop", "adam", "adamw")

    @property
    def decay_in_operator(self) -> float:
        """L₂ decay is part of the preconditioned Hessian, where the threshold cannot take it."""
        coupled = self.name in ("rmsprop", "adam") and not self.decoupled
        return self.weight_decay if coupled else 0.0

    def threshold(self, eta: float) -> float | None:
        """The largest stable sharpness at learning rate ``eta``; None where it is unknown.

        Cohen et al. 2021, arXiv:2103.00065 (gradient descent, momentum, Nesterov), and 2022,
        arXiv:2207.14484 (the preconditioned Hessian of RMSProp, Adam, AdamW).
        """
        if not eta > 0:
            return None
        beta = self.beta
        if self.name == "gd":
            return 2 / eta - self.weight_decay
        if self.name == "momentum":
            return (2 + 2 * beta) / ((1 - self.dampening) * eta) - self.weight_decay
        if self.name == "nesterov":
            return (2 + 2 * beta) / ((1 + 2 * beta) * eta) - self.weight_decay
        if self.name == "rmsprop":
            return (2 + 2 * beta) / eta
        if self.name == "adam":
            return (2 + 2 * beta) / ((1 - beta) * eta)
        if self.name == "adamw":
            return (2 - eta * self.weight_decay) * (1 + beta) / ((1 - beta) * eta)
        return None

    def header(self) -> dict[str, Any]:
        """The optimizer's part of the first line of the log."""
        said: dict[str, Any] = {"optimizer": self.name}
        if self.beta or self.name in ("momentum", "nesterov", "adam", "adamw"):
            said["beta"] = self.beta
        if self.preconditioned:
            said["beta2"] = self.beta2
            said["eps"] = self.eps
            said["preconditioned"] = True
        if self.dampening:
            said["dampening"] = self.dampening
        if self.decay_in_operator:
            said["decay_in_sharpness"] = self.decay_in_operator
        else:
            said["weight_decay"] = self.weight_decay
        return said
