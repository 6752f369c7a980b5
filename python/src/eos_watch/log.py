"""The log: one JSON object a line, the first about the run, written through line by line."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Mapping
from io import FileIO
from pathlib import Path
from typing import Any

# Where a program that started this one wants to hear which log is written.
NOTE = "EOS_WATCH_NOTE"


# By whom each log was opened last; a cell of a notebook that is run again makes a watch anew.
_writers: dict[str, object] = {}


class Log:
    """Opened with the first line, so that making one touches nothing.

    A log of an earlier run is replaced; a file that is no such log is not.

    :param path: name of the file, or ``-`` for standard output
    :raises FileExistsError: where the name is taken by something else
    :raises OSError: where no file can be written there
    """

    def __init__(self, path: str | os.PathLike[str], header: Mapping[str, Any]) -> None:
        self.path = os.fspath(path)
        self.header = {"eos": 1, **header}
        self._file: FileIO | None = None
        self._printed = False
        self._name = ""
        self._resume_at: int | None = None
        self._mark = object()
        if self.path != "-":
            _check_replaceable(Path(self.path))

    def write(self, row: Mapping[str, Any]) -> None:
        if self.path == "-":
            self._print(row)
            return
        file = self._file or self._open()
        if _writers.get(self._name) is not self._mark:
            raise OSError(errno.EBUSY, f"another watch has taken {self.path}")
        _put(file, row)

    @property
    def begun(self) -> bool:
        return self._printed or self._file is not None

    def close(self) -> None:
        """A row that comes all the same goes on behind the last one."""
        if self._file:
            self._resume_at = self._file.tell()
            self._file.close()
            self._file = None

    def position(self) -> int | None:
        """Bytes written so far; None where that cannot be told, or nothing was written."""
        return self._file.tell() if self._file else self._resume_at

    def resume(self, position: int | None) -> None:
        """Goes on behind the rows that a checkpoint knows of; later ones will be written again."""
        self.close()
        self._resume_at = position

    def _print(self, row: Mapping[str, Any]) -> None:
        if not self._printed:
            self._printed = True
            self._print(self.header)
        sys.stdout.write(_line(row))
        sys.stdout.flush()

    def _open(self) -> FileIO:
        position = self._resume_at
        if position is not None and _size(self.path) >= position:
            os.truncate(self.path, position)
            file = open(self.path, "ab", buffering=0)
            file.seek(0, os.SEEK_END)
        else:
            file = open(self.path, "wb", buffering=0)
            _put(file, self.header)
        self._file = file
        self._name = os.path.realpath(self.path)
        _writers[self._name] = self._mark
        note = os.environ.get(NOTE)
        if note:
            with open(note, "a", encoding="utf-8") as told:
                told.write(os.path.abspath(self.path) + "\n")
        return file


def _number(value: Any) -> Any:
    """Numbers of NumPy and of frameworks, which JSON does not know; anything else as text."""
    try:
        return float(value)
    except (TypeError, ValueError, RuntimeError):
        return str(value)


_encode = json.JSONEncoder(default=_number).encode


def _line(row: Mapping[str, Any]) -> str:
    return _encode(row) + "\n"


def _put(file: FileIO, row: Mapping[str, Any]) -> None:
    line = _line(row).encode()
    if file.write(line) != len(line):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), file.name)


def _check_replaceable(path: Path) -> None:
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; name a file for the log")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path.parent} does not exist; make the folder of the log first")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise PermissionError(f"{path} cannot be written here; give the log another place")
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
