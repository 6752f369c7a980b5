from __future__ import annotations

import numpy as np
import pytest
from eos_watch.optimizer import Optimizer

ETA = 0.02


def grows(optimizer: Optimizer, sharpness: float) -> bool:
    """Whether the optimizer's own recursion on ½ S x² grows; P of the adaptive ones is 1."""
    o, x, v, steps = optimizer, 1.0, 0.0, 4000
    sizes = []
    for _ in range(steps):
        g = sharpness * x
        if not o.decoupled and o.name != "adamw":
            g += o.weight_decay * x
        if o.name in ("gd", "momentum", "nesterov"):
            v = o.beta * v + (1 - o.dampening) * g
            move = g + o.beta * v if o.name == "nesterov" else v
        elif o.name == "rmsprop":
            v = o.beta * v + g
            move = v
        else:
            v = o.beta * v + (1 - o.beta) * g
            move = v
        if o.name == "adamw" or o.decoupled:
            x *= 1 - ETA * o.weight_decay
        x -= ETA * move
        sizes.append(abs(x))
        if abs(x) > 1e100 or abs(x) < 1e-100:
            break
    return bool(np.mean(sizes[-20:]) > np.mean(sizes[len(sizes) // 2 :][:20]))


@pytest.mark.parametrize(
    "optimizer",
    [
        Optimizer("gd"),
        Optimizer("gd", weight_decay=3.0),
        Optimizer("momentum", beta=0.9),
        Optimizer("momentum", beta=0.9, dampening=0.9),
        Optimizer("momentum", beta=0.5, weight_decay=2.0),
        Optimizer("nesterov", beta=0.9),
        Optimizer("rmsprop"),
        Optimizer("rmsprop", beta=0.5),
        Optimizer("adam", beta=0.9),
        Optimizer("adamw", beta=0.9, weight_decay=5.0),
        Optimizer("momentum", beta=0.9, weight_decay=5.0, decoupled=True),
        Optimizer("nesterov", beta=0.9, weight_decay=5.0, decoupled=True),
        Optimizer("rmsprop", beta=0.5, weight_decay=5.0, decoupled=True),
        Optimizer("adam", beta=0.9, weight_decay=5.0, decoupled=True),
    ],
    ids=str,
)
def test_the_threshold_is_where_the_recursion_turns(optimizer: Optimizer) -> None:
    threshold = optimizer.threshold(ETA)
    assert threshold is not None
    decay = optimizer.decay_in_operator
    assert not grows(optimizer, 0.995 * threshold - decay)
    assert grows(optimizer, 1.005 * threshold - decay)


def test_what_is_unknown_has_no_threshold() -> None:
    assert Optimizer("lion").threshold(0.1) is None
    assert Optimizer("gd").threshold(0.0) is None


def test_a_threshold_that_no_name_tells_is_said_as_an_expression() -> None:
    optimizer = Optimizer("nesterov", beta=0.5, weight_decay=2.0, decoupled=True)
    said = optimizer.header()
    value = eval(said["threshold_expression"].replace("lambda", "decay"),
                 {"eta": ETA, "beta": said["beta"], "decay": said["weight_decay"]})
    assert value == pytest.approx(optimizer.threshold(ETA))
    assert "threshold_expression" in Optimizer("rmsprop", beta=0.5).header()
    for name in ("gd", "momentum", "nesterov", "adam", "adamw", "rmsprop"):
        assert "threshold_expression" not in Optimizer(name, weight_decay=0.1).header()


def test_the_header_says_what_a_detector_needs() -> None:
    assert Optimizer("adamw", beta=0.9, weight_decay=0.1).header() == {
        "optimizer": "adamw",
        "beta": 0.9,
        "beta2": 0.999,
        "eps": 1e-8,
        "preconditioned": True,
        "weight_decay": 0.1,
    }
    assert Optimizer("gd").header() == {"optimizer": "gd", "weight_decay": 0.0}
    # Coupled decay is in the preconditioned Hessian already: the threshold must not lose it again.
    coupled = Optimizer("adam", beta=0.9, weight_decay=0.1).header()
    assert coupled["decay_in_sharpness"] == 0.1 and "weight_decay" not in coupled
