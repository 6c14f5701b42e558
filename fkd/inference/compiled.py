"""Compiled models, kept from one start to the next: in a place of their owner's, each sealed with a
key that lies in another.

A graph of TensorFlow is a program. So none is read from where runs lie, which people copy from each
other, and none that this installation has not written itself.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import shutil
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from fkd import __version__
from fkd.errors import UserError
from fkd.files import open_plain, replacing, sweep
from fkd.log import log_unexpected
from fkd.models.sources import TrainedModel
from fkd.private import make_folder
from fkd.scratch import instead_of
from fkd.settings import home

KEPT = 8
"""Compiled models kept, those last used."""

_MAX_BYTES = 512 << 20
_SEAL = hashlib.sha256().digest_size
_KEY_BYTES = 32


def folder() -> Path:
    return instead_of(home() / "cache" / "compiled")


def name_of(model: TrainedModel) -> str:
    """What the compiled ``model`` is called: otherwise for each content and each version of what
    makes it. ``UserError`` if the model cannot be read."""
    try:
        with model.path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"Model '{model.name}' cannot be read: {error.strerror}.") from None
    return f"{content}-{version('tensorflow')}-{__version__}.graph"


def read(name: str) -> bytes | None:
    """The graph that was kept as ``name``; None if there is none. One that was changed, or written
    elsewhere, is logged and counts as none."""
    path = folder() / name
    try:
        whole = _read(path, _MAX_BYTES)
        key = _key()
    except FileNotFoundError:
        return None
    except OSError as error:
        log_unexpected(f"a compiled model cannot be read: {path}", error)
        return None
    graph = whole[_SEAL:]
    if not hmac.compare_digest(whole[:_SEAL], _seal(key, name, graph)):
        log_unexpected(
            f"a compiled model is made anew: {path}", ValueError("it was not written here")
        )
        return None
    with suppress(OSError):
        os.utime(path)
    return graph


def keep(name: str, graph: bytes) -> None:
    """Keep ``graph`` as ``name``, and the last used of the others. Raises ``OSError``."""
    own = _own_folder(folder())
    sweep(own)
    with replacing(own / name) as beside:
        beside.touch()
        beside.chmod(0o600)
        beside.write_bytes(_seal(_key(), name, graph) + graph)
    graphs = sorted(own.glob("*.graph"), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in graphs[KEPT:]:
        old.unlink(missing_ok=True)


def forget_old(model: TrainedModel) -> None:
    """Remove the place in which older versions kept the compiled ``model``."""
    old = model.storage.parent / "compiled"
    with suppress(OSError):
        if old.is_symlink():
            old.unlink()
        elif old.is_dir():
            shutil.rmtree(old, ignore_errors=True)


def _seal(key: bytes, name: str, graph: bytes) -> bytes:
    """Of the name as well: one model's graph is not to be taken for another's."""
    return hmac.digest(key, name.encode() + b"\0" + graph, "sha256")


def _key() -> bytes:
    """The key of this workspace, made when it is first needed. One that others may know, or that is
    damaged, is replaced; what was sealed with it is then made anew. Raises ``OSError``."""
    path = _own_folder(instead_of(home() / "keys")) / "compiled.key"
    with suppress(FileNotFoundError, PermissionError):
        about = path.lstat()
        theirs = os.name == "posix" and (about.st_uid != os.geteuid() or about.st_mode & 0o077)
        if not theirs and about.st_size == _KEY_BYTES:
            return _read(path, _KEY_BYTES)
    key = secrets.token_bytes(_KEY_BYTES)
    with replacing(path) as beside:
        beside.touch()
        beside.chmod(0o600)
        beside.write_bytes(key)
    return key


def _own_folder(path: Path) -> Path:
    """The folder ``path``, for its owner alone even where the workspace is shared."""
    make_folder(path)
    if os.name == "posix" and path.stat().st_uid == os.geteuid():
        path.chmod(0o700)
    return path


def _read(path: Path, limit: int) -> bytes:
    """What is in the file ``path``, which is no link and no pipe. Raises ``OSError``."""
    try:
        with open_plain(path, follow=False) as file:
            data = file.read(limit + 1)
    except ValueError as error:
        raise OSError(f"{path} cannot be used: {error}") from None
    if len(data) > limit:
        raise OSError(f"{path} has more than {limit:,} bytes")
    return data
