"""The watch in a training loop: bits, passes, checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from eos_watch import Watch
from eos_watch.torch_optimizer import describe
from nets import NETS
from passes import Passes
from rows import measured, read
from torch import nn

OPTIMIZERS: dict[str, Callable[[Any], torch.optim.Optimizer]] = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.05),
    "hot": lambda p: torch.optim.SGD(p, lr=0.24),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.9),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=1e-3),
    "adamw": lambda p: torch.optim.AdamW(p, lr=1e-3),
}


def run(
    net: str,
    optimizer: str,
    steps: int,
    path: Path | None,
    budget: float | None = 0.2,
    clock: Any = None,
    **options: Any,
) -> tuple[list[torch.Tensor], torch.Tensor]:
    """Trains one of the networks; its weights and buffers, and the random state, at the end."""
    model, loss = NETS[net]()
    passes = clock or Passes()
    with passes.count(model):
        torch.manual_seed(3)
        trained = OPTIMIZERS[optimizer](model.parameters())
        watch = path and Watch(model, loss, trained, path, budget, clock=passes, **options)
        for step in range(steps):
            value = loss()
            trained.zero_grad()
            value.backward()
            trained.step()
            if watch:
                watch(step, value)
    return [t.detach().clone() for t in model.state_dict().values()], torch.get_rng_state()


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "rmsprop", "adamw"])
@pytest.mark.parametrize("net", NETS)
def test_training_is_the_same_to_the_bit(tmp_path: Path, net: str, optimizer: str) -> None:
    plain, state = run(net, optimizer, 90, None)
    watched, watched_state = run(net, optimizer, 90, tmp_path / "log.ndjson", 1.0)
    kinds = {row["kind"] for row in read(tmp_path / "log.ndjson")[1]}
    assert kinds >= {"loss", "forward", "sharpness"}
    # With dropout gradients are not those of the loss that is measured.
    assert ("gradient" in kinds) == (net == "mlp")
    assert all(torch.equal(a, b) for a, b in zip(plain, watched, strict=True))
    assert torch.equal(state, watched_state)


@pytest.mark.parametrize("budget", [0.01, 0.05, 0.2])
@pytest.mark.parametrize("net", NETS)
def test_the_budget_holds_in_passes(tmp_path: Path, net: str, budget: float) -> None:
    steps = {0.01: 2500, 0.05: 800, 0.2: 400}[budget]
    passes = Passes()
    run(net, "sgd", steps, tmp_path / "log.ndjson", budget, passes)
    training = 3 * steps
    assert (passes.now - training) / training <= budget + 0.01


def test_gradients_tell_the_curvature_of_the_tracked_direction(tmp_path: Path) -> None:
    # At the edge, where the swing is along it.
    run("mlp", "hot", 1000, tmp_path / "log.ndjson", 0.5)
    _, rows = read(tmp_path / "log.ndjson")
    errors, sharpness = [], 0.0
    for row in rows:
        if "gradient_curvature" in row and sharpness:
            errors.append(abs(row["gradient_curvature"] / sharpness - 1))
        sharpness = row.get("sharpness", sharpness)
    assert len(errors) > 30
    assert np.median(errors) < 0.05


def test_the_budget_is_used(tmp_path: Path) -> None:
    passes = Passes()
    run("mlp", "sgd", 3000, tmp_path / "log.ndjson", 0.2, passes)
    assert (passes.now - 9000) / 9000 > 0.1
    assert len(measured(read(tmp_path / "log.ndjson")[1])) > 30


def test_a_resumed_run_writes_the_log_of_one_that_was_not_stopped(tmp_path: Path) -> None:
    def trained(path: Path, stop: int | None) -> None:
        """300 steps; stopped after so many of them, 20 beyond the checkpoint, and resumed."""
        passes = Passes()
        model, loss = NETS["mlp"]()
        optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
        watch = Watch(model, loss, optimizer, path, 0.5, clock=passes)
        step, saved, last = 0, None, 300 if stop is None else stop + 20
        while step < last:
            with passes.count(model):
                value = loss()
                optimizer.zero_grad()
                value.backward()
                optimizer.step()
                watch(step, value)
            step += 1
            if step == stop:
                file = path.with_suffix(".pt")
                torch.save(
                    {
                        "model": model.state_dict(),
                        "optimizer": optimizer.state_dict(),
                        "watch": watch.state_dict(),
                    },
                    file,
                )
                saved = file
        watch.close()
        if saved is None:
            return
        state = torch.load(saved, weights_only=False)
        passes = Passes()
        model, loss = NETS["mlp"]()
        optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        watch = Watch(model, loss, optimizer, path, 0.5, clock=passes)
        watch.load_state_dict(state["watch"])
        for step in range(stop or 0, 300):
            with passes.count(model):
                value = loss()
                optimizer.zero_grad()
                value.backward()
                optimizer.step()
                watch(step, value)

    trained(tmp_path / "whole.ndjson", None)
    trained(tmp_path / "cut.ndjson", 150)
    whole, cut = (tmp_path / f"{name}.ndjson" for name in ("whole", "cut"))
    assert len(measured(read(whole)[1])) > 5
    assert cut.read_text() == whole.read_text()


def test_a_state_of_another_network_is_refused(tmp_path: Path) -> None:
    model, loss = NETS["mlp"]()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watch = Watch(model, loss, optimizer, tmp_path / "a.ndjson", None)
    for step in range(2):
        value = loss()
        value.backward()
        optimizer.step()
        watch(step, value)
    other = nn.Linear(1, 1)
    optimizer = torch.optim.SGD(other.parameters(), lr=0.1)
    second = Watch(other, lambda: other(torch.ones(1, 1)).sum(), optimizer, tmp_path / "b.ndjson")
    with pytest.raises(ValueError, match="2701 parameters, not 2"):
        second.load_state_dict(watch.state_dict())


class Silent(torch.autograd.Function):
    """A layer that PyTorch takes for constant in the second derivative, without an error."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        return x * 2

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, slope: torch.Tensor) -> torch.Tensor:
        return slope * 2


class Loud(torch.autograd.Function):
    """A layer whose second derivative is an error."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        return x * 2

    @staticmethod
    def backward(ctx: Any, slope: torch.Tensor) -> torch.Tensor:
        if slope.requires_grad:
            raise RuntimeError("Loud has no second derivative")
        return slope * 2


@pytest.mark.parametrize("layer", [Silent, Loud])
def test_what_cannot_be_differentiated_twice_warns_and_trains_on(
    tmp_path: Path, layer: type[torch.autograd.Function]
) -> None:
    torch.manual_seed(0)
    model = nn.Linear(2, 1)
    x = torch.ones(3, 2)
    loss = lambda: (layer.apply(model(x)) ** 2).mean()  # noqa: E731
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    passes = Passes()
    watch = Watch(model, loss, optimizer, tmp_path / "log.ndjson", 1.0, clock=passes)
    with passes.count(model), pytest.warns(RuntimeWarning, match="measures no more"):
        for step in range(50):
            value = loss()
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            watch(step, value)
    rows = read(tmp_path / "log.ndjson")[1]
    assert len(rows) == 50 and not measured(rows)


def test_the_first_line_says_the_optimizer(tmp_path: Path) -> None:
    model, loss = NETS["mlp"]()
    p = list(model.parameters())
    cases = {
        torch.optim.SGD(p, lr=0.1): ("gd", 0, 0, 0),
        torch.optim.SGD(p, lr=0.1, weight_decay=0.01): ("gd", 0, 0.01, 0),
        torch.optim.SGD(p, lr=0.1, momentum=0.9): ("momentum", 0.9, 0, 0),
        torch.optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.9): ("momentum", 0.9, 0, 0.9),
        torch.optim.SGD(p, lr=0.1, momentum=0.8, nesterov=True): ("nesterov", 0.8, 0, 0),
        torch.optim.RMSprop(p, lr=0.1): ("rmsprop", 0, 0, 0),
        torch.optim.Adam(p, lr=0.1): ("adam", 0.9, 0, 0),
        torch.optim.AdamW(p, lr=0.1, weight_decay=0.1): ("adamw", 0.9, 0.1, 0),
        torch.optim.Rprop(p, lr=0.1): ("rprop", 0, 0, 0),
    }
    for optimizer, (name, beta, decay, dampening) in cases.items():
        said = describe(optimizer)
        assert (said.name, said.beta, said.weight_decay, said.dampening) == (
            name, beta, decay, dampening,
        )
    optimizer = torch.optim.AdamW(p, lr=1e-3)
    watch = Watch(model, loss, optimizer, tmp_path / "log.ndjson", 0.05)
    watch(0, loss())
    header, rows = read(tmp_path / "log.ndjson")
    assert header == {
        "eos": 1,
        "optimizer": "adamw",
        "beta": 0.9,
        "beta2": 0.999,
        "eps": 1e-8,
        "preconditioned": True,
        "weight_decay": 0.01,
        "eigenvalues": 3,
        "framework": "pytorch",
        "parameters": 2701,
        "budget": 0.05,
    }
    assert rows[0]["lr"] == 1e-3


def test_what_is_no_optimizer_is_refused(tmp_path: Path) -> None:
    model, loss = NETS["mlp"]()
    with pytest.raises(TypeError, match="not an optimizer of torch.optim"):
        Watch(model, loss, object(), tmp_path / "log.ndjson")


def weights(model: nn.Module) -> list[torch.Tensor]:
    return [t.detach().clone() for p in model.parameters() for t in (p, p.grad) if t is not None]


@pytest.mark.parametrize("wrong", ["step", "backward", "zero_grad"])
def test_a_loss_function_that_changes_the_model_is_told(tmp_path: Path, wrong: str) -> None:
    model, loss = NETS["mlp"]()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loss().backward()

    def closure() -> torch.Tensor:
        value = loss()
        if wrong == "backward":
            value.backward(retain_graph=True)
        elif wrong == "step":
            optimizer.step()
        else:
            optimizer.zero_grad()
        return value

    watch = Watch(model, closure, optimizer, tmp_path / "log.ndjson", None)
    before = weights(model)
    with pytest.warns(RuntimeWarning, match="changes weights or gradients"):
        watch(0, 1.0)
    # And nothing came of it.
    assert all(map(torch.equal, before, weights(model)))
    assert "changes weights or gradients" in watch.last["watch_error"]


def test_a_mistake_in_the_loss_function_costs_the_sharpness_alone(tmp_path: Path) -> None:
    model, _ = NETS["mlp"]()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watch = Watch(model, lambda: model(torch.ones(2, 3)), optimizer, tmp_path / "a.ndjson", None)
    with pytest.warns(RuntimeWarning, match="measures no more: .*shapes"):
        watch(0, 1.0)
    watch = Watch(model, lambda: model(torch.ones(2, 1)), optimizer, tmp_path / "b.ndjson", None)
    with pytest.warns(RuntimeWarning, match="does not return one number"):
        watch(0, 1.0)


def test_a_loss_function_that_is_not_a_number_is_tried_again(tmp_path: Path) -> None:
    model, loss = NETS["mlp"]()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    factor = float("nan")
    watch = Watch(model, lambda: factor * loss(), optimizer, tmp_path / "log.ndjson", None)
    watch(0, float("nan"))
    watch(1, 1.0)
    factor = 1.0
    watch(2, 1.0)
    rows = read(tmp_path / "log.ndjson")[1]
    assert [row["step"] for row in measured(rows)] == [2]
    assert not any("watch_error" in row for row in rows)


def test_a_model_without_parameters_is_refused(tmp_path: Path) -> None:
    model, loss = NETS["mlp"]()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for p in model.parameters():
        p.requires_grad_(False)
    with pytest.raises(ValueError, match="nothing has a sharpness"):
        Watch(model, loss, optimizer, tmp_path / "log.ndjson")
    assert not (tmp_path / "log.ndjson").exists()


def test_batches_are_said_in_the_first_line(tmp_path: Path) -> None:
    model, loss = NETS["mlp"]()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    Watch(model, loss, optimizer, tmp_path / "log.ndjson", None, batch=loss)(0, 1.0)
    header, rows = read(tmp_path / "log.ndjson")
    assert header["optimizer"] == "sgd" and "batch_sharpness" in rows[0]


@pytest.mark.parametrize("way", ["plain", "clipped", "batches", "accumulated", "scaled"])
def test_gradients_that_are_not_those_of_the_loss_are_not_used(tmp_path: Path, way: str) -> None:
    model, loss = NETS["mlp"]()
    x = torch.cos(torch.pi * (torch.arange(20) + 0.5) / 20)[:, None]
    y = torch.cos(6 * torch.arccos(x))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    scaler = torch.amp.GradScaler("cpu")
    watch = Watch(model, loss, optimizer, tmp_path / "log.ndjson", 1.0, clock=(passes := Passes()))
    with passes.count(model), watch:
        for step in range(150):
            optimizer.zero_grad()
            if way in ("batches", "accumulated"):
                parts = [slice(0, 10), slice(10, 20)]
                for part in parts if way == "accumulated" else [parts[step % 2]]:
                    value = nn.functional.mse_loss(model(x[part]), y[part]) / 2
                    (value / 2 if way == "accumulated" else value).backward()
            elif way == "scaled":
                value = loss()
                scaler.scale(value).backward()
            else:
                value = loss()
                value.backward()
            if way == "clipped":
                nn.utils.clip_grad_norm_(model.parameters(), 0.002)
            if way == "scaled":
                scaler.step(optimizer)
                scaler.update()
            else:
                optimizer.step()
            watch(step, value)
    rows = read(tmp_path / "log.ndjson")[1]
    assert len(measured(rows)) > 5
    looked = [row for row in rows if row["kind"] == "gradient"]
    assert (len(looked) > 10) == (way in ("plain", "accumulated", "scaled"))
    assert len(looked) > 10 or not looked
    watch.close()


def test_what_is_no_module_or_no_function_is_refused(tmp_path: Path) -> None:
    model, loss = NETS["mlp"]()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    wrong: Any = loss()
    with pytest.raises(TypeError, match="computes the loss anew"):
        Watch(model, wrong, optimizer, tmp_path / "log.ndjson")
    wrong = loss
    with pytest.raises(TypeError, match="not a module"):
        Watch(wrong, loss, optimizer, tmp_path / "log.ndjson")
    assert not (tmp_path / "log.ndjson").exists()


def test_tied_weights_count_once(tmp_path: Path) -> None:
    torch.manual_seed(0)
    words, head = nn.Embedding(20, 8), nn.Linear(8, 20, bias=False)
    head.weight = words.weight
    model = nn.Sequential(words, nn.Tanh(), head)
    ids, targets = torch.randint(20, (16,)), torch.randint(20, (16,))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def loss() -> torch.Tensor:
        return nn.functional.cross_entropy(model(ids), targets)

    Watch(model, loss, optimizer, tmp_path / "log.ndjson", None)(0, loss())
    hessian: Any = torch.autograd.functional.hessian(
        lambda w: nn.functional.cross_entropy(torch.tanh(w[ids]) @ w.T, targets),
        words.weight.detach(),
    )
    exact = float(torch.linalg.eigvalsh(hessian.reshape(160, 160))[-1])
    row = read(tmp_path / "log.ndjson")[1][0]
    assert abs(row["sharpness"] - exact) <= row["sharpness_error"] + 1e-5
    assert read(tmp_path / "log.ndjson")[0]["parameters"] == 160
