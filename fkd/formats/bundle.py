"""Folders and zips of many files, read one by one by name. Nothing is unpacked to the disk, and
nothing in them leads out of them."""

from __future__ import annotations

import os
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Protocol

from fkd.errors import UserError
from fkd.formats._streams import damage_of
from fkd.user_files import is_user_file, open_user_file, read_user_file
from fkd.words import listed
from fkd.zips import check_entry, is_hidden, leads_out, open_zip, too_large

MAX_FILES = 2_000_000
"""Most files looked at: labels and pictures of a million faces."""

MAX_FILE_BYTES = 200 << 20
"""Largest file read: it is held in memory. The annotations of about 250,000 faces."""


class Bundle(Protocol):
    """Files under one roof. Their names are paths with ``/`` from there."""

    @property
    def title(self) -> str:
        """What it is called, for people."""

    @property
    def names(self) -> tuple[str, ...]:
        """The files there are, hidden ones left out, in order."""

    def __contains__(self, name: str) -> bool: ...

    def read(self, name: str) -> bytes:
        """The content of a file; ``UserError`` if it cannot be read or is too large."""


@contextmanager
def open_bundle(path: str | Path) -> Iterator[Bundle]:
    """Open the folder or zip at ``path``.

    Raises:
        UserError: if it is neither, or a zip is damaged or hostile. So may ``read``.
    """
    path = Path(path)
    if os.path.isdir(path):
        yield _Folder(path)
        return
    stream, size = open_user_file(path)
    with stream:
        if not zipfile.is_zipfile(stream):
            raise UserError(f"{path} is neither a folder nor a zip.")
        with damage_of(path.name):
            archive = open_zip(stream)
        with archive:
            yield _Zip(archive, path.name, size)


def read_text(bundle: Bundle, name: str) -> str:
    """The text of a file; ``UserError`` if it cannot be read or is no UTF-8."""
    try:
        return bundle.read(name).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UserError(f"{name} is not UTF-8 text; save it as UTF-8.") from None


def kinds_of_files(bundle: Bundle) -> str:
    """How many files there are of each kind, for people: "4 .png and 1 .json", the most frequent
    first."""
    counts = Counter(
        PurePosixPath(name).suffix.lower() or PurePosixPath(name).name for name in bundle.names
    )
    return listed(f"{n:,} {kind}" for kind, n in counts.most_common(6)) or "no files"


def without_suffix(name: str) -> str:
    """``a/12`` of ``a/12.png``."""
    return str(PurePosixPath(name).with_suffix(""))


class _Folder:
    def __init__(self, path: Path) -> None:
        self._path = path
        self.title = path.resolve().name or str(path)

    @cached_property
    def names(self) -> tuple[str, ...]:
        found: list[str] = []
        for folder, _, files in os.walk(self._path):  # links to folders are not followed
            base = Path(folder).relative_to(self._path)
            found += [name for file in files if not is_hidden(name := (base / file).as_posix())]
            if len(found) > MAX_FILES:
                raise _too_many(self.title)
        return tuple(sorted(found))

    def __contains__(self, name: str) -> bool:
        try:
            return is_user_file(self._place(name))
        except (UserError, OSError, ValueError):
            return False

    def read(self, name: str) -> bytes:
        data = read_user_file(self._place(name), MAX_FILE_BYTES, f"{name} in {self.title}")
        if data is None:
            raise too_large(name, MAX_FILE_BYTES)
        return data

    def _place(self, name: str) -> Path:
        """Where the file called ``name`` lies, below the folder and nowhere else."""
        place = self._path / name
        if leads_out(name) or not place.resolve().is_relative_to(self._path.resolve()):
            raise UserError(f"{name!r} points outside {self.title}; put the file into the folder.")
        return place


class _Zip:
    def __init__(self, archive: zipfile.ZipFile, title: str, size: int) -> None:
        self._archive, self.title, self._size = archive, title, size
        self._entries: dict[str, zipfile.ZipInfo] = {}
        entries = archive.infolist()
        if len(entries) > MAX_FILES:
            raise _too_many(title)
        for entry in entries:
            if leads_out(entry.filename):
                raise UserError(
                    f"{title} is refused: its entry {entry.filename!r} points outside the zip."
                )
            if not entry.filename or entry.is_dir() or is_hidden(entry.filename):
                continue
            name = entry.filename.replace("\\", "/")
            if name in self._entries:
                raise UserError(f"{title} holds {name} more than once; keep only one of them.")
            self._entries[name] = entry

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self._entries))

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def read(self, name: str) -> bytes:
        entry = self._entries.get(name)
        if entry is None:
            raise UserError(f"{self.title} does not hold {name}.")
        check_entry(entry, self._size, MAX_FILE_BYTES)
        with damage_of(f"{name} in {self.title}"), self._archive.open(entry) as file:
            data = file.read(MAX_FILE_BYTES + 1)  # what is announced may be wrong
        if len(data) > MAX_FILE_BYTES:
            raise too_large(name, MAX_FILE_BYTES)
        return data


def _too_many(title: str) -> UserError:
    return UserError(f"{title} holds more than {MAX_FILES:,} files: is it the right one?")
