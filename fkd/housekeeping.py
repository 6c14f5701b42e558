"""What killed processes leave half made goes: when a process starts that writes, and once a day.

Nothing that somebody is at work on is touched. Whoever writes holds a lock, which the system frees
when the process dies; how old something is decides only where there is no lock to ask.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from contextlib import suppress
from pathlib import Path

from filelock import Timeout

from fkd.files import INCOMING, remove_left
from fkd.locks import lock_file
from fkd.registry import sweep_datasets
from fkd.settings import home
from fkd.training.runs import OUTGOING

STAMP = ".tidied"
"""File in the workspace whose time says when that was done last."""

DAY_S = 24 * 3600

_UPLOADS_S = 2 * DAY_S
"""Uploads that nobody has come back to for so long go: they are read within minutes."""

_QUEUES_S = 30 * DAY_S
"""Queues of Correct that nobody has opened for so long go."""

_LOCKED = {".measures-": ".measures.lock"}
"""Folders that are being written in one of a dataset, by how they begin, and who holds them."""

_tidied: dict[Path, float] = {}
"""When this process last did it, for each workspace."""


def tidy(root: Path | None = None) -> None:
    """Clear the workspace ``root`` (by default ``home()``) of what killed processes left half
    made: datasets, runs, checkpoints, predictions, exports, uploads. Never raises ``OSError``."""
    folder = root or home()
    _tidied[folder] = time.monotonic()
    if not folder.is_dir():
        return
    with suppress(OSError):
        (folder / STAMP).touch()
    sweep_datasets(folder / "datasets")
    _sweep_old(folder / "uploads", _UPLOADS_S)
    _sweep_old(folder / "queues", _QUEUES_S)
    for doomed in (folder / "runs").glob(f"{OUTGOING}*"):
        shutil.rmtree(doomed, ignore_errors=True)  # it was asked for, and never comes back
    _walk(folder)


def tidy_daily(root: Path | None = None) -> threading.Thread | None:
    """As ``tidy``, in a thread of its own, when this process asks first and then once a day,
    however often it asks. Returns the thread; None where nothing is to be done."""
    folder = root or home()
    last = _tidied.get(folder)
    if last is not None and (time.monotonic() - last < DAY_S or _fresh(folder)):
        return None
    _tidied[folder] = time.monotonic()
    thread = threading.Thread(target=tidy, args=(folder,), name="tidy", daemon=True)
    thread.start()
    return thread


def _fresh(folder: Path) -> bool:
    """Whether some process did it within a day."""
    try:
        return abs(time.time() - (folder / STAMP).stat().st_mtime) < DAY_S
    except OSError:
        return False


def _sweep_old(folder: Path, age: float) -> None:
    with suppress(OSError):
        for path in folder.iterdir():
            with suppress(OSError):
                if time.time() - path.lstat().st_mtime > age:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()


def _walk(root: Path) -> None:
    """Files and folders that were being written, wherever they are, but for datasets, which
    ``sweep_datasets`` knows better."""
    for folder, inside, files in os.walk(root, onerror=None, followlinks=False):
        here = Path(folder)
        for name in [*inside, *files]:
            if name.startswith(INCOMING) and not (here == root / "datasets" and "~" in name):
                remove_left(here / name)
        for prefix, lock in _LOCKED.items():
            left = [name for name in inside if name.startswith(prefix)]
            if left:
                # Nobody can be at work on them who does not hold this.
                with suppress(Timeout, OSError), lock_file(here / lock, timeout=0):
                    for name in left:
                        shutil.rmtree(here / name, ignore_errors=True)
        inside[:] = [name for name in inside if not name.startswith(".")]
