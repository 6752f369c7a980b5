"""What the log says about the optimizer, and the largest sharpness that is stable under it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Optimizer:
    """An optimizer by its name and parameters.

    :param name: ``gd``, ``sgd`` (with batches), ``momentum``, ``nesterov``, ``rmsprop``, ``adam``, ``adamw``, or another,
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

        (2 + 2β)/η for momentum, by 1 − dampening; (2 + 2β)/((1 + 2β)η) for Nesterov;
        (2 + 2β₁)/((1 − β₁)η) for Adam. L₂ decay λ takes λ off; decoupled decay makes 2 of 2 − ηλ.

        Cohen et al. 2021, arXiv:2103.00065 (gradient descent, momentum, Nesterov), and 2022,
        arXiv:2207.14484 (the preconditioned Hessian of RMSProp, Adam, AdamW).
        """
        formula = self._formula()
        if formula is None or not eta > 0:
            return None
        top, share, less = formula
        return top(eta) * (1 + self.beta) / (share * eta) - less

    def _formula(self) -> tuple[Callable[[float], float], float, float] | None:
        """The threshold as top(η)(1 + β)/(share · η) − less."""
        decay = self.weight_decay
        decoupled = self.decoupled or self.name == "adamw"
        shares = {
            "gd": 1.0,
            "sgd": 1.0,
            "momentum": 1 - self.dampening,
            "nesterov": (1 + 2 * self.beta),
            "rmsprop": 1.0,
            "adam": 1 - self.beta,
            "adamw": 1 - self.beta,
        }
        share = shares.get(self.name)
        if share is None:
            return None
        if decoupled:
            return (lambda eta: 2 - eta * decay), share, 0.0
        return (lambda eta: 2.0), share, 0.0 if self.preconditioned else decay

    @property
    def expression(self) -> str | None:
        """The threshold of what a name and its usual parameters do not tell, for the log."""
        decoupled = self.decoupled and self.weight_decay > 0
        formula = self._formula()
        if formula is None or not (decoupled or (self.name == "rmsprop" and self.beta > 0)):
            return None
        top = "(2 - eta*lambda)" if decoupled else "2"
        return f"{top}*(1 + beta)/({formula[1]!r}*eta)"

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
        if self.expression:
            said["threshold_expression"] = self.expression
        if self.decay_in_operator:
            said["decay_in_sharpness"] = self.decay_in_operator
        else:
            said["weight_decay"] = self.weight_decay
        return said
