"""Where photos come from: files, folders, zips and uploads, one after the other. Each is decoded
when its turn comes, and a bad one does not stop the others."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath

from fkd.errors import UserError
from fkd.inference.decode import MAX_BYTES, SUFFIXES, Photo, decode, read_photo
from fkd.settings import MAX_EXPANSION

MAX_ENTRIES = 10_000
"""Most files looked at in one zip."""
_HARMLESS_BYTES = 1 << 20
"""An entry that unpacks to no more than this may be packed as well as it likes."""


@dataclass(frozen=True)
class Source:
    """What may be a photo.

    Attributes:
        name: for people: a file's name, within a folder or zip its path there.
        load: decodes it; ``UserError`` where it is no photo.
    """

    name: str
    load: Callable[[], Photo]


def from_paths(paths: Iterable[Path]) -> Iterator[Source]:
    """Files, zips, and the images in folders and their folders, by name."""
    for path in paths:
        if path.is_dir():
            found = sorted(p for p in path.rglob("*") if _is_image(p.name) and p.is_file())
            for file in found:
                yield Source(str(file.relative_to(path)), partial(read_photo, file))
            if not found:
                yield _bad(path.name, f"{path} holds no images ({', '.join(SUFFIXES)}).")
        elif path.suffix.lower() == ".zip":
            yield from _of_zip(path, path.name)
        else:
            yield Source(path.name, partial(read_photo, path))


def from_upload(name: str, data: bytes) -> Iterator[Source]:
    """The photo, or the photos in the zip, that ``data`` is."""
    if name.lower().endswith(".zip") or data[:4] == b"PK\x03\x04":
        yield from _of_zip(io.BytesIO(data), name)
    else:
        yield Source(name, partial(decode, data, name))


def _of_zip(file: Path | io.BytesIO, name: str) -> Iterator[Source]:
    """The images in a zip, in its order. Nothing is ever unpacked to the disk, and into memory
    only one at a time."""
    try:
        archive = zipfile.ZipFile(file)
        entries = [e for e in archive.infolist() if _worth_a_look(e)]
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, ValueError) as error:
        yield _bad(name, f"{name} is a damaged zip ({error}); pack it again.")
        return
    except OSError as error:
        yield _bad(name, f"{name} cannot be read: {error.strerror or error}.")
        return
    if not entries:
        yield _bad(name, f"{name} holds no images ({', '.join(SUFFIXES)}).")
    for entry in entries[:MAX_ENTRIES]:
        yield Source(entry.filename, partial(_photo, archive, entry))
    if len(entries) > MAX_ENTRIES:
        rest = len(entries) - MAX_ENTRIES
        yield _bad(name, f"{name} holds {rest:,} more images; {MAX_ENTRIES:,} are taken.")


def _photo(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Photo:
    return decode(_unpack(archive, entry), entry.filename)


def _worth_a_look(entry: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(entry.filename)
    hidden = path.name.startswith(".") or "__MACOSX" in path.parts
    return not entry.is_dir() and not hidden and _is_image(path.name)


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    path = PurePosixPath(entry.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or PureWindowsPath(path).drive:
        raise UserError(f"{entry.filename!r} leads out of its zip and is left out.")
    if entry.flag_bits & 1:
        raise UserError(f"{entry.filename} is encrypted; unpack it with its password first.")
    if entry.file_size > MAX_BYTES:
        raise UserError(f"{entry.filename} has more than {MAX_BYTES >> 20} MB and is left out.")
    if entry.file_size > max(_HARMLESS_BYTES, entry.compress_size * MAX_EXPANSION):
        raise UserError(
            f"{entry.filename} would unpack to more than {MAX_EXPANSION} times its size, as no "
            "image does, and is left out."
        )
    try:
        with archive.open(entry) as file:
            data = file.read(MAX_BYTES + 1)  # what is announced may be wrong
    except Exception as error:  # zipfile and its decompressors raise many kinds
        raise UserError(f"{entry.filename} cannot be unpacked ({error}).") from None
    if len(data) > MAX_BYTES:
        raise UserError(f"{entry.filename} has more than {MAX_BYTES >> 20} MB and is left out.")
    return data


def _is_image(name: str) -> bool:
    return name.lower().endswith(SUFFIXES)


def _bad(name: str, reason: str) -> Source:
    def load() -> Photo:
        raise UserError(reason)

    return Source(name, load)
