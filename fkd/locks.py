"""Work that one process does while the others wait for its result."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from fkd.private import file_mode
from fkd.progress import Progress


def lock_file(path: Path, timeout: float = -1) -> FileLock:
    """The lock ``path``, a file that whoever shares the folder may lock as well; ``timeout`` in
    seconds, below 0 without limit."""
    return FileLock(path, timeout=timeout, mode=file_mode(path.parent))


@contextmanager
def alone(path: Path, progress: Progress, waiting: str) -> Iterator[None]:
    """Hold the lock file ``path``. While another process holds it, ``progress(waiting, 0, 0)`` is
    called again and again, so that waiting can be stopped too."""
    lock = lock_file(path)
    while True:
        try:
            lock.acquire(timeout=0.2)
            break
        except Timeout:
            progress(waiting, 0, 0)
    try:
        yield
    finally:
        lock.release()
