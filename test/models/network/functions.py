"""exp, ln, tanh and the normal distribution Φ at points drawn at random, to 40 digits, as JSON.

usage: functions.py COUNT > functions.json      (the file in this folder has 40 points a function)
Each entry is [x, value as float64, what is left of it in units of its last place].
"""
import json
import math
import random
import sys
from decimal import Decimal, getcontext

getcontext().prec = 60
PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494")


def tanh(x):
    e = (2 * x).exp()
    return (e - 1) / (e + 1)


def normal(x):
    """½ erfc(−x/√2): by the series of erf up to 6, by the continued fraction of erfc beyond."""
    z = abs(x) / Decimal(2).sqrt()
    if z < 5:
        getcontext().prec = 100
        term = total = z
        n = 0
        while abs(term) > Decimal(10) ** -90:
            n += 1
            term *= -z * z / n
            total += term / (2 * n + 1)
        tail = (1 - 2 / PI.sqrt() * total) / 2
        getcontext().prec = 60
    else:
        f = z
        for k in range(400, 0, -1):
            f = z + Decimal(k) / 2 / f
        tail = (-z * z).exp() / PI.sqrt() / f / 2
    return tail if x < 0 else 1 - tail


random.seed(1)
FUNCTIONS = {
    "exp": (lambda x: x.exp(), lambda: random.choice([1, 30, 700]) * random.uniform(-1, 1)),
    "log": (lambda x: x.ln(), lambda: random.choice([2 * random.random() + 0.1, math.exp(random.uniform(-700, 700))])),
    "tanh": (tanh, lambda: random.choice([0.7, 2, 20]) * random.uniform(-1, 1)),
    "normal": (normal, lambda: random.choice([1, 6, 6, 30]) * random.uniform(-1, 1)),
}


def entry(f, x):
    exact = f(Decimal(x))
    value = float(exact)
    return [x, value, float((exact - Decimal(value)) / Decimal(math.ulp(value)))]


count = int(sys.argv[1])
print(json.dumps({name: [entry(f, draw()) for _ in range(count)] for name, (f, draw) in FUNCTIONS.items()}))
