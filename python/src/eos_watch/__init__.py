"""Measure the sharpness of a network while it trains, into a log that ``eos detect`` reads.

``Watch`` is for PyTorch. ``eos_watch.jax``, ``eos_watch.huggingface``, ``eos_watch.lightning`` and
``eos_watch.keras`` are for those; each is imported only when it is named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .torch import Watch

__all__ = ["Watch"]


def __getattr__(name: str) -> Any:
    if name != "Watch":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .torch import Watch

    return Watch
