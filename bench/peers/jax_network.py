"""Gradient descent on a network in JAX (float64, one core, jit), with five Hessian-vector products a step and no file.

usage: jax_network.py LAYERS SAMPLES ETA STEPS      prints microseconds a step, of the processor and on the wall
"""
import os
import sys
import time

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[0]})

import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)
layers = [int(width) for width in sys.argv[1].split("-")]
samples, eta, steps = int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])

rng = np.random.default_rng(0)
inputs = jnp.asarray(rng.uniform(-1, 1, (samples, layers[0])))
targets = jnp.asarray(rng.uniform(-1, 1, (samples, layers[-1])))
sizes = list(zip(layers, layers[1:]))


def loss(theta):
    a, at = inputs, 0
    for i, (k, o) in enumerate(sizes):
        w, b = theta[at : at + k * o].reshape(k, o), theta[at + k * o : at + k * o + o]
        at += k * o + o
        a = a @ w + b
        if i < len(sizes) - 1:
            a = jnp.tanh(a)
    return 0.5 * jnp.mean((a - targets) ** 2)


@jax.jit
def step(theta, vectors):
    gradient, product = jax.linearize(jax.grad(loss), theta)
    # One vector after the other, as a solver needs them.
    products = jax.lax.map(product, vectors)
    return theta - eta * gradient, products, gradient


theta = jnp.asarray(np.concatenate([rng.normal(size=k * o + o) / np.sqrt(k) for k, o in sizes]))
vectors = jnp.asarray(rng.normal(size=(5, len(theta))))
jax.block_until_ready(step(theta, vectors))
start, wall = time.process_time(), time.perf_counter()
for _ in range(steps):
    theta, products, gradient = step(theta, vectors)
jax.block_until_ready(products)
print((time.process_time() - start) / steps * 1e6, (time.perf_counter() - wall) / steps * 1e6)
