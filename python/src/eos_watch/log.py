"""The log: one JSON object a line, the first about the run, written through line by line."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

# Where a program that started this one wants to hear which log is written.
NOTE = "EOS_WATCH_NOTE"


class Log:
    """Opened with the first line, so that making one touches nothing.

    A log of an earlier run is replaced; a file that is no such log is not.

    :param path: name of the file, or ``-`` for standard output
    :raises FileExistsError: where the name is taken by something else
    """

    def __init__(self, path: str | os.PathLike[str], header: Mapping[str, Any]) -> None:
        self.path = os.fspath(path)
        self.header = {"eos": 1, **header}
        self._file: IO[str] | None = None
        self._resume_at: int | None = None
        if self.path != "-":
            _check_replaceable(Path(self.path))

    def write(self, row: Mapping[str, Any]) -> None:
        file = self._file or self._open()
        file.write(json.dumps(row, default=_number) + "\n")
        file.flush()

    def close(self) -> None:
        """A row that comes all the same goes on behind the last one."""
        if self._file and self._file is not sys.stdout:
            self._resume_at = self._file.tell()
            self._file.close()
        self._file = None

    def position(self) -> int | None:
        """Bytes written so far; None where that cannot be told, or nothing was written."""
        if self._file is None or self.path == "-":
            return self._resume_at
        return self._file.tell()

    def resume(self, position: int | None) -> None:
        """Goes on behind the rows that a checkpoint knows of; later ones will be written again."""
        self.close()
        self._resume_at = position

    def _open(self) -> IO[str]:
        if self.path == "-":
            self._file = sys.stdout
            self._write_header()
            return self._file
        position = self._resume_at
        if position is not None and _size(self.path) >= position:
            os.truncate(self.path, position)
            self._file = open(self.path, "a", encoding="utf-8")
            self._file.seek(0, os.SEEK_END)
        else:
            self._file = open(self.path, "w", encoding="utf-8")
            self._write_header()
        note = os.environ.get(NOTE)
        if note:
            with open(note, "a", encoding="utf-8") as told:
                told.write(os.path.abspath(self.path) + "\n")
        return self._file

    def _write_header(self) -> None:
        assert self._file
        self._file.write(json.dumps(self.header) + "\n")
        self._file.flush()


def _number(value: Any) -> Any:
    """Numbers of NumPy and of frameworks, which JSON does not know; anything else as text."""
    try:
        return float(value)
    except (TypeError, ValueError, RuntimeError):
        return str(value)


def _check_replaceable(path: Path) -> None:
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; name a file for the log")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path.parent} does not exist; make the folder of the log first")
    if not path.is_file() or path.stat().st_size == 0:
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        first = file.readline(1 << 16)
    try:
        ours = json.loads(first)["eos"] == 1
    except (ValueError, KeyError, TypeError):
        ours = False
    if not ours:
        raise FileExistsError(f"{path} is not a log of eos_watch; give the log another name")


def _size(path: str) -> int:
    try:
        return os.path.getsize(path)
    except FileNotFoundError:
        return -1
