"""Values: against curvlinops, and against dense Hessians in double precision."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from curvlinops import HessianLinearOperator
from eos_watch import Watch
from eos_watch.freeze import frozen
from nets import NETS, train_steps
from scipy.sparse.linalg import eigsh
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

Loss = Callable[[], Tensor]


class Whole(nn.Module):
    """The loss as a module that is given no data."""

    def __init__(self, model: nn.Module, loss: Loss) -> None:
        super().__init__()
        self.model = model
        self.loss = loss

    def forward(self, _: Tensor) -> Tensor:
        return self.loss()


class AsGiven(nn.Module):
    """The model's answer is the loss already."""

    reduction = "mean"

    def forward(self, value: Tensor, _: Tensor) -> Tensor:
        return value


def curvlinops_top(model: nn.Module, loss: Loss) -> float:
    """The largest eigenvalue by curvlinops and ARPACK, with dropout off and BatchNorm on."""
    params = [p for p in model.parameters() if p.requires_grad]
    model.eval()
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.train()
        # functorch does not let it move its running means.
        norm.track_running_stats = False
    with sdpa_kernel(SDPBackend.MATH):
        # The data are inside the loss: one "batch" that says nothing.
        operator = HessianLinearOperator(
            Whole(model, loss),
            AsGiven(),
            params,
            [(torch.zeros(1), torch.zeros(1))],
            num_data=1,
            check_deterministic=False,
        )
        size = sum(p.numel() for p in params)
        rng = np.random.default_rng(0)
        top = eigsh(operator.to_scipy(), 1, which="LA", v0=rng.normal(size=size), tol=1e-5)[0][0]
    model.train()
    for norm in norms:
        norm.track_running_stats = True
    return float(top)


def dense_top(loss: Loss, parameters: list[nn.Parameter], scale: Tensor | None = None) -> float:
    """The largest eigenvalue of the whole Hessian, row by row."""
    slopes = torch.autograd.grad(loss(), parameters, create_graph=True)
    slope = torch.cat([s.reshape(-1) for s in slopes])
    rows = [
        torch.cat([r.reshape(-1) for r in torch.autograd.grad(s, parameters, retain_graph=True)])
        for s in slope
    ]
    hessian = torch.stack(rows)
    if scale is not None:
        hessian = scale[:, None] * hessian * scale
    return float(torch.linalg.eigvalsh((hessian + hessian.T) / 2)[-1])


def measure(model: nn.Module, loss: Loss, optimizer: Any, path: Path, **options: Any) -> dict[str, Any]:
    """One measurement with time enough, without moving the weights."""
    watch = Watch(model, loss, optimizer, path, None, **options)
    for step in range(60):
        watch(step, 1.0)
        if "sharpness" in watch.last:
            return watch.last
    raise AssertionError("nothing was measured")


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("steps", [0, 30])
def test_agrees_with_curvlinops_within_its_bar(tmp_path: Path, net: str, steps: int) -> None:
    model, loss = NETS[net]()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    train_steps(model, loss, optimizer, steps)
    row = measure(model, loss, optimizer, tmp_path / "log.ndjson")
    exact = curvlinops_top(model, loss)
    assert row["sharpness"] == pytest.approx(exact, rel=0.01)
    # ARPACK in single precision is not exact either.
    assert abs(row["sharpness"] - exact) <= row["sharpness_error"] + 1e-4 * abs(exact)
    assert row["sharpness_error"] <= 0.01 * row["sharpness"]


def small() -> tuple[nn.Module, Loss]:
    torch.manual_seed(1)
    model = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2))
    x, y = torch.randn(16, 3), torch.randn(16, 2)
    return model, lambda: nn.functional.mse_loss(model(x.to(dtype(model))), y.to(dtype(model)))


def dtype(model: nn.Module) -> torch.dtype:
    return next(model.parameters()).dtype


ADAPTIVE: dict[str, Callable[[Any], torch.optim.Optimizer]] = {
    "adam": lambda p: torch.optim.Adam(p, lr=1e-2),
    "amsgrad": lambda p: torch.optim.Adam(p, lr=1e-2, amsgrad=True),
    "adam with L2": lambda p: torch.optim.Adam(p, lr=1e-2, weight_decay=0.1),
    "adamw": lambda p: torch.optim.AdamW(p, lr=1e-2, weight_decay=0.1),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=1e-3),
    "centered": lambda p: torch.optim.RMSprop(p, lr=1e-3, centered=True),
}


@pytest.mark.parametrize("name", ADAPTIVE)
def test_the_preconditioned_value_is_that_of_the_dense_matrix(tmp_path: Path, name: str) -> None:
    model, loss = small()
    optimizer = ADAPTIVE[name](model.parameters())
    train_steps(model, loss, optimizer, 25)
    row = measure(model, loss, optimizer, tmp_path / "log.ndjson", tolerance=1e-4)

    # The same weights and moments in double precision, by the formulas of the papers.
    group, state = optimizer.param_groups[0], optimizer.state
    metric = []
    for p in model.parameters():
        s = state[p]
        if name == "rmsprop":
            metric.append(s["square_avg"].double().sqrt() + group["eps"])
        elif name == "centered":
            spread = s["square_avg"].double() - s["grad_avg"].double() ** 2
            metric.append(spread.sqrt() + group["eps"])
        else:
            nu = s["max_exp_avg_sq" if name == "amsgrad" else "exp_avg_sq"].double()
            t, (b1, b2) = float(s["step"]), group["betas"]
            metric.append((1 - b1**t) * ((nu / (1 - b2**t)).sqrt() + group["eps"]))
    scale = torch.cat([m.reshape(-1) for m in metric]).rsqrt()
    model.double()
    decay = 0.1 if name == "adam with L2" else 0.0

    def with_decay() -> Tensor:
        return loss() + decay / 2 * sum((p**2).sum() for p in model.parameters())

    exact = dense_top(with_decay, list(model.parameters()), scale)
    assert abs(row["sharpness"] - exact) <= row["sharpness_error"]
    assert row["sharpness_error"] <= 1e-3 * exact


def test_groups_with_their_own_rates_have_a_metric_of_their_own(tmp_path: Path) -> None:
    model, loss = small()
    first, last = list(model[0].parameters()), list(model[2].parameters())
    groups = [{"params": first, "lr": 0.1}, {"params": last, "lr": 0.025}]
    row = measure(model, loss, torch.optim.SGD(groups), tmp_path / "log.ndjson")
    scale = torch.cat([torch.full((p.numel(),), s) for ps, s in ((first, 1.0), (last, 0.5)) for p in ps])
    model.double()
    exact = dense_top(loss, [*first, *last], scale.double())
    assert abs(row["sharpness"] - exact) <= row["sharpness_error"]


def test_groups_with_thresholds_of_their_own_are_told(tmp_path: Path) -> None:
    model, loss = small()
    groups = [
        {"params": list(model[0].parameters()), "momentum": 0.9},
        {"params": list(model[2].parameters()), "momentum": 0.5},
    ]
    with pytest.warns(RuntimeWarning, match="differ in momentum; the threshold is that of the first"):
        Watch(model, loss, torch.optim.SGD(groups, lr=0.1), tmp_path / "log.ndjson").close()


def test_frozen_parameters_do_not_count(tmp_path: Path) -> None:
    model, loss = small()
    for p in model[0].parameters():
        p.requires_grad_(False)
    row = measure(model, loss, torch.optim.SGD(model.parameters(), lr=0.1), tmp_path / "log.ndjson")
    model.double()
    exact = dense_top(loss, list(model[2].parameters()))
    assert abs(row["sharpness"] - exact) <= row["sharpness_error"]


@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16])
def test_mixed_precision_is_measured_in_single_precision(tmp_path: Path, half: torch.dtype) -> None:
    model, loss = NETS["mlp"]()

    def mixed() -> Tensor:
        with torch.autocast("cpu", dtype=half):
            return loss()

    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with torch.autocast("cpu", dtype=half):
        row = measure(model, mixed, optimizer, tmp_path / "log.ndjson")
    exact = curvlinops_top(model, loss)
    assert row["sharpness"] == pytest.approx(exact, rel=1e-3)
    with torch.autocast("cpu", dtype=half):
        assert model(torch.zeros(1, 1)).dtype == half


def test_a_module_in_half_precision_is_measured_in_single_precision(tmp_path: Path) -> None:
    model, _ = NETS["mlp"]()
    model.bfloat16()
    x = torch.linspace(-1, 1, 20, dtype=torch.bfloat16)[:, None]
    before = [p.detach().clone() for p in model.parameters()]
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    row = measure(model, lambda: (model(x) ** 2).mean(), optimizer, tmp_path / "log.ndjson")
    for p, old in zip(model.parameters(), before):
        assert p.dtype == torch.bfloat16 and torch.equal(p, old)
    single = copy.deepcopy(model).float()
    exact = curvlinops_top(single, lambda: (single(x.float()) ** 2).mean())
    assert row["sharpness"] == pytest.approx(exact, rel=1e-3)


def test_batch_sharpness_is_the_mean_over_batches(tmp_path: Path) -> None:
    model, loss = small()
    x, y = torch.randn(4, 5, 3), torch.randn(4, 5, 2)
    state = {"at": 0}

    def batch() -> Tensor:
        i = state["at"] % 4
        state["at"] += 1
        return nn.functional.mse_loss(model(x[i].to(dtype(model))), y[i].to(dtype(model)))

    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    row = measure(model, loss, optimizer, tmp_path / "log.ndjson", batch=batch)
    model.double()
    values = []
    for _ in range(4):
        parameters = list(model.parameters())
        slopes = torch.autograd.grad(batch(), parameters, create_graph=True)
        g = torch.cat([s.reshape(-1) for s in slopes])
        along = torch.autograd.grad(g @ g.detach(), parameters)
        hg = torch.cat([a.reshape(-1) for a in along])
        values.append(float(hg @ g / (g @ g)))
    assert row["batch_sharpness"] == pytest.approx(np.mean(values), rel=1e-4)
    assert row["batch_sharpness_error"] == pytest.approx(np.std(values, ddof=1) / 2, rel=1e-3)


def test_a_measurement_leaves_no_trace() -> None:
    model, loss = NETS["cnn"]()
    torch.manual_seed(7)
    buffers = {name: (b, b.clone()) for name, b in model.named_buffers()}
    state = torch.get_rng_state()
    model[7].eval()
    with frozen(model, list(model.parameters())):
        first, second = float(loss()), float(loss())
        torch.rand(3)
        np.random.rand(3)
    assert first == second
    assert torch.equal(state, torch.get_rng_state())
    assert model.training and not model[7].training
    for name, buffer in model.named_buffers():
        assert buffer is buffers[name][0] and torch.equal(buffer, buffers[name][1])


def test_recurrent_networks_and_compiled_modules_are_measured(tmp_path: Path) -> None:
    torch.manual_seed(0)
    lstm = nn.LSTM(3, 5)
    x = torch.randn(6, 2, 3)
    optimizer = torch.optim.SGD(lstm.parameters(), lr=0.1)
    row = measure(lstm, lambda: (lstm(x)[0] ** 2).mean(), optimizer, tmp_path / "a.ndjson")
    assert row["sharpness"] > 0
    model, _ = NETS["mlp"]()
    compiled = torch.compile(model, backend="aot_eager")
    x = torch.randn(8, 1)
    compiled(x).mean().backward()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    row = measure(compiled, lambda: (compiled(x) ** 2).mean(), optimizer, tmp_path / "b.ndjson")
    plain = measure(model, lambda: (model(x) ** 2).mean(), optimizer, tmp_path / "c.ndjson")
    assert row["sharpness"] == pytest.approx(plain["sharpness"], rel=1e-3)
