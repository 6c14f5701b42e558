"""Files that are replaced whole or not at all: written beside their place, then renamed; and
files that are opened only if they are files."""

from __future__ import annotations

import itertools
import os
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

try:
    import fcntl
except ImportError:  # Windows has no such locks: there, age alone tells
    fcntl = None  # type: ignore[assignment]

INCOMING = ".incoming-"
"""How the names of files and folders begin that are still being written."""

LEFT_S = 3600
"""Where locks cannot tell, what has not changed for so long is nobody's work any more, in
seconds."""

GRACE_S = 60
"""What is as new as this is left alone: it may have been made just now and not been locked yet."""

_numbers = itertools.count()
"""Tells apart what several threads of this process write at once."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside ``path``, with the same suffix, for a file that takes its place when the
    block ends; where the block fails, ``path`` stays as it was. The name begins with
    ``INCOMING`` and is nobody else's, so that two writers at once each replace it whole. It is
    locked meanwhile: ``sweep`` of another process leaves it alone however long it takes."""
    beside = path.with_name(f"{INCOMING}{os.getpid()}-{next(_numbers)}-{path.name}")
    try:
        if fcntl is not None:
            beside.touch()
        with holding(beside):
            yield beside
            beside.replace(path)
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


@contextmanager
def holding(path: Path) -> Iterator[None]:
    """Hold a lock on the file or folder ``path``, which says that somebody is at work on it. The
    system frees it when the process ends, however it ends. Where there are no such locks, as on
    some network drives, nothing is held."""
    handle = None
    if fcntl is not None:
        with suppress(OSError):
            handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    try:
        yield
    finally:
        if handle is not None:
            os.close(handle)


def sweep(folder: Path, prefix: str = INCOMING) -> int:
    """Remove what a killed process left half made in ``folder``: files and folders whose names
    begin with ``prefix`` and that nobody holds. Returns how many there were."""
    return sum(remove_left(path) for path in folder.glob(f"{prefix}*"))


def remove_left(path: Path) -> bool:
    """Remove the file or folder ``path`` unless somebody is at work on it; whether it was."""
    try:
        if not _left(path):
            return False
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()
    except OSError:
        return False
    return not os.path.lexists(path)


def _left(path: Path) -> bool:
    """Whether nobody is at work on ``path``. ``OSError`` if it is gone."""
    age = abs(time.time() - path.lstat().st_mtime)  # clocks that were put back happen
    if fcntl is None or path.is_symlink() or not (path.is_dir() or path.is_file()):
        return age >= LEFT_S
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return age >= LEFT_S
    finally:
        os.close(handle)
    return age >= GRACE_S


_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def other_kind(mode: int) -> str | None:
    """What a thing of ``mode`` (``st_mode``) is, where it is no plain file; None where it is."""
    if stat.S_ISREG(mode):
        return None
    return next((kind for test, kind in _KINDS if test(mode)), "something else")


def open_plain(path: str | Path, *, follow: bool = True) -> BinaryIO:
    """The file at ``path``, to be read. The kind is asked of the open descriptor: what a path names
    may be another thing a moment later. A pipe is not waited for.

    Args:
        follow: whether it may be a link to a file.

    Raises:
        OSError: if there is none, or it may not be read.
        ValueError: if it is no plain file.
    """
    flags = os.O_RDONLY
    for name in ("O_NONBLOCK", "O_NOCTTY", "O_BINARY", *(() if follow else ("O_NOFOLLOW",))):
        flags |= getattr(os, name, 0)
    descriptor = os.open(path, flags)
    try:
        if (kind := other_kind(os.fstat(descriptor).st_mode)) is not None:
            raise ValueError(f"it is {kind}")
        if hasattr(os, "set_blocking"):
            os.set_blocking(descriptor, True)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def replace_text(path: Path, text: str) -> None:
    """Put ``text`` in the place of the file at ``path``; on disk when this returns."""
    with replacing(path) as beside, beside.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
