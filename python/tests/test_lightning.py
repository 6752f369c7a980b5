"""The callback in Lightning's Trainer: bits, rows, checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pytest
import torch
from eos_watch.lightning import EosWatch
from rows import measured, read
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Module(pl.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(4, 16), nn.BatchNorm1d(16), nn.Tanh(), nn.Dropout(0.3), nn.Linear(16, 1)
        )

    def training_step(self, batch: Any, batch_idx: int) -> torch.Tensor:
        x, y = batch
        loss = ((self.net(x) - y) ** 2).mean()
        self.log("loss", loss)
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), 0.05, momentum=0.9)


def fit(folder: Path, callbacks: list[Any], epochs: int = 12, **options: Any) -> pl.Trainer:
    pl.seed_everything(0, verbose=False)
    x = torch.randn(64, 4, generator=torch.Generator().manual_seed(1))
    loader = DataLoader(TensorDataset(x, x.sin().sum(1, keepdim=True)), 16, shuffle=True)
    trainer = pl.Trainer(
        max_epochs=epochs,
        default_root_dir=folder,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        accelerator="cpu",
        callbacks=callbacks,
        **options,
    )
    trainer.fit(options.pop("module", None) or Module(), loader)
    return trainer


def test_training_is_the_same_to_the_bit_and_each_step_has_its_row(tmp_path: Path) -> None:
    log = tmp_path / "log.ndjson"
    plain, watched = fit(tmp_path, []), fit(tmp_path, [EosWatch(log, None)])
    a, b = plain.lightning_module.state_dict(), watched.lightning_module.state_dict()
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert plain.callback_metrics == watched.callback_metrics
    header, rows = read(log)
    assert (header["framework"], header["optimizer"], header["beta"]) == ("lightning", "momentum", 0.9)
    assert [row["step"] for row in rows] == list(range(48))
    assert measured(rows) and all("batch_sharpness" in row for row in measured(rows))


def test_batches_that_are_accumulated_are_one_step(tmp_path: Path) -> None:
    log = tmp_path / "log.ndjson"
    fit(tmp_path, [EosWatch(log, None)], accumulate_grad_batches=2)
    assert [row["step"] for row in read(log)[1]] == list(range(24))


def test_the_state_is_in_the_checkpoint(tmp_path: Path) -> None:
    log = tmp_path / "log.ndjson"
    trainer = fit(tmp_path, [EosWatch(log, None)], epochs=6)
    trainer.save_checkpoint(tmp_path / "model.ckpt")
    rows = read(log)[1]
    pl.seed_everything(0, verbose=False)
    x = torch.randn(64, 4)
    loader = DataLoader(TensorDataset(x, x.sin().sum(1, keepdim=True)), 16)
    again = pl.Trainer(
        max_epochs=9, logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, accelerator="cpu", callbacks=[EosWatch(log, None)],
    )
    again.fit(Module(), loader, ckpt_path=tmp_path / "model.ckpt", weights_only=False)
    after = read(log)[1]
    assert after[:24] == rows and [row["step"] for row in after] == list(range(36))


def test_a_module_that_optimizes_by_itself_needs_a_loss(tmp_path: Path) -> None:
    class Manual(Module):
        def __init__(self) -> None:
            super().__init__()
            self.automatic_optimization = False

    with pytest.raises(ValueError, match="pass loss="):
        pl.Trainer(
            max_epochs=1, logger=False, enable_checkpointing=False, enable_progress_bar=False,
            enable_model_summary=False, accelerator="cpu", callbacks=[EosWatch(tmp_path / "l.ndjson")],
        ).fit(Manual(), DataLoader(TensorDataset(torch.zeros(4, 4), torch.zeros(4, 1))))
