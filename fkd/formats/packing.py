"""Writing a folder, or a zip, of many files: whole or not at all, and over nothing."""

from __future__ import annotations

import io
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Protocol

from fkd.errors import UserError
from fkd.files import INCOMING, holding, replacing, sweep
from fkd.private import like_parent

_LEVEL = 4
"""How hard text is packed: the default takes five times as long for an eighth less."""


class Package(Protocol):
    """Files being written. Their names are paths with ``/``."""

    def put(self, name: str, data: bytes) -> None:
        """Write one file."""

    def open(self, name: str) -> AbstractContextManager[IO[bytes]]:
        """A stream to one file; no other may be written before it is closed."""


@contextmanager
def packing(path: str | Path) -> Iterator[Package]:
    """A package that becomes the folder at ``path`` (made with those above it, or there and
    empty) when the block ends, or the zip if ``path`` ends in ``.zip``. When the block fails,
    there is nothing new.

    Raises:
        UserError: if something is at ``path`` already, or it cannot be written.
    """
    path = Path(path)
    try:
        _check_free(path)
        path.absolute().parent.mkdir(parents=True, exist_ok=True)
        with _zip(path) if path.suffix.lower() == ".zip" else _folder(path) as package:
            yield package
    except OSError as error:
        reason = error.strerror or error
        raise UserError(
            f"{path} cannot be written: {reason}. Nothing is left half-written."
        ) from error


def _check_free(path: Path) -> None:
    if path.is_dir() and path.suffix.lower() != ".zip":
        if any(path.iterdir()):
            raise UserError(
                f"The folder {path} is not empty and is not overwritten; choose another one."
            )
    elif os.path.lexists(path):
        raise UserError(f"{path} already exists and is not overwritten; choose another name.")


class _FolderPackage:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: set[Path] = set()

    def put(self, name: str, data: bytes) -> None:
        self._place(name).write_bytes(data)

    def open(self, name: str) -> IO[bytes]:
        return self._place(name).open("wb")

    def _place(self, name: str) -> Path:
        place = self._folder / name
        if place.parent not in self._made:
            place.parent.mkdir(parents=True, exist_ok=True)
            self._made.add(place.parent)
        return place


@contextmanager
def _folder(path: Path) -> Iterator[Package]:
    prefix = f"{INCOMING}{path.name}~"
    sweep(path.absolute().parent, prefix)
    stage = Path(tempfile.mkdtemp(prefix=prefix, dir=path.absolute().parent))
    try:
        with holding(stage):
            yield _FolderPackage(stage)
        like_parent(stage)
        if path.is_dir():
            path.rmdir()  # fails where somebody has put something into it meanwhile
        stage.rename(path)
    except BaseException:
        shutil.rmtree(stage, ignore_errors=True)
        raise


class _ZipPackage:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def put(self, name: str, data: bytes) -> None:
        # Pictures are packed already. An entry made by name has a fixed date, and so equal files
        # make equal zips.
        kind = zipfile.ZIP_STORED if name.endswith(".png") else zipfile.ZIP_DEFLATED
        self._archive.writestr(zipfile.ZipInfo(name), data, kind, _LEVEL)

    def open(self, name: str) -> IO[bytes]:
        return io.BufferedWriter(self._archive.open(name, "w", force_zip64=True))


@contextmanager
def _zip(path: Path) -> Iterator[Package]:
    with replacing(path) as beside, beside.open("wb") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
            yield _ZipPackage(archive)
        file.flush()
        os.fsync(file.fileno())
