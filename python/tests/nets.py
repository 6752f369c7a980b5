"""The three networks that measurements are tried on."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

Loss = Callable[[], Tensor]


def mlp() -> tuple[nn.Module, Loss]:
    """T₆ on 20 Chebyshev points."""
    torch.manual_seed(0)
    x = torch.cos(torch.pi * (torch.arange(20) + 0.5) / 20)[:, None]
    y = torch.cos(6 * torch.arccos(x))
    model = nn.Sequential(nn.Linear(1, 50), nn.Tanh(), nn.Linear(50, 50), nn.Tanh(), nn.Linear(50, 1))
    return model, lambda: nn.functional.mse_loss(model(x), y) / 2


def cnn() -> tuple[nn.Module, Loss]:
    """Convolutions with BatchNorm and dropout on images with a class each."""
    torch.manual_seed(0)
    x, y = torch.randn(32, 1, 8, 8), torch.randint(4, (32,))
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.GELU(),
        nn.Conv2d(8, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.GELU(),
        nn.Flatten(),
        nn.Dropout(0.2),
        nn.Linear(512, 4),
    )
    return model, lambda: nn.functional.cross_entropy(model(x), y)


class Gpt(nn.Module):
    """Two blocks of causal attention, as fused as PyTorch likes."""

    def __init__(self, width: int = 32, words: int = 40) -> None:
        super().__init__()
        self.words = nn.Embedding(words, width)
        self.places = nn.Parameter(0.02 * torch.randn(16, width))
        block = dict(nhead=4, dim_feedforward=64, dropout=0.1, batch_first=True, norm_first=True)
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(width, activation="gelu", **block) for _ in range(2)
        )
        self.head = nn.Linear(width, words)

    def forward(self, ids: Tensor) -> Tensor:
        h = self.words(ids) + self.places
        mask = nn.Transformer.generate_square_subsequent_mask(16)
        for block in self.blocks:
            h = block(h, src_mask=mask, is_causal=True)
        return self.head(h)


def gpt() -> tuple[nn.Module, Loss]:
    torch.manual_seed(0)
    ids = torch.randint(40, (8, 17))
    model = Gpt()
    return model, lambda: nn.functional.cross_entropy(
        model(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten()
    )


NETS = {"mlp": mlp, "cnn": cnn, "gpt": gpt}


def train_steps(model: nn.Module, loss: Loss, optimizer: torch.optim.Optimizer, steps: int) -> None:
    for _ in range(steps):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
