"""Loss, gradient, Hessian-vector product and top of the spectrum of five networks by JAX in float64, as JSON.

usage: reference.py POINTS > reference.json     (the file in this folder has one point a network)
Numbers are drawn by a generator that is exact in every language: x ← 16807 x mod 2³¹ − 1.
"""
import json
import sys

import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)

NETWORKS = [
    {"layers": [1, 12, 10, 1], "activation": "tanh", "loss": "mse", "count": 20},
    {"layers": [2, 10, 8, 3], "activation": "relu", "loss": "cross-entropy", "count": 15},
    {"layers": [3, 9, 7, 2], "activation": "gelu", "loss": "mse", "count": 11},
    {"layers": [4, 11, 5], "activation": "silu", "loss": "cross-entropy", "count": 13},
    {"layers": [2, 6, 6, 6, 1], "activation": "linear", "loss": "mse", "count": 9},
]

ACTIVATIONS = {
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
    "gelu": lambda z: jax.nn.gelu(z, approximate=False),
    "silu": jax.nn.silu,
    "linear": lambda z: z,
}


def draws(seed):
    x = seed
    while True:
        x = 16807 * x % 2147483647
        yield 2 * (x / 2147483647) - 1


def network(spec, inputs, targets):
    layers, act = spec["layers"], ACTIVATIONS[spec["activation"]]

    def loss(theta):
        a, at = inputs, 0
        for i, (k, o) in enumerate(zip(layers, layers[1:])):
            w = theta[at : at + k * o].reshape(o, k)
            b = theta[at + k * o : at + k * o + o]
            at += k * o + o
            a = a @ w.T + b
            if i < len(layers) - 2:
                a = act(a)
        if spec["loss"] == "mse":
            return 0.5 * jnp.mean((a - targets) ** 2)
        log_p = a - jax.nn.logsumexp(a, axis=1, keepdims=True)
        return -jnp.mean(jnp.take_along_axis(log_p, targets[:, None], axis=1))

    return loss


def case(index, spec, points):
    layers, n = spec["layers"], spec["count"]
    draw = draws(1000 + index)
    take = lambda count, scale=1.0: np.array([next(draw) * scale for _ in range(count)])
    inputs = take(n * layers[0]).reshape(n, layers[0])
    if spec["loss"] == "mse":
        targets = take(n * layers[-1]).reshape(n, layers[-1])
    else:
        targets = np.floor((take(n) + 1) / 2 * layers[-1]).astype(int)
    loss = network(spec, jnp.asarray(inputs), jnp.asarray(targets))
    value_and_grad = jax.jit(jax.value_and_grad(loss))
    product = jax.jit(lambda t, v: jax.jvp(jax.grad(loss), (t,), (v,))[1])
    hessian = jax.jit(jax.hessian(loss))
    found = []
    for _ in range(points):
        theta = np.concatenate([take(k * o + o, 1.5) for k, o in zip(layers, layers[1:])])
        v = take(len(theta))
        value, grad = value_and_grad(theta)
        values = np.linalg.eigvalsh(np.asarray(hessian(theta)))
        found.append({
            "loss": float(value),
            "gradient": np.asarray(grad).tolist(),
            "product": np.asarray(product(theta, v)).tolist(),
            "eigenvalues": values[::-1][:3].tolist(),
        })
    return {**spec, "points": found}


print(json.dumps([case(i, spec, int(sys.argv[1])) for i, spec in enumerate(NETWORKS)]))
