from __future__ import annotations

import numpy as np
import pytest
from eos_watch.ritz import COLD, LARGEST_BASIS, error_bar, track


def operator(values: np.ndarray, seed: int) -> np.ndarray:
    q, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(len(values), len(values))))
    return (q * values) @ q.T


def spectrum(kind: str, rng: np.random.Generator) -> np.ndarray:
    bulk = rng.normal(size=197) * 0.05
    tops = {
        "apart": [10.0, 4.0, 2.0],
        "close": [10.0, 9.99, 9.9],
        "one": [10.0, 0.1, 0.0],
        "negative": [5.0, -20.0, 1.0],
    }
    return np.concatenate([tops[kind], bulk])


@pytest.mark.parametrize("kind", ["apart", "close", "one", "negative"])
@pytest.mark.parametrize("seed", range(5))
def test_finds_the_largest_and_its_bar_is_true(kind: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = spectrum(kind, rng)
    matrix = operator(values, seed)
    top = track(lambda v: matrix @ v, lambda: rng.normal(size=200), [rng.normal(size=200)])
    exact = values.max()
    assert top.error <= 1e-3 * exact
    assert top.values[0] <= exact * (1 + 1e-9)
    assert exact - top.values[0] <= top.error


def test_a_bar_that_stops_early_is_true_too() -> None:
    rng = np.random.default_rng(1)
    values = np.concatenate([[10.0, 8.0, 7.0], rng.uniform(0, 5, 197)])
    matrix = operator(values, 1)
    for most in range(COLD, 30):
        start = [matrix @ rng.normal(size=200)]
        top = track(lambda v: matrix @ v, lambda: rng.normal(size=200), start, most=most)
        assert top.products <= most
        assert 10.0 - top.values[0] <= top.error


def test_follows_eigenvalues_that_cross_at_few_products_a_step() -> None:
    rng = np.random.default_rng(2)
    q, _ = np.linalg.qr(rng.normal(size=(80, 80)))
    bulk = rng.normal(size=77) * 0.1
    kept = [rng.normal(size=80)]
    products = []
    for t in range(200):
        # Two eigenvalues cross every 50 steps, while the eigenvectors turn.
        values = np.concatenate(
            [[10 + np.sin(t * np.pi / 50), 10 - np.sin(t * np.pi / 50), 6.0], bulk]
        )
        turn, _ = np.linalg.qr(np.eye(80) + 1e-4 * rng.normal(size=(80, 80)))
        q = q @ turn
        top = track(
            lambda v: (q * values) @ (q.T @ v), lambda: rng.normal(size=80), kept, tolerance=1e-4
        )
        kept = list(top.vectors)
        products.append(top.products)
        assert abs(top.values[0] - values.max()) <= top.error
        assert top.error <= 1e-4 * values.max()
    assert np.mean(products) < 7


def test_a_restart_costs_no_product_and_finds_the_same() -> None:
    rng = np.random.default_rng(3)
    matrix = operator(np.linspace(0, 1, 300), 3)
    count = 0

    def product(v: np.ndarray) -> np.ndarray:
        nonlocal count
        count += 1
        return matrix @ v

    top = track(product, lambda: rng.normal(size=300), [rng.normal(size=300)], most=200)
    assert top.products == count > LARGEST_BASIS
    assert 1 - top.values[0] <= top.error <= 1e-3


def test_an_operator_of_small_rank_is_no_trouble() -> None:
    rng = np.random.default_rng(4)
    u = rng.normal(size=50)
    u /= np.linalg.norm(u)
    top = track(lambda v: 3 * u * (u @ v), lambda: rng.normal(size=50), [u, u, 2 * u])
    assert top.values[0] == pytest.approx(3, rel=1e-5)
    zero = track(lambda v: 0 * v, lambda: rng.normal(size=50), [], most=10)
    assert zero.values[0] == 0 and zero.error <= 1e-6


def test_error_bar_of_a_two_by_two_case() -> None:
    # [[1, ε], [ε, 0]] has its largest eigenvalue at (1 + √(1 + 4ε²))/2.
    eps = 0.1
    bar = error_bar(np.array([1.0, 0.0]), np.array([eps, 0.0]))
    assert bar == pytest.approx((np.sqrt(1 + 4 * eps**2) - 1) / 2)
