"""The registered datasets: find, open, put in place atomically, remove."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import Timeout

from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.locks import lock_file
from fkd.private import like_parent, make_folder
from fkd.settings import home
from fkd.storage import looks_like_dataset, open_dataset, read_manifest

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

# Folders beginning with a dot are never listed: a dataset being written, and one being removed.
_INCOMING, _OUTGOING = ".incoming-", ".outgoing-"


def check_name(name: str) -> str:
    """Return ``name`` if it can name a dataset; it becomes a folder, so nothing else will do.

    Raises:
        UserError: otherwise, saying what is allowed.
    """
    if not name:
        raise UserError("A dataset needs a name, such as 'kaggle'.")
    if not _NAME.fullmatch(name):
        raise UserError(
            f"{name!r} cannot name a dataset: use 1 to 64 letters, digits, '-', '_' or '.', "
            "beginning with a letter or digit."
        )
    return name


def datasets_folder() -> Path:
    return home() / "datasets"


def dataset_names() -> list[str]:
    """Names of the registered datasets, in alphabetical order; damaged ones are among them, so that
    they can be seen and removed."""
    folder = datasets_folder()
    if not folder.is_dir():
        return []
    sweep_datasets(folder, [_OUTGOING])
    return sorted(
        entry.name
        for entry in folder.iterdir()
        if _NAME.fullmatch(entry.name) and looks_like_dataset(entry)
    )


def folder_of(name: str) -> Path:
    """Folder of the dataset called ``name``; ``UserError`` if there is none."""
    folder = datasets_folder() / check_name(name)
    if not looks_like_dataset(folder):
        known = ", ".join(dataset_names())
        hint = f"Registered: {known}." if known else "None is registered yet; try 'fkd demo'."
        raise UserError(f"There is no dataset '{name}'. {hint}")
    return folder


def manifest(name: str) -> dict[str, Any]:
    """Manifest of the dataset called ``name``; ``UserError`` if there is none."""
    return read_manifest(folder_of(name))


def open_named(name: str) -> Dataset:
    """Open the dataset called ``name``; ``UserError`` if there is none or it is damaged."""
    return open_dataset(folder_of(name))


def sweep_datasets(root: Path, prefixes: Sequence[str] = (_INCOMING, _OUTGOING)) -> None:
    """Clear away what killed ingests, imports and removals left in ``root``, a folder of datasets,
    and bring back those whose replacement was killed between its two renames: whatever begins with
    one of ``prefixes``. What is being written now is held by its lock and stays, however long it
    takes."""
    left = {
        path.name.removeprefix(prefix).partition("~")[0]
        for prefix in prefixes
        for path in root.glob(f"{prefix}*~*")
    }
    for name in sorted(left):
        if _NAME.fullmatch(name):
            with suppress(Timeout, OSError), _locked(root, name, timeout=0):
                pass  # taking the lock clears up


@contextmanager
def locked(name: str, timeout: float = -1) -> Iterator[Path]:
    """Hold the lock of ``name`` across processes and yield its folder, existing or not.

    The operating system frees the lock of a process that dies. What such a process left behind
    is cleared here: half-written folders go, a dataset that was about to be replaced comes back.
    Waits at most ``timeout`` seconds (for ever if negative), then raises ``filelock.Timeout``.
    """
    root = datasets_folder()
    make_folder(root)
    with _locked(root, check_name(name), timeout) as target:
        yield target


@contextmanager
def _locked(root: Path, name: str, timeout: float) -> Iterator[Path]:
    target = root / name
    with lock_file(root / f".{name}.lock", timeout):
        for leftover in root.glob(f"{_INCOMING}{name}~*"):
            shutil.rmtree(leftover, ignore_errors=True)
        for leftover in root.glob(f"{_OUTGOING}{name}~*"):
            if target.exists():
                shutil.rmtree(leftover, ignore_errors=True)
            else:
                leftover.rename(target)
        yield target


@contextmanager
def staged(target: Path) -> Iterator[Path]:
    """Yield an empty folder beside ``target`` that takes its place when the block succeeds.

    Call it under ``locked``. On any error the folder is removed and ``target`` is as before.
    """
    stage = Path(tempfile.mkdtemp(prefix=f"{_INCOMING}{target.name}~", dir=target.parent))
    try:
        yield stage
        like_parent(stage)
        _sync(stage)
        if target.exists():
            outgoing = target.with_name(f"{_OUTGOING}{target.name}~{stage.name[-8:]}")
            target.rename(outgoing)
            try:
                stage.rename(target)
            except BaseException:
                outgoing.rename(target)
                raise
            shutil.rmtree(outgoing, ignore_errors=True)
        else:
            stage.rename(target)
        _sync(target.parent)
    except BaseException:
        shutil.rmtree(stage, ignore_errors=True)
        raise


def _sync(folder: Path) -> None:
    """Make renames in ``folder`` durable."""
    if os.name == "nt":  # Windows cannot open folders, and needs no such call
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove(name: str) -> None:
    """Delete the dataset called ``name``; ``UserError`` if there is none."""
    with locked(name) as target:
        folder_of(name)
        # Renamed first, under a name that is never restored: a killed removal leaves no half.
        doomed = Path(tempfile.mkdtemp(prefix=f"{_INCOMING}{name}~", dir=target.parent))
        target.rename(doomed / target.name)
        shutil.rmtree(doomed, ignore_errors=True)
