"""Where photos come from: files, folders, zips and uploads, one after the other. Each is decoded
when its turn comes, and a bad one does not stop the others. What a folder or zip holds and is no
photo is told."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

from fkd.errors import UserError
from fkd.inference.decode import MAX_BYTES, SUFFIXES, WORDS, Photo, decode, read_photo
from fkd.inference.kinds import START, kind_of, shown
from fkd.settings import MAX_EXPANSION
from fkd.user_files import is_user_file, open_user_file
from fkd.zips import open_zip

MAX_ENTRIES = 10_000
"""Most files looked at in one zip."""
_HARMLESS_BYTES = 1 << 20
"""An entry that unpacks to no more than this may be packed as well as it likes."""
_NAMED = 5
"""Names told of what was not read; of the others their number."""
_LONGEST_NAME = 80
_PACKED = (".zip",)
_SYSTEM = {"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"}
"""What systems leave in folders, in lower case."""
_PEEKED = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
"""Packings that show the start of a file at no cost."""

Tell = Callable[[str], None]
"""Takes a sentence for people."""


@dataclass(frozen=True)
class Source:
    """What may be a photo.

    Attributes:
        name: for people, on one line: a file's name, within a folder or zip its path there.
        load: decodes it; ``UserError`` where it is no photo.
    """

    name: str
    load: Callable[[], Photo]


def from_paths(paths: Iterable[Path], tell: Tell | None = None) -> Iterator[Source]:
    """Files, zips, and the images in folders and their folders, by name. An image is what is
    called one or begins as one. ``tell`` gets a sentence on each folder and zip that holds
    something else, when its turn comes."""
    for path in paths:
        if path.is_dir():
            yield from _of_folder(path, tell)
        elif path.suffix.lower() == ".zip":
            yield from _of_zip_file(path, tell)
        else:
            yield Source(shown(path.name), partial(read_photo, path))


def from_upload(name: str, data: bytes, tell: Tell | None = None) -> Iterator[Source]:
    """The photo, or the photos in the zip, that ``data`` is; ``tell`` as for ``from_paths``."""
    if name.lower().endswith(".zip") or data[:4] == b"PK\x03\x04":
        yield from _of_zip(io.BytesIO(data), name, tell)
    else:
        yield Source(shown(name), partial(decode, data, name))


@dataclass
class _Unread:
    """What a folder or zip holds and was not read: names, by the reason."""

    names: dict[str, list[str]] = field(default_factory=dict)

    def add(self, name: str, reason: str) -> None:
        self.names.setdefault(reason, []).append(name)

    def add_file(self, name: str) -> None:
        packed = name.lower().endswith(_PACKED)
        self.add(
            name, "zips within: unpack them first" if packed else "not images in a supported format"
        )

    def tell(self, place: str, tell: Tell | None) -> None:
        """One sentence on all of them, if there are any."""
        if self.names and tell is not None:
            parts = [f"{_list(names)} ({reason})" for reason, names in self.names.items()]
            tell(f"Not read in {_short(place)}: {'; '.join(parts)}.")


def _list(names: Sequence[str]) -> str:
    """``a, b and 3 more``."""
    words = [_short(name) for name in names[:_NAMED]]
    if len(names) > _NAMED:
        words.append(f"{len(names) - _NAMED:,} more")
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _short(name: str) -> str:
    """A name from outside as it can stand in a sentence; of a long one the end tells most."""
    name = shown(name)
    return name if len(name) <= _LONGEST_NAME else f"…{name[1 - _LONGEST_NAME :]}"


def _of_folder(folder: Path, tell: Tell | None) -> Iterator[Source]:
    unread = _Unread()
    files: list[Path] = []

    def failed(error: OSError) -> None:
        unread.add(_within(folder, Path(error.filename)), error.strerror or str(error))

    for place, folders, names in os.walk(folder, onerror=failed):
        for name in folders:
            if (link := Path(place, name)).is_symlink():
                unread.add(_within(folder, link), "links to folders")
        files += [Path(place, name) for name in names]
    found = 0
    peeks = MAX_ENTRIES
    for file in sorted(files):
        name = _within(folder, file)
        parts = file.relative_to(folder).parts
        if "__MACOSX" in parts or _is_left_behind(file.name):
            continue
        hidden = any(part.startswith(".") for part in parts)
        if not is_user_file(file):
            if not hidden:
                unread.add(name, "no files that can be read")
            continue
        image = _is_image(file.name)
        if not image and not hidden and peeks > 0:
            peeks -= 1
            image = _begins_as_image(file.name, partial(_opened, file))
        if image:
            found += 1
            yield Source(shown(name), partial(read_photo, file))
        elif not hidden:
            unread.add_file(name)
    if not found:
        yield _bad(
            folder.name, f"{shown(str(folder))} contains no images in a supported format: {WORDS}."
        )
    unread.tell(folder.name or str(folder), tell)


def _opened(file: Path) -> IO[bytes]:
    return open_user_file(file)[0]


def _within(folder: Path, file: Path) -> str:
    return str(file.relative_to(folder))


def _of_zip_file(path: Path, tell: Tell | None) -> Iterator[Source]:
    try:
        stream, _ = open_user_file(path, shown(path.name))
    except UserError as error:
        yield _bad(path.name, f"{error}.")
        return
    yield from _of_zip(stream, path.name, tell)  # open as long as its photos are wanted


def _of_zip(file: IO[bytes], name: str, tell: Tell | None) -> Iterator[Source]:
    """The images in a zip, in its order. Nothing is ever unpacked to the disk, and into memory
    only one at a time."""
    title = shown(name)
    try:
        archive = open_zip(file)
        entries, unread = _sorted_out(archive)
    except zipfile.BadZipFile as error:
        yield _bad(name, f"{title} is a damaged zip ({error}); pack it again.")
        return
    except OSError as error:
        yield _bad(name, f"{title} cannot be read: {error.strerror or error}.")
        return
    unread.tell(name, tell)
    if not entries:
        yield _bad(name, f"{title} contains no images in a supported format: {WORDS}.")
    for entry in entries[:MAX_ENTRIES]:
        yield Source(shown(entry.filename), partial(_photo, archive, entry))
    if len(entries) > MAX_ENTRIES:
        rest = len(entries) - MAX_ENTRIES
        yield _bad(name, f"{title} holds {rest:,} more images; {MAX_ENTRIES:,} are taken.")


def _sorted_out(archive: zipfile.ZipFile) -> tuple[list[zipfile.ZipInfo], _Unread]:
    """The images in a zip, and what else is in it."""
    entries: list[zipfile.ZipInfo] = []
    unread = _Unread()
    peeks = MAX_ENTRIES
    for entry in archive.infolist():
        path = PurePosixPath(entry.filename)
        if entry.is_dir() or "__MACOSX" in path.parts or _is_left_behind(path.name):
            continue
        image = _is_image(path.name)
        if any(part.startswith(".") and part != ".." for part in path.parts):
            if image:
                unread.add(entry.filename, "hidden")
            continue
        if not image and peeks > 0 and entry.compress_type in _PEEKED and not entry.flag_bits & 1:
            peeks -= 1
            image = _begins_as_image(path.name, partial(archive.open, entry))
        if image:
            entries.append(entry)
        else:
            unread.add_file(entry.filename)
    return entries, unread


def _photo(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Photo:
    return decode(_unpack(archive, entry), entry.filename)


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    title = shown(entry.filename)
    path = PurePosixPath(entry.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or PureWindowsPath(path).drive:
        raise UserError(f"{entry.filename!r} was skipped: its path leads outside the zip.")
    if entry.flag_bits & 1:
        raise UserError(f"{title} is encrypted; unpack it with its password first.")
    if entry.file_size > MAX_BYTES:
        raise UserError(f"{title} was skipped: it is larger than {MAX_BYTES >> 20} MB.")
    if entry.file_size > max(_HARMLESS_BYTES, entry.compress_size * MAX_EXPANSION):
        raise UserError(
            f"{title} was skipped: it would unpack to more than {MAX_EXPANSION} times its packed "
            "size."
        )
    try:
        with archive.open(entry) as file:
            data = file.read(MAX_BYTES + 1)  # what is announced may be wrong
    except Exception as error:  # zipfile and its decompressors raise many kinds
        raise UserError(f"{title} cannot be unpacked ({error}).") from None
    if len(data) > MAX_BYTES:
        raise UserError(f"{title} was skipped: it is larger than {MAX_BYTES >> 20} MB.")
    return data


def _is_left_behind(name: str) -> bool:
    """Whether a file is the system's own."""
    return name.startswith("._") or name.lower() in _SYSTEM


def _is_image(name: str) -> bool:
    return name.lower().endswith(SUFFIXES)


def _begins_as_image(name: str, opened: Callable[[], IO[bytes]]) -> bool:
    """Whether a file that is not called an image begins as one."""
    try:
        with opened() as file:
            kind = kind_of(file.read(START))
    except Exception:  # whatever is wrong with it, it is told as not read
        return False
    # Cameras' own formats are TIFF files by their start, and called otherwise.
    return bool(kind) and (kind != "TIFF" or "." not in name)


def _bad(name: str, reason: str) -> Source:
    def load() -> Photo:
        raise UserError(reason)

    return Source(shown(name), load)
