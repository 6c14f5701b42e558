"""Whose the workspace is: faces, labels and logs are nobody's business but the owner's.

Folders are made 0700 and files 0600. A workspace that a group shares on purpose says so with the
setgid bit (``chmod g+s``): then the group keeps its rights, and others have none. In a workspace
that belongs to another user nothing is changed.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from fkd.settings import home

_OWNER, _TEAM = 0o077, 0o007
"""What is taken from everybody else; from those who are not of the group."""

OURS = ("datasets", "runs", "predictions", "uploads", "exports", "logs", "cache", "keys", "queues")
"""The folders of a workspace."""

_DATABASE = "labels.sqlite"


def begin() -> None:
    """What every program of ours does first: whatever it writes from now on is the owner's alone,
    and so is what it finds in the workspace."""
    if os.name == "posix":
        _begin(home())


@lru_cache(maxsize=8)
def _begin(workspace: Path) -> None:
    if (taken := _taken(workspace)) is None:
        return
    _usual.append(os.umask(taken))
    tighten(workspace)


_usual: list[int] = []
"""What this user's programs take from others: the umask before the first ``begin``."""


def as_usual(path: Path) -> None:
    """Give the file at ``path``, a place that a user named, the rights that other programs of this
    user would have given it: answers and drawn faces are there to be handed on."""
    if _usual:
        with suppress(OSError):
            path.chmod(0o666 & ~_usual[0])


def _taken(workspace: Path) -> int | None:
    """The rights that others do not get in ``workspace``; None where that is another user's say."""
    try:
        about = workspace.stat()
    except OSError:
        return _OWNER
    if about.st_uid != os.geteuid():
        return None
    return _TEAM if about.st_mode & stat.S_ISGID else _OWNER


def tighten(workspace: Path) -> int:
    """Take from others their rights to what older versions wrote into ``workspace``. Only what is
    this user's own and the workbench's: links are not followed, files with a second name elsewhere
    are left, and a folder that holds other things as well stays open itself. Returns how many files
    and folders were changed."""
    taken = _taken(workspace)
    if os.name != "posix" or taken is None:
        return 0
    try:
        entries = [entry for entry in workspace.iterdir() if not entry.name.startswith(".")]
    except OSError:
        return 0
    ours = [entry for entry in entries if _is_ours(entry.name)]
    # What lies in a closed folder is out of reach: looking at it every time is for nothing.
    loose = [entry for entry in ours if _mode(entry) & taken]
    whole = len(ours) == len(entries) and bool(ours)
    if not loose and not (whole and _mode(workspace) & taken):
        return 0
    count = sum(_close(path, taken) for entry in loose for path in _below(entry))
    # The workspace itself last: should this be cut short, it is gone through again.
    return count + (_close(workspace, taken) if whole else 0)


def _is_ours(name: str) -> bool:
    return name in OURS or name.startswith(_DATABASE)


def _mode(path: Path) -> int:
    try:
        about = path.lstat()
    except OSError:
        return 0
    return 0 if stat.S_ISLNK(about.st_mode) else about.st_mode


def _below(top: Path) -> Iterator[Path]:
    """``top`` and what lies in it, the innermost first; links are not followed."""
    for folder, _, files in os.walk(top, topdown=False):
        yield from (Path(folder, file) for file in files)
        if Path(folder) != top:
            yield Path(folder)
    yield top


def _close(path: Path, taken: int) -> bool:
    """Take the rights ``taken`` from what is at ``path``, if it is a file or folder of this user
    with one name."""
    with suppress(OSError):
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            about = os.fstat(handle)
            own = about.st_uid == os.geteuid() and (
                stat.S_ISDIR(about.st_mode) or (stat.S_ISREG(about.st_mode) and about.st_nlink == 1)
            )
            if own and about.st_mode & taken:
                os.fchmod(handle, stat.S_IMODE(about.st_mode) & ~taken)
                return True
        finally:
            os.close(handle)
    return False


def make_folder(folder: Path) -> Path:
    """Make ``folder`` and what is missing above it, for its owner alone, or for the group of a
    folder above that it shares; where it is there already, nothing is changed."""
    missing, there = [], folder
    while not os.path.exists(there):
        missing.append(there)
        there = there.parent
    for made in reversed(missing):
        made.mkdir(mode=0o700, exist_ok=True)
        like_parent(made)
    folder.mkdir(exist_ok=True)  # an error where it is a file
    return folder


def like_parent(folder: Path) -> None:
    """Give a new ``folder`` to whoever else has the folder around it: a group that shares it, or
    another user; otherwise, and in a folder for everybody, it stays its owner's alone."""
    if os.name != "posix":
        return
    around = folder.parent.stat()
    theirs = around.st_uid != os.geteuid() and not around.st_mode & stat.S_IWOTH
    if theirs or around.st_mode & stat.S_ISGID:
        with suppress(OSError):  # another user's, made at the same moment
            folder.chmod(stat.S_IMODE(around.st_mode) & ~_TEAM)


def file_mode(folder: Path) -> int:
    """The rights of a new file in ``folder``: the owner's alone, or those of the group too that
    shares it."""
    shared = os.name == "posix" and folder.stat().st_mode & stat.S_ISGID
    return 0o660 if shared else 0o600


def make_file(path: Path) -> None:
    """Make the file ``path`` where there is none; see ``file_mode``."""
    with suppress(FileExistsError):
        mode = file_mode(path.parent)
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode))
        path.chmod(mode)  # the umask may have taken from it
