"""Streams of bytes that hold what they promise: bounded, with damage in the user's terms."""

from __future__ import annotations

import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from fkd import settings
from fkd.errors import UserError
from fkd.zips import check_expansion, too_large

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

DAMAGE = (  # All that the archive modules are known to raise on files that are not what they say.
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, struct.error),
    *(ValueError, OverflowError, IndexError, RuntimeError, OSError),
)


@contextmanager
def damage_of(name: str) -> Iterator[None]:
    """What reading the archive called ``name`` raises because it is damaged, as ``UserError``."""
    try:
        yield
    except DAMAGE as error:
        detail = str(error) or type(error).__name__
        raise UserError(
            f"{name} is damaged or incomplete ({detail}); get it again, or pack it again"
        ) from error


class _Stream(io.RawIOBase):
    """A raw stream over ``read``."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        data = self._next(len(view))
        view[: len(data)] = data
        return len(data)

    @abstractmethod
    def _next(self, size: int) -> bytes:
        """The next bytes, at most ``size``; none at the end."""


class CheckedStream(_Stream):
    """``stream`` with its errors in the user's terms, and exactly ``size`` bytes, of which
    ``left`` have not been read yet."""

    def __init__(self, stream: IO[bytes], name: str, size: int) -> None:
        self._source = stream
        self._name = name
        self.left = size

    def _next(self, size: int) -> bytes:
        with damage_of(self._name):
            data: Any = self._source.read(size)
        self.left -= len(data)
        if self.left < 0:
            raise UserError(f"{self._name} is refused: it is longer than announced")
        if self.left > 0 and not data and size:
            raise UserError(
                f"{self._name} is incomplete: {self.left:,} bytes at its end are missing"
            )
        return bytes(data)


class UnpackedStream(_Stream):
    """What ``stream`` unpacks from ``packed``: its errors in the user's terms, and no more than
    anything honest unpacks to. It can go back to its beginning, nowhere else."""

    def __init__(self, stream: IO[bytes], packed: IO[bytes], name: str) -> None:
        self._source, self._packed, self._name = stream, packed, name
        self._done = 0

    def _next(self, size: int) -> bytes:
        with damage_of(self._name):
            data: Any = self._source.read(size)
        self._done += len(data)
        if self._done > settings.MAX_TABLE_BYTES:
            raise too_large(self._name, settings.MAX_TABLE_BYTES)
        # The decompressors read ahead, which makes this a little more lenient.
        check_expansion(self._name, self._packed.tell(), self._done)
        return bytes(data)

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if offset or whence != io.SEEK_SET:
            raise io.UnsupportedOperation("only back to the beginning")
        with damage_of(self._name):
            self._source.seek(0)
        self._done = 0
        return 0


class TextStream(_Stream):
    """A stream of the pieces that an iterator gives."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def _next(self, size: int) -> bytes:
        while not self._rest and size:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._rest = piece
        data, self._rest = self._rest[:size], self._rest[size:]
        return data
