"""Zips from outside: opened without more memory than an honest one takes."""

from __future__ import annotations

import zipfile
from typing import IO, Any, cast

MAX_DIRECTORY_BYTES = 16 << 20
"""Largest list of files that is read: that of 100,000 files with long names. Python reads it at
once, and takes twenty times as much memory for it."""


class _Cautious:
    """``file``, of which no more than ``MAX_DIRECTORY_BYTES`` are read in one piece as long as it
    is being ``opened``."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.opened = file, False

    def read(self, size: int = -1) -> bytes:
        if not self.opened and size > MAX_DIRECTORY_BYTES:
            raise zipfile.BadZipFile("its list of files is far longer than that of any honest one")
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
