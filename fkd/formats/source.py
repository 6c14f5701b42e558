"""Where a table's bytes come from: a file, a folder, an archive, or an archive inside an archive.

Nothing is unpacked to disk: a table is one sequential stream of text whatever holds it.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple

from fkd import settings
from fkd.errors import UserError
from fkd.formats._streams import (
    DAMAGE,
    CheckedStream,
    TextStream,
    UnpackedStream,
    damage_of,
)
from fkd.user_files import is_user_file, open_user_file
from fkd.words import listed
from fkd.zips import check_entry, is_hidden, leads_out, open_zip, too_large

Kind = Literal["training", "test", "lookup", "submission"]

FILE_NAMES: dict[Kind, tuple[str, ...]] = {
    "training": ("training.csv", "facial_keypoints.csv"),
    "test": ("test.csv",),
    "lookup": ("IdLookupTable.csv", "submissionFileFormat.csv"),
    "submission": ("SampleSubmission.csv",),
}
"""The names that each kind of table is shipped under, the best first; case does not matter."""

ARCHIVE_NAME = "facial-keypoints-detection.zip"
"""The one download that holds all tables, plain or zipped once more."""

IMAGES_NAME = "face_images.npz"
"""The images that belong to ``facial_keypoints.csv``, in the mirror that has both."""

MAX_FILES = 100_000
"""Most files looked at in a folder or archive."""

_PACKED: tuple[tuple[bytes, Callable[..., Any]], ...] = (
    (b"\x1f\x8b", gzip.open),
    (b"BZh", bz2.open),
    (b"\xfd7zXZ\x00", lzma.open),
)
"""How compressed files begin, and what reads them."""

_PACKED_ENDS = (".gz", ".bz2", ".xz")
_TAR_ENDS = (".tar", *(f".tar{end}" for end in _PACKED_ENDS), ".tgz", ".tbz2", ".txz")

TABLE_SUFFIXES = ("csv", "parquet", "zip", "tar", "tgz", "tbz2", "txz", "gz", "bz2", "xz")
"""How files end that may be or hold a table, to choose from: what they are shows in them."""

_OTHER_KINDS = (
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it first"),
    (b"Rar!", "a RAR archive", "unpack it first"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file", "unpack it first"),
    (b"\x89HDF", "an HDF5 file", "save the table as CSV or Parquet"),
    (
        b"\xd0\xcf\x11\xe0",
        "an Excel workbook",
        "export the table as CSV from the program that made it",
    ),
    (b"\x93NUMPY", "a NumPy array", "save the table as CSV or Parquet"),
    (b"ARROW1", "an Arrow (Feather) file", "save the table as CSV or Parquet"),
    (b"SQLite format 3", "an SQLite database", "save the table as CSV or Parquet"),
    (b"%PDF", "a PDF document", "name the table itself"),
    (b"\x89PNG", "a picture", "name the table itself"),
    (b"\xff\xd8\xff", "a picture", "name the table itself"),
    (b"\x80\x04\x95", "a Python pickle, which is never opened", "save the table as CSV or Parquet"),
    (b"\x80\x05\x95", "a Python pickle, which is never opened", "save the table as CSV or Parquet"),
)
"""How files begin that hold no table that is read, what they are, and what to do."""

_SHOWN = 5
_PEEK = 512
_TAR_MARK = slice(257, 262)
_ARCHIVE_ENDS = (".zip", *_TAR_ENDS)


@dataclass(frozen=True)
class TableSource:
    """An open table.

    Attributes:
        stream: gives its bytes in order (seeking is not possible).
        size: how far ``position`` goes; without that, the number of bytes of ``stream``.
        name: the file name to show.
        entry: where the table lies in its folder or archive; empty for a file by itself.
        position: how far reading has come, where the number of bytes is not known beforehand, as
            in compressed files.
        siblings: all files of that folder or archive, the table included, as paths in order; what
            systems add for themselves is left out.
    """

    stream: IO[bytes]
    size: int
    name: str
    entry: str = ""
    position: Callable[[], int] | None = None
    siblings: tuple[str, ...] = ()


@contextmanager
def open_table(path: str | Path, kind: Kind) -> Iterator[TableSource]:
    """Open the table of ``kind`` at ``path``: a CSV or Parquet file, plain or compressed (gzip,
    bzip2, xz), or a folder or archive (zip, tar) that holds it.

    A file is taken whatever its name; in folders, at any depth, and archives the table is looked
    for by its known names (an archive with a single CSV file may call that as it likes). Parquet
    comes as the text of a CSV table; so does a table whose images lie beside it.

    Raises:
        UserError: if there is no such file, it cannot be read, or an archive is damaged,
            encrypted, hostile or larger than ``settings`` allows. The same may be raised while
            reading.
    """
    path = Path(path)
    with ExitStack() as stack:
        # os.path's test is False, where Path's raises, for what no path can be.
        names = _names_in_folder(path) if os.path.isdir(path) else []
        entry = _find_in_folder(path, names, kind) if os.path.isdir(path) else ""
        file = path / entry
        stream, size = open_user_file(file)
        stack.enter_context(stream)
        opening = _Opening(stack, kind)
        table = opening.table(_Found(stream, size, file.name, entry))
        table = opening.with_images(table, file.with_name(IMAGES_NAME))
        yield replace(table, siblings=tuple(sorted(names or opening.names)))


class _Found(NamedTuple):
    """A file that is the table or holds it: ``size`` bytes, at ``entry`` of what it lies in."""

    stream: IO[bytes]
    size: int
    name: str
    entry: str


class _Opening:
    """Peels a table out of what it is packed in; all that is opened goes to ``stack``, and
    ``names`` are the files of the outermost archive."""

    def __init__(self, stack: ExitStack, kind: Kind) -> None:
        self._stack, self._kind = stack, kind
        self.names: list[str] = []
        # What opens the images, and how many bytes they really take.
        self._images: Callable[[], tuple[IO[bytes], int]] | None = None

    def table(self, found: _Found, outer: str = "") -> TableSource:
        """The table that ``found`` is or holds; ``outer`` is the kind of archive around it."""
        with damage_of(found.name):
            start = found.stream.read(_PEEK)
            found.stream.seek(0)
        if found.name.lower().endswith(".zip") or _is_zip(start):
            return self._of_zip(found, outer)
        if _is_tar(start):
            return self._of_tar(found, found.stream)
        if unpack := _decompressor(start):
            return self._of_compressed(found, unpack)
        if start.startswith(b"PAR1"):
            return self._of_parquet(found)
        for mark, what, advice in _OTHER_KINDS:
            if start.startswith(mark):
                raise UserError(f"{found.name} is {what}, not a CSV table; {advice}")
        if found.size > settings.MAX_TABLE_BYTES:
            raise too_large(found.name, settings.MAX_TABLE_BYTES)
        checked = self._buffered(CheckedStream(found.stream, found.name, found.size))
        return TableSource(checked, found.size, found.name, found.entry)

    def _buffered(self, raw: io.RawIOBase) -> IO[bytes]:
        return self._stack.enter_context(io.BufferedReader(raw, 1 << 16))

    def _of_zip(self, found: _Found, outer: str) -> TableSource:
        with damage_of(found.name):
            archive = self._stack.enter_context(open_zip(found.stream))
            entries = _entries(archive, found.name)
            self.names = self.names or list(entries)
            entry = entries[_pick(list(entries), self._kind, found.name)]
            check_entry(entry, found.size, settings.MAX_TABLE_BYTES)
        name = _base(entry.filename)
        if outer and name.lower().endswith(_ARCHIVE_ENDS):
            raise UserError(f"{found.name} holds another archive, {name}; unpack it first")
        with damage_of(found.name):
            inner = self._stack.enter_context(archive.open(entry))
        images = next((e for n, e in entries.items() if _base(n).lower() == IMAGES_NAME), None)
        if images is not None:
            check_entry(images, found.size, settings.MAX_TABLE_BYTES)
            packed = min(images.compress_size, found.size)
            self._images = lambda: (archive.open(images), packed)
        place = found.entry or _slashed(entry.filename)
        return self.table(_Found(inner, entry.file_size, name, place), outer="zip")

    def _of_compressed(self, found: _Found, unpack: Callable[..., Any]) -> TableSource:
        with damage_of(found.name):
            decompressor = self._stack.enter_context(unpack(found.stream, "rb"))
        unpacked = UnpackedStream(decompressor, found.stream, found.name)
        start = _start(unpacked)
        if _is_tar(start):
            return self._of_tar(found, unpacked)
        if start.startswith(b"PAR1") or _is_zip(start) or _decompressor(start):
            raise UserError(f"{found.name} holds another archive; unpack it first")
        name = found.name
        if name.lower().endswith(_PACKED_ENDS):
            name = name.rpartition(".")[0]
        stream = self._buffered(unpacked)
        return TableSource(stream, found.size, name, found.entry, found.stream.tell)

    def _of_tar(self, found: _Found, stream: Any) -> TableSource:
        """The table in the tar that ``stream`` gives, which can go back to its beginning."""
        with damage_of(found.name):
            names = _tar_names(stream, found.name)
            self.names = self.names or names
            entry = _pick(names, self._kind, found.name)
            stream.seek(0)
            archive = tarfile.open(fileobj=stream, mode="r|")  # noqa: SIM115
            self._stack.callback(archive.close)
            member = next(m for m in archive if _slashed(m.name) == entry)
            inner = archive.extractfile(member)
        if _base(entry).lower().endswith((*_ARCHIVE_ENDS, ".parquet")) or inner is None:
            raise UserError(f"{found.name} holds another archive, {_base(entry)}; unpack it first")
        if member.size > settings.MAX_TABLE_BYTES:
            raise too_large(found.name, settings.MAX_TABLE_BYTES)
        checked = self._buffered(CheckedStream(inner, _base(entry), member.size))
        return TableSource(checked, member.size, _base(entry), found.entry or entry)

    def _of_parquet(self, found: _Found) -> TableSource:
        from fkd.formats._columnar import parquet_as_csv

        if found.size > settings.MAX_TABLE_BYTES:
            raise too_large(found.name, settings.MAX_TABLE_BYTES)
        pieces, rows, position = parquet_as_csv(found.stream, found.name)
        stream = self._buffered(TextStream(pieces))
        return TableSource(stream, rows, found.name, found.entry, position)

    def with_images(self, table: TableSource, beside: Path) -> TableSource:
        """``table`` with the images of the ``.npz`` file in its archive or at ``beside``, where it
        has none of its own."""
        if self._kind != "training":
            return table
        if self._images is None and is_user_file(beside):
            self._images = lambda: open_user_file(beside)
        if self._images is None:
            return table
        assert isinstance(table.stream, io.BufferedReader)
        if b"Image" in table.stream.peek(1 << 16).partition(b"\n")[0]:
            return table
        from fkd.formats._columnar import images_of, with_images

        with damage_of(IMAGES_NAME):
            archive, packed = self._images()
            with archive:
                images = images_of(archive, packed, IMAGES_NAME)
        pieces = with_images(iter(table.stream.readline, b""), images, IMAGES_NAME, table.name)
        total, position = table.size, table.position or _counted(table.stream)
        stream = self._buffered(TextStream(pieces))
        return replace(table, stream=stream, size=total, position=position)


def _counted(stream: io.BufferedReader) -> Callable[[], int]:
    """How much of what lies under ``stream``, a ``CheckedStream``, was read."""
    raw: Any = stream.raw
    size = raw.left
    return lambda: size - raw.left


def has_table(path: str | Path, kind: Kind) -> bool:
    """Whether the folder or archive at ``path`` holds the table of ``kind`` under a known name.

    A CSV file holds no other table; a path that cannot be read holds none.
    """
    path = Path(path)
    try:
        if path.is_dir():
            file = path / _find_in_folder(path, _names_in_folder(path), kind)
            return file.name.lower() != ARCHIVE_NAME or has_table(file, kind)
        return any(_base(name).lower() in _wanted(kind) for name in _names_in_archive(path))
    except (UserError, *DAMAGE):
        return False


def _names_in_archive(path: Path) -> list[str]:
    """The files in the zip or tar at ``path``; none for a file that is neither."""
    stream, _ = open_user_file(path)
    with stream, damage_of(path.name):
        start = stream.read(_PEEK)
        stream.seek(0)
        if _is_zip(start):
            with open_zip(stream) as archive:
                return list(_entries(archive, path.name))
        if _is_tar(start):
            return _tar_names(stream, path.name)
        if unpack := _decompressor(start):
            with unpack(stream, "rb") as unpacked:
                inner = UnpackedStream(unpacked, stream, path.name)
                if _is_tar(_start(inner)):
                    return _tar_names(inner, path.name)
    return []


def _is_zip(start: bytes) -> bool:
    return start.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def _is_tar(start: bytes) -> bool:
    return start[_TAR_MARK] == b"ustar"


def _decompressor(start: bytes) -> Callable[..., Any] | None:
    return next((unpack for mark, unpack in _PACKED if start.startswith(mark)), None)


def _start(stream: UnpackedStream) -> bytes:
    """The first bytes of ``stream``, which stays at its beginning."""
    start = bytearray()
    while len(start) < _PEEK and (more := stream.read(_PEEK - len(start))):
        start += more
    stream.seek(0)
    return bytes(start)


def _wanted(kind: Kind) -> list[str]:
    """Known names of the table and of what may hold it, in lower case, the best first."""
    names = [name.lower() for name in FILE_NAMES[kind]]
    stems = [name.removesuffix(".csv") for name in names]
    packed = [
        f"{stem}{end}"
        for stem in stems
        for end in (".zip", ".csv.zip", *(f".csv{end}" for end in _PACKED_ENDS), ".parquet",
                    *_TAR_ENDS, *(f"{end}" for end in _PACKED_ENDS))
    ]  # fmt: skip
    return names + packed


def _walk(folder: Path) -> Iterator[Path]:
    """The files in ``folder`` and the folders below it; links to folders are not followed."""
    count = 0
    for place, folders, files in os.walk(folder, onerror=_raise):
        folders[:] = sorted(name for name in folders if not is_hidden(name))
        for name in sorted(files):
            if not is_hidden(name):
                yield Path(place, name)
                count += 1
        if count > MAX_FILES:
            raise _too_many(str(folder))


def _raise(error: OSError) -> None:
    raise error


def _names_in_folder(folder: Path) -> list[str]:
    try:
        return [file.relative_to(folder).as_posix() for file in _walk(folder)]
    except OSError as error:
        raise UserError(f"the folder {folder} cannot be read: {error.strerror}") from None


def _find_in_folder(folder: Path, names: list[str], kind: Kind) -> str:
    found = _known(names, (*_wanted(kind), ARCHIVE_NAME), f"the folder {folder}")
    if found is None:
        shown = " or ".join(FILE_NAMES[kind])
        raise UserError(f"the folder {folder} has no {shown}, plain or packed")
    return found


def _known(names: Sequence[str], wanted: Sequence[str], where: str) -> str | None:
    """The path among ``names`` that ends in the first of ``wanted`` that is there: the least deep.

    Raises:
        UserError: if there are several.
    """
    by_base: dict[str, list[str]] = {}
    for name in names:
        by_base.setdefault(_base(name).lower(), []).append(name)
    for base in wanted:
        if found := by_base.get(base):
            depths = [name.count("/") for name in found]
            if depths.count(min(depths)) > 1:
                raise UserError(f"{where} holds {base} more than once; keep only one of them")
            return found[depths.index(min(depths))]
    return None


def _pick(names: Sequence[str], kind: Kind, where: str) -> str:
    """Which of the ``names`` in an archive is the table, or holds it."""
    if (found := _known(names, _wanted(kind), where)) is not None:
        return found
    tables = [name for name in names if _base(name).lower().endswith((".csv", ".parquet"))]
    if len(tables) == 1:
        return tables[0]
    if any(_base(name) == "workbook.xml" for name in names):
        raise UserError(
            f"{where} is an Excel workbook, whose cells hold at most 32,767 characters, fewer than "
            "an image needs; take the table as it was before it was opened there"
        )
    held = listed(map(_base, names), _SHOWN) or "no files"
    raise UserError(f"{where} does not hold {' or '.join(FILE_NAMES[kind])}; it holds {held}")


def _entries(archive: zipfile.ZipFile, name: str) -> dict[str, zipfile.ZipInfo]:
    """The files of a zip by their paths with ``/``."""
    entries = archive.infolist()
    if len(entries) > MAX_FILES:
        raise _too_many(name)
    files = {}
    for entry in entries:
        if leads_out(entry.filename):
            raise UserError(
                f"{name} is refused: its entry {entry.filename!r} points outside the zip"
            )
        if not (entry.is_dir() or is_hidden(entry.filename)):
            files[_slashed(entry.filename)] = entry
    return files


def _tar_names(stream: Any, name: str) -> list[str]:
    """The files of a tar that ``stream`` gives; it is read through once."""
    names = []
    with damage_of(name), tarfile.open(fileobj=stream, mode="r|") as archive:
        for number, member in enumerate(archive):
            archive.members.clear()  # type: ignore[attr-defined]  # it would keep all of them
            if leads_out(member.name):
                raise UserError(f"{name} is refused: its entry {member.name!r} points outside it")
            if member.isreg() and not is_hidden(member.name):
                names.append(_slashed(member.name))
            if number >= MAX_FILES:
                raise _too_many(name)
    return names


def _too_many(where: str) -> UserError:
    return UserError(f"{where} holds more than {MAX_FILES:,} files: is it the right one?")


def _slashed(name: str) -> str:
    return name.replace("\\", "/")


def _base(name: str) -> str:
    return _slashed(name).rsplit("/", 1)[-1]
