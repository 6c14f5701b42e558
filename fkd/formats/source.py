"""Where a table's bytes come from: a file, a zip, a folder, or a zip inside a zip.

Nothing is unpacked to disk: a table is one sequential stream whatever holds it.
"""

from __future__ import annotations

import io
import lzma
import os
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, TYPE_CHECKING, Any, Literal

from fkd import settings
from fkd.errors import UserError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Kind = Literal["training", "test", "lookup", "submission"]

FILE_NAMES: dict[Kind, tuple[str, ...]] = {
    "training": ("training.csv",),
    "test": ("test.csv",),
    "lookup": ("IdLookupTable.csv", "submissionFileFormat.csv"),
    "submission": ("SampleSubmission.csv",),
}
"""The names that each kind of table is shipped under, the best first; case does not matter."""

ARCHIVE_NAME = "facial-keypoints-detection.zip"
"""The one download that holds all tables, plain or zipped once more."""

HARMLESS_BYTES = 1 << 20
"""Expansion is not judged below this size: a few flat images compress by any ratio."""

_DAMAGE = (  # All that zipfile is known to raise on files that are not what they say.
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, struct.error),
    *(ValueError, OverflowError, IndexError, RuntimeError, OSError),
)


@dataclass(frozen=True)
class TableSource:
    """An open table: ``stream`` gives its ``size`` bytes in order (seeking is not possible);
    ``name`` is the file name to show."""

    stream: IO[bytes]
    size: int
    name: str


@contextmanager
def open_table(path: str | Path, kind: Kind) -> Iterator[TableSource]:
    """Open the table of ``kind`` at ``path``: a CSV file, a zip, a folder or a zip of zips.

    A file is taken whatever its name; in folders and zips the table is looked for by its known
    names (a zip with a single CSV file may call that as it likes).

    Raises:
        UserError: if there is no such file, it cannot be read, or a zip is damaged, encrypted,
            hostile or larger than ``settings`` allows. The same may be raised while reading.
    """
    path = Path(path)
    with ExitStack() as stack:
        # os.path's test is False, where Path's raises, for what no path can be.
        file = _find_in_folder(path, kind) if os.path.isdir(path) else path
        stream, size = _open_file(file)
        stack.enter_context(stream)
        name = file.name
        if file.suffix.lower() == ".zip" or _looks_zipped(stream):
            stream, size, name = _open_zip(stack, stream, size, name, kind)
        elif size > settings.MAX_TABLE_BYTES:
            raise _too_large(name)
        checked = _CheckedStream(stream, name, size)
        yield TableSource(stack.enter_context(io.BufferedReader(checked, 1 << 16)), size, name)


def has_table(path: str | Path, kind: Kind) -> bool:
    """Whether the folder or zip at ``path`` holds the table of ``kind`` under a known name.

    A CSV file holds no other table; a path that cannot be read holds none.
    """
    path = Path(path)
    try:
        if path.is_dir():
            file = _find_in_folder(path, kind)
            return file.name.lower() != ARCHIVE_NAME or has_table(file, kind)
        with zipfile.ZipFile(path) as archive:
            return any(_base(e).lower() in _wanted(kind) for e in archive.infolist())
    except (UserError, *_DAMAGE):
        return False


def _open_file(path: Path) -> tuple[IO[bytes], int]:
    try:
        # Opening a pipe would wait for a writer for ever.
        if path.exists() and not path.is_file():
            raise UserError(f"{path} is not a file")
        stream = path.open("rb")
        return stream, os.fstat(stream.fileno()).st_size
    except FileNotFoundError:
        raise UserError(f"{path} does not exist") from None
    except PermissionError:
        raise UserError(f"{path} may not be read: permission denied") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{path} cannot be read: {reason}") from None


def _looks_zipped(stream: IO[bytes]) -> bool:
    start = stream.read(4)
    stream.seek(0)
    return start in (b"PK\x03\x04", b"PK\x05\x06")


def _wanted(kind: Kind) -> list[str]:
    """Known names of the table and of zips that may hold it, in lower case, the best first."""
    names = [name.lower() for name in FILE_NAMES[kind]]
    zips = [f"{name.removesuffix('.csv')}{end}" for name in names for end in (".zip", ".csv.zip")]
    return names + zips


def _find_in_folder(folder: Path, kind: Kind) -> Path:
    try:
        found = {file.name.lower(): file for file in sorted(folder.iterdir())}
    except OSError as error:
        raise UserError(f"the folder {folder} cannot be read: {error.strerror}") from None
    for name in (*_wanted(kind), ARCHIVE_NAME):
        if name in found:
            return found[name]
    shown = " or ".join(FILE_NAMES[kind])
    raise UserError(f"the folder {folder} has no {shown}, plain or zipped")


def _open_zip(
    stack: ExitStack, stream: IO[bytes], size: int, name: str, kind: Kind, *, nested: bool = False
) -> tuple[IO[bytes], int, str]:
    """Stream, size and name of the table in the zip that ``stream`` holds."""
    with damage_of(name):
        archive = stack.enter_context(zipfile.ZipFile(stream))
        entry = _choose(archive.infolist(), name, kind)
        check_entry(entry, size, name)
        inner = stack.enter_context(archive.open(entry))
    entry_name = _base(entry)
    if not entry_name.lower().endswith(".zip"):
        return inner, entry.file_size, entry_name
    if nested:
        raise UserError(f"{name} holds one more zip, {entry_name}; unpack it first")
    return _open_zip(stack, inner, entry.file_size, entry_name, kind, nested=True)


def _choose(entries: Iterable[zipfile.ZipInfo], name: str, kind: Kind) -> zipfile.ZipInfo:
    files = []
    for entry in entries:
        if leads_out(entry.filename):
            raise UserError(f"{name} is refused: its entry {entry.filename!r} leads out of the zip")
        if not (entry.is_dir() or is_hidden(entry.filename)):
            files.append(entry)
    for wanted in _wanted(kind):
        if found := [entry for entry in files if _base(entry).lower() == wanted]:
            depths = [entry.filename.count("/") for entry in found]
            if depths.count(min(depths)) > 1:
                raise UserError(f"{name} holds {wanted} more than once; keep only one of them")
            return found[depths.index(min(depths))]
    tables = [entry for entry in files if _base(entry).lower().endswith(".csv")]
    if len(tables) == 1:
        return tables[0]
    listed = ", ".join(_base(entry) for entry in files[:5]) or "nothing"
    raise UserError(f"{name} does not hold {' or '.join(FILE_NAMES[kind])}; it holds {listed}")


def leads_out(name: str) -> bool:
    """Whether ``name``, a path inside a zip or folder, points to somewhere else."""
    path = PurePosixPath(name.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts or bool(PureWindowsPath(path).drive)


def is_hidden(name: str) -> bool:
    """Whether the file at ``name`` is one that systems add for themselves."""
    path = PurePosixPath(name.replace("\\", "/"))
    return "__MACOSX" in path.parts or path.name.startswith(".")


def _base(entry: zipfile.ZipInfo) -> str:
    return entry.filename.replace("\\", "/").rsplit("/", 1)[-1]


def check_entry(entry: zipfile.ZipInfo, container_size: int, name: str) -> None:
    """``UserError`` if ``entry`` of the zip ``name``, ``container_size`` bytes long, is encrypted,
    too large, or packed better than anything honest."""
    if entry.flag_bits & 1:
        raise UserError(f"{name} is encrypted; unpack it with its password first")
    if entry.file_size > settings.MAX_TABLE_BYTES:
        raise _too_large(_base(entry))
    # The header's compressed size can lie, but not beyond the file that holds the entry.
    packed = min(entry.compress_size, container_size)
    if entry.file_size > max(HARMLESS_BYTES, packed * settings.MAX_EXPANSION):
        raise UserError(
            f"{name} is refused: {_base(entry)} would unpack to more than "
            f"{settings.MAX_EXPANSION} times its size, as no table of images does"
        )


def _too_large(name: str) -> UserError:
    return UserError(f"{name} is refused: it is larger than {settings.MAX_TABLE_BYTES:,} bytes")


@contextmanager
def damage_of(name: str) -> Iterator[None]:
    """What reading the zip called ``name`` raises because it is damaged, as ``UserError``."""
    try:
        yield
    except _DAMAGE as error:
        detail = str(error) or type(error).__name__
        raise UserError(
            f"{name} is damaged or incomplete ({detail}); get it again, or pack it again"
        ) from error


class _CheckedStream(io.RawIOBase):
    """``stream`` with its errors in the user's terms, and exactly ``size`` bytes."""

    def __init__(self, stream: IO[bytes], name: str, size: int) -> None:
        self._source = stream
        self._name = name
        self._left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        with damage_of(self._name):
            data: Any = self._source.read(len(view))
        self._left -= len(data)
        if self._left < 0:
            raise UserError(f"{self._name} is refused: it is longer than announced")
        if self._left > 0 and not data and len(view):
            raise UserError(f"{self._name} is incomplete: {self._left:,} bytes at its end are gone")
        view[: len(data)] = data
        return len(data)
