"""Files that are replaced whole or not at all: written beside their place, then renamed."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

INCOMING = ".incoming-"
"""How the names of files and folders begin that are still being written."""

LEFT_S = 3600
"""What has not changed for so long is nobody's work any more, in seconds."""

_numbers = itertools.count()
"""Tells apart what several threads of this process write at once."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside ``path``, with the same suffix, for a file that takes its place when the
    block ends; where the block fails, ``path`` stays as it was. The name begins with
    ``INCOMING`` and is nobody else's, so that two writers at once each replace it whole."""
    beside = path.with_name(f"{INCOMING}{os.getpid()}-{next(_numbers)}-{path.name}")
    try:
        yield beside
        beside.replace(path)
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


def sweep(folder: Path, prefix: str = INCOMING) -> None:
    """Remove what a killed process left half made in ``folder``: files and folders whose names
    begin with ``prefix`` and that have not changed for an hour."""
    for path in folder.glob(f"{prefix}*"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime < LEFT_S:
                continue
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink()


def replace_text(path: Path, text: str) -> None:
    """Put ``text`` in the place of the file at ``path``; on disk when this returns."""
    with replacing(path) as beside, beside.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def read_json(path: Path) -> Any:
    """The JSON value in the file at ``path``, None if there is no such file."""
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return None
