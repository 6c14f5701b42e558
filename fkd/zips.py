"""Zips from outside: opened without more memory than an honest one takes, and their entries judged
before they are unpacked."""

from __future__ import annotations

import zipfile
from pathlib import PurePosixPath, PureWindowsPath
from typing import IO, Any, cast

from fkd import settings
from fkd.errors import UserError

MAX_DIRECTORY_BYTES = 16 << 20
"""Largest list of files that is read: that of 100,000 files with long names. Python reads it at
once, and takes twenty times as much memory for it."""

HARMLESS_BYTES = 1 << 20
"""Expansion is not judged below this size: a few flat images compress by any ratio."""


class _Cautious:
    """``file``, of which no more than ``MAX_DIRECTORY_BYTES`` are read in one piece as long as it
    is being ``opened``."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.opened = file, False

    def read(self, size: int = -1) -> bytes:
        if not self.opened and size > MAX_DIRECTORY_BYTES:
            raise zipfile.BadZipFile("its list of files is too long")
        return self._file.read(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def open_zip(file: IO[bytes]) -> zipfile.ZipFile:
    """The zip in ``file``.

    Raises:
        zipfile.BadZipFile: if it is damaged in any way, its list of files is too long, or it is of
            a kind that Python does not know.
    """
    cautious = _Cautious(file)
    try:
        archive = zipfile.ZipFile(cast("IO[bytes]", cautious))
    except (OSError, MemoryError, zipfile.BadZipFile):
        raise
    except Exception as error:  # it raises many kinds, of which it documents one
        raise zipfile.BadZipFile(str(error) or type(error).__name__) from error
    cautious.opened = True
    return archive


def leads_out(name: str) -> bool:
    """Whether ``name``, a path inside a zip or folder, points to somewhere else."""
    path = PurePosixPath(_slashed(name))
    return path.is_absolute() or ".." in path.parts or bool(PureWindowsPath(path).drive)


def is_hidden(name: str) -> bool:
    """Whether the file at ``name`` is one that systems add for themselves."""
    path = PurePosixPath(_slashed(name))
    known = path.name.lower() in ("thumbs.db", "desktop.ini")
    return known or "__MACOSX" in path.parts or path.name.startswith(".")


def check_entry(entry: zipfile.ZipInfo, container: int, limit: int) -> None:
    """Look at ``entry`` of a zip of ``container`` bytes before it is unpacked.

    Raises:
        UserError: if it points outside the zip, is encrypted, has more than ``limit`` bytes, or is
            packed better than anything honest.
    """
    name = _slashed(entry.filename)
    if leads_out(name):
        raise UserError(f"{name} points outside its zip, so it is not read.")
    if entry.flag_bits & 1:
        raise UserError(f"{name} is encrypted; unpack it with its password first.")
    if entry.file_size > limit:
        raise too_large(name, limit)
    # The header's compressed size can lie, but not beyond the file that holds the entry.
    check_expansion(name, min(entry.compress_size, container), entry.file_size)


def check_expansion(name: str, packed: int, unpacked: int) -> None:
    """``UserError`` if the file called ``name`` unpacks from ``packed`` bytes to ``unpacked``, more
    than anything honest does."""
    most = settings.MAX_EXPANSION
    if unpacked > max(HARMLESS_BYTES, packed * most):
        raise UserError(
            f"{name} would unpack to more than {most} times its size, as no table or image does, "
            "so it is not read."
        )


def too_large(name: str, limit: int) -> UserError:
    """That the file called ``name`` has more than ``limit`` bytes."""
    most = f"{limit >> 20:,} MB" if limit >= 1 << 20 else f"{limit:,} bytes"
    return UserError(f"{name} is larger than {most}, the most that is read.")


def _slashed(name: str) -> str:
    return name.replace("\\", "/")
