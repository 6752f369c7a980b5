"""Reads the logs that tests write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def read(path: Path | str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The first line of a log, and its rows."""
    header, *rows = [json.loads(line) for line in Path(path).read_text().splitlines()]
    assert header["eos"] == 1
    return header, rows


def measured(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if "sharpness" in row]
