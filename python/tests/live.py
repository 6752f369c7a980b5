"""Trains a small network in one framework, up to the edge and beyond, with a log that is watched.

Run as `python live.py FRAMEWORK LOG BUDGET`, with `dense` for a measurement at every step. Time is counted in passes through the network (a step
3, a gradient with its graph 4, a product 4, a loss 1), so that every machine measures at the same
steps.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from eos_watch.recorder import Recorder

FRAMEWORK, LOG = sys.argv[1:3]
BUDGET = None if sys.argv[3] == "dense" else float(sys.argv[3])
STEPS = 1500
RATE = 0.22
KERAS_RATE = 0.2
SEED = 3
X = np.cos(np.pi * (np.arange(20) + 0.5) / 20)[:, None].astype(np.float32)
Y = np.cos(6 * np.arccos(X)).astype(np.float32)


class Passes:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def count(self, owner: Any, name: str, cost: float) -> None:
        original = getattr(owner, name)

        def counted(*args: Any, **kwargs: Any) -> Any:
            self.now += cost
            return original(*args, **kwargs)

        setattr(owner, name, counted)

    def count_behind(self, owner: Any, name: str, cost: float) -> None:
        original = getattr(owner, name)

        def counted(*args: Any) -> None:
            original(*args)
            self.now += cost

        setattr(owner, name, counted)


passes = Passes()
# A step of the training lies between two calls of the watch.
passes.count_behind(Recorder, "leave", 3)
passes.count_behind(Recorder, "pass_over", 3)


def torch_net() -> Any:
    import torch
    from eos_watch.torch import TorchProbe, TorchSample
    from torch import nn

    passes.count(TorchSample, "__init__", 4)
    passes.count(TorchSample, "product", 4)
    passes.count(TorchProbe, "update_curvature", 3)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(1, 50), nn.Tanh(), nn.Linear(50, 50), nn.Tanh(), nn.Linear(50, 1))


def count_jax() -> None:
    from eos_watch.jax import JaxProbe, JaxSample

    passes.count(JaxSample, "__init__", 4)
    passes.count(JaxSample, "product", 4)
    passes.count(JaxProbe, "update_curvature", 3)


def pytorch() -> None:
    import torch
    from eos_watch import Watch

    model, x, y = torch_net(), torch.tensor(X), torch.tensor(Y)
    optimizer = torch.optim.SGD(model.parameters(), RATE)
    loss = lambda: ((model(x) - y) ** 2).mean() / 2  # noqa: E731
    watch = Watch(model, loss, optimizer, LOG, BUDGET, clock=passes)
    for step in range(STEPS):
        value = loss()
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        watch(step, value)


def jax() -> None:
    import jax
    import jax.numpy as jnp
    from eos_watch.jax import Optimizer, Watch

    count_jax()
    keys = jax.random.split(jax.random.key(0), 2)
    params = {
        "a": jax.random.normal(keys[0], (1, 12)),
        "b": jnp.linspace(-1, 1, 12),
        "c": jax.random.normal(keys[1], (12, 1)) / 12**0.5,
    }

    def loss(p: Any, x: Any, y: Any) -> Any:
        return ((jnp.tanh(x @ p["a"] + p["b"]) @ p["c"] - y) ** 2).mean() / 2

    @jax.jit
    def update(p: Any) -> tuple[Any, Any, Any]:
        value, grads = jax.value_and_grad(loss)(p, X, Y)
        return jax.tree.map(lambda w, g: w - 0.45 * g, p, grads), value, grads

    watch = Watch(
        params, loss, Optimizer("gd"), LOG, BUDGET, lr=0.45, data=(X, Y), clock=passes
    )
    for step in range(STEPS):
        params, value, grads = update(params)
        watch(step, value, params, grads=grads)


def huggingface() -> None:
    import torch
    from eos_watch.huggingface import EosWatch
    from torch import nn
    from transformers import Trainer, TrainingArguments, set_seed

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = torch_net()

        def forward(self, x: Any, labels: Any) -> dict[str, Any]:
            return {"loss": ((self.net(x) - labels) ** 2).mean() / 2}

    set_seed(0)
    arguments = TrainingArguments(
        LOG + ".trainer",
        max_steps=STEPS,
        per_device_train_batch_size=20,
        learning_rate=RATE,
        lr_scheduler_type="constant",
        optim="sgd",
        max_grad_norm=0.0,
        save_strategy="no",
        report_to=[],
        use_cpu=True,
        disable_tqdm=True,
        logging_strategy="no",
    )
    data = [{"x": x, "labels": y} for x, y in zip(X, Y)]
    watch = EosWatch(LOG, BUDGET, full_batch=True, clock=passes)
    Trainer(Model(), arguments, train_dataset=data, callbacks=[watch]).train()


def lightning() -> None:
    import lightning.pytorch as pl
    import torch
    from eos_watch.lightning import EosWatch
    from torch.utils.data import DataLoader, TensorDataset

    class Module(pl.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.net = torch_net()

        def training_step(self, batch: Any, batch_idx: int) -> Any:
            x, y = batch
            return ((self.net(x) - y) ** 2).mean() / 2

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), RATE)

    trainer = pl.Trainer(
        max_steps=STEPS,
        max_epochs=-1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        accelerator="cpu",
        callbacks=[EosWatch(LOG, BUDGET, full_batch=True, clock=passes)],
    )
    trainer.fit(Module(), DataLoader(TensorDataset(torch.tensor(X), torch.tensor(Y)), 20))


def keras() -> None:
    import keras
    from eos_watch.keras import EosWatch

    on_torch = keras.backend.backend() == "torch"
    if on_torch:
        torch_net()
    else:
        count_jax()
    keras.utils.set_random_seed(0)
    def dense(width: int, before: int, activation: str | None = None) -> Any:
        # As PyTorch starts, the same on each backend; with biases of 0 the network is odd, and
        # cannot learn an even function.
        def start(shape: Any, dtype: Any = None) -> Any:
            rng = np.random.default_rng([SEED, *shape])
            return keras.ops.convert_to_tensor(
                rng.uniform(-(before**-0.5), before**-0.5, shape).astype(np.float32)
            )

        return keras.layers.Dense(width, activation, True, start, start)

    model = keras.Sequential(
        [keras.Input((1,)), dense(50, 1, "tanh"), dense(50, 50, "tanh"), dense(1, 50)]
    )
    # The mean of squares has twice the Hessian of its half.
    model.compile(keras.optimizers.SGD(KERAS_RATE), "mse")
    watch = EosWatch(LOG, BUDGET, data=(X, Y), full_batch=on_torch, clock=passes)
    model.fit(X, Y, batch_size=20, epochs=STEPS, shuffle=False, verbose=0, callbacks=[watch])


{
    "pytorch": pytorch,
    "jax": jax,
    "huggingface": huggingface,
    "lightning": lightning,
    "keras": keras,
}[FRAMEWORK]()
