"""Work that one process does while the others wait for its result."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from fkd.private import file_mode
from fkd.progress import Progress


@contextmanager
def alone(path: Path, progress: Progress, waiting: str) -> Iterator[None]:
    """Hold the lock file ``path``. While another process holds it, ``progress(waiting, 0, 0)`` is
    called again and again, so that waiting can be stopped too."""
    lock = FileLock(path, mode=file_mode(path.parent))
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
