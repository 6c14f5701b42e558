"""Files that a user names: opened only if they are files, never waited for, read within bounds.

What a path names may be a device without end, a pipe that nobody writes to, or a link to one; and
what it names may be another thing a moment later. So the kind is judged by the open descriptor, and
sizes by what is read.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

from fkd.errors import UserError
from fkd.files import open_plain, other_kind

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
    name = name or str(path)
    try:
        _check(os.stat(path), name)  # first: opening a device may already do something
        stream = open_plain(path)
        try:
            status = os.fstat(stream.fileno())
            _check(status, name)
        except BaseException:
            stream.close()
            raise
        return stream, status.st_size
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
    name = name or str(path)
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


def _check(status: os.stat_result, name: str) -> None:
    if (kind := other_kind(status.st_mode)) is not None:
        raise UserError(f"{name} is {kind}, not a file; name the file itself")
    for place in _KERNEL:
        try:
            if os.stat(place).st_dev == status.st_dev:
                raise UserError(
                    f"{name} is part of {place}, where the system shows itself; no file"
                )
        except OSError:
            continue
