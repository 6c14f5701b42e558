"""Files that a user names: opened only if they are files, never waited for, read within bounds.

What a path names may be a device without end, a pipe that nobody writes to, or a link to one; and
what it names may be another thing a moment later. So the kind is judged by the open descriptor, and
sizes by what is read.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from fkd.errors import UserError

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
_KERNEL = ("/proc", "/sys")
"""Where the kernel shows itself as files: some never end, or wait for something to happen."""


def open_user_file(path: str | Path, name: str = "") -> tuple[BinaryIO, int]:
    """The file at ``path``, open for reading, and how many bytes it has now; it may grow or be
    replaced while it is read, so readers have to stop at their own bounds.

    Args:
        name: what to call it in messages; by default its path.

    Raises:
        UserError: if there is none, it is no file, or it may not be read.
    """
    name = _shown(name or str(path))
    try:
        _check(os.stat(path), name)  # first: opening a device may already do something
        # Opening a pipe would wait for a writer: it may have taken the file's place meanwhile.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
        descriptor = os.open(path, flags | getattr(os, "O_BINARY", 0) | os.O_CLOEXEC)
        try:
            status = os.fstat(descriptor)
            _check(status, name)
            if hasattr(os, "set_blocking"):
                os.set_blocking(descriptor, True)
            return os.fdopen(descriptor, "rb"), status.st_size
        except BaseException:
            os.close(descriptor)
            raise
    except FileNotFoundError:
        raise UserError(f"{name} does not exist") from None
    except PermissionError:
        raise UserError(f"{name} may not be read: permission denied") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{name} cannot be read: {reason}") from None


def read_user_file(path: str | Path, limit: int, name: str = "") -> bytes | None:
    """The content of the file at ``path``; None if it has more than ``limit`` bytes.

    Raises:
        UserError: as ``open_user_file``.
    """
    name = _shown(name or str(path))
    stream, size = open_user_file(path, name)
    with stream:
        if size > limit:
            return None
        try:
            data = stream.read(limit + 1)
        except OSError as error:
            raise UserError(f"{name} cannot be read: {error.strerror or error}") from None
    return data if len(data) <= limit else None


def is_user_file(path: str | Path) -> bool:
    """Whether ``open_user_file`` would take what is at ``path`` for a file."""
    try:
        _check(os.stat(path), "")
    except (UserError, OSError, ValueError):
        return False
    return True


def _shown(name: str) -> str:
    """``name`` as it can stand in a message of one line."""
    return name if name.isprintable() else ascii(name)


def _check(status: os.stat_result, name: str) -> None:
    for test, kind in _KINDS:
        if test(status.st_mode):
            raise UserError(f"{name} is {kind}, not a file; name the file itself")
    if not stat.S_ISREG(status.st_mode):
        raise UserError(f"{name} is not a file; name the file itself")
    for place in _KERNEL:
        try:
            if os.stat(place).st_dev == status.st_dev:
                raise UserError(
                    f"{name} is part of {place}, where the system shows itself; no file"
                )
        except OSError:
            continue
