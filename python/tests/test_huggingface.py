"""The callback in a Trainer: bits, rows, checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from eos_watch.huggingface import STATE_FILE, EosWatch
from rows import measured, read
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments


def train(folder: Path, callbacks: list[Any], steps: int = 40, resume: str | None = None) -> Any:
    transformers.set_seed(0)
    model = GPT2LMHeadModel(GPT2Config(vocab_size=40, n_positions=16, n_embd=16, n_layer=1, n_head=2))
    ids = np.random.default_rng(0).integers(0, 40, (64, 16))
    arguments = TrainingArguments(
        str(folder),
        max_steps=steps,
        per_device_train_batch_size=8,
        gradient_accumulation_steps=2,
        learning_rate=1e-3,
        save_steps=20,
        logging_steps=1,
        report_to=[],
        use_cpu=True,
        disable_tqdm=True,
    )
    data = [{"input_ids": row, "labels": row} for row in ids]
    trainer = Trainer(model, arguments, train_dataset=data, callbacks=callbacks)
    trainer.train(resume_from_checkpoint=resume)
    return trainer


def test_training_is_the_same_to_the_bit_and_each_step_has_its_row(tmp_path: Path) -> None:
    log = tmp_path / "log.ndjson"
    plain = train(tmp_path / "plain", [])
    watched = train(tmp_path / "watched", [EosWatch(log, None)])
    a, b = plain.model.state_dict(), watched.model.state_dict()
    assert all(torch.equal(a[name], b[name]) for name in a)
    header, rows = read(log)
    assert (header["framework"], header["optimizer"], header["beta"]) == ("huggingface", "adamw", 0.9)
    assert [row["step"] for row in rows] == list(range(40))
    logged = [entry["loss"] for entry in watched.state.log_history if "loss" in entry]
    assert np.allclose([row["loss"] for row in rows], logged, rtol=1e-3)
    assert all("batch_sharpness" in row for row in measured(rows)) and measured(rows)
    rates = [entry["learning_rate"] for entry in watched.state.log_history if "loss" in entry]
    assert np.allclose([row["lr"] for row in rows][:-1], rates[:-1], rtol=0.1)


def test_a_resumed_run_goes_on_in_the_same_log(tmp_path: Path) -> None:
    log = tmp_path / "log.ndjson"
    train(tmp_path / "run", [EosWatch(log, None)])
    whole = log.read_text()
    checkpoint = tmp_path / "run" / "checkpoint-20"
    assert (checkpoint / STATE_FILE).is_file()
    train(tmp_path / "run", [EosWatch(log, None)], resume=str(checkpoint))
    assert [row["step"] for row in read(log)[1]] == list(range(40))
    assert log.read_text().split("\n")[:21] == whole.split("\n")[:21]
    assert measured(read(log)[1][21:])
