"""Trains a small network by full-batch gradient descent and prints its loss and sharpness, one line a step.

    python examples/train.py > examples/network.csv
    python examples/train.py | npx eos detect - --eta 0.6 --out network.parquet

One hidden layer of 32 tanh units learns cos(6x) on 40 points. The sharpness, the largest eigenvalue of the Hessian of
the loss, comes from power iteration with Hessian-vector products: differences of two gradients.
"""

import argparse
import sys

import numpy as np

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--eta", type=float, default=0.6, help="learning rate")
parser.add_argument("--steps", type=int, default=3000)
parser.add_argument("--seed", type=int, default=1)
options = parser.parse_args()

HIDDEN = 32
x = np.linspace(-1, 1, 40)[:, None]
y = np.cos(6 * x)


def unpack(theta):
    """The weights and biases that lie one behind the other in theta."""
    w1, b1, w2, b2 = np.split(theta, [HIDDEN, 2 * HIDDEN, 3 * HIDDEN])
    return w1[None, :], b1, w2[:, None], b2


def loss_and_gradient(theta):
    """Half the mean squared error, and its gradient by the chain rule."""
    w1, b1, w2, b2 = unpack(theta)
    hidden = np.tanh(x @ w1 + b1)
    error = hidden @ w2 + b2 - y
    back = (error @ w2.T) * (1 - hidden**2) / len(x)
    gradient = [
        (x.T @ back).ravel(),
        back.sum(0),
        (hidden.T @ error).ravel() / len(x),
        error.mean(0),
    ]
    return 0.5 * np.mean(error**2), np.concatenate(gradient)


def hessian_times(theta, direction, width=1e-5):
    """The Hessian times a unit vector, as the slope of the gradient along it."""
    ahead = loss_and_gradient(theta + width * direction)[1]
    behind = loss_and_gradient(theta - width * direction)[1]
    return (ahead - behind) / (2 * width)


def sharpness(theta, vector, tolerance=1e-4, most=200):
    """The largest eigenvalue, and its eigenvector, from which the next step goes on."""
    value = 0.0
    for _ in range(most):
        product = hessian_times(theta, vector)
        before, value = value, vector @ product
        vector = product / np.linalg.norm(product)
        if abs(value - before) < tolerance * abs(value):
            break
    return value, vector


random = np.random.default_rng(options.seed)
scales = np.repeat([0.4, 0.2, 0.5 / np.sqrt(HIDDEN), 0.0], [HIDDEN, HIDDEN, HIDDEN, 1])
theta = scales * random.normal(size=scales.size)
vector = random.normal(size=theta.size)
vector /= np.linalg.norm(vector)

print("step,loss,sharpness")
for step in range(options.steps + 1):
    loss, gradient = loss_and_gradient(theta)
    value, vector = sharpness(theta, vector)
    print(f"{step},{loss:.6g},{value:.6g}")
    sys.stdout.flush()
    theta = theta - options.eta * gradient
