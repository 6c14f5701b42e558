"""A workspace that cannot be written can still be looked at: what would be kept in it for later
lies in a folder of this program's own meanwhile."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import threading
from pathlib import Path

from fkd.settings import home

_VARIABLE = "FKD_SCRATCH"
"""Names the folder to the processes that this one starts."""

_making = threading.Lock()


def writable(folder: Path) -> bool:
    """Whether something can be made in ``folder``, or where it would lie."""
    there = above(folder)
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def above(folder: Path) -> Path:
    """``folder``, or the first above it that there is."""
    while not os.path.exists(folder) and folder.parent != folder:
        folder = folder.parent
    return folder


def instead_of(folder: Path) -> Path:
    """``folder`` if it can be written; otherwise one that stands for it until the program ends."""
    if writable(folder):
        return folder
    return _scratch() / folder.absolute().relative_to(folder.absolute().anchor)


def read_only() -> bool:
    """Whether nothing can be saved in the workspace."""
    return not writable(home())


def _scratch() -> Path:
    """Made once, for this user alone, under a name that nobody can guess."""
    with _making:
        given = os.environ.get(_VARIABLE)
        if given and Path(given).is_dir():
            return Path(given)
        made = Path(tempfile.mkdtemp(prefix="fkd-scratch-"))
        os.environ[_VARIABLE] = str(made)
        atexit.register(_clear, made, os.getpid())
        return made


def _clear(folder: Path, owner: int) -> None:
    if os.getpid() == owner:  # a fork leaves it to its parent
        shutil.rmtree(folder, ignore_errors=True)
