"""Writing tables whole or not at all, plain or zipped."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.csv as pacsv  # type: ignore[import-untyped]
from numpy.typing import NDArray

from fkd.errors import UserError
from fkd.files import replacing

ROWS_AT_A_TIME = 256
"""Images turned to text at a time: about 8 MB for small images."""


@contextmanager
def replacing_table(path: str | Path) -> Iterator[IO[bytes]]:
    """A stream whose bytes take the place of ``path`` once all are written. A path that ends in
    ``.zip`` gets a zip that holds them as the ``.csv`` of the same name.

    Raises:
        UserError: if the folder does not exist, may not be written, or the disk is full.
    """
    path = Path(path)
    try:
        with replacing(path) as beside, beside.open("wb") as file:
            if path.suffix.lower() == ".zip":
                # A name rather than a file gives the entry a fixed date, and so equal tables
                # equal bytes. Level 6, the default, takes five times as long for an eighth less.
                name = f"{path.stem.removesuffix('.csv')}.csv"
                with (
                    zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as archive,
                    archive.open(name, "w", force_zip64=True) as stream,
                ):
                    yield stream
            else:
                yield file
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror or error}") from error


def write_table(
    path: str | Path,
    columns: Sequence[str],
    rows: int,
    block: Callable[[slice], Sequence[pa.Array]],
    rows_at_a_time: int,
) -> None:
    """Write ``rows`` rows under the names ``columns``; ``block(slice)`` gives the arrays of some
    of them. Nulls become empty fields."""
    with replacing_table(path) as stream:
        write_rows(stream, columns, rows, block, rows_at_a_time)


def write_rows(
    stream: IO[bytes],
    columns: Sequence[str],
    rows: int,
    block: Callable[[slice], Sequence[pa.Array]],
    rows_at_a_time: int,
    advance: Callable[[int], None] = lambda done: None,
) -> None:
    """As ``write_table``, to an open stream; ``advance`` is told the rows written so far."""
    options = pacsv.WriteOptions(include_header=False, quoting_style="none")
    stream.write(",".join(columns).encode() + b"\n")
    for start in range(0, rows, rows_at_a_time):
        arrays = block(slice(start, start + rows_at_a_time))
        table = pa.Table.from_arrays(list(arrays), names=list(columns))
        buffer = pa.BufferOutputStream()
        pacsv.write_csv(table, buffer, write_options=options)
        stream.write(buffer.getvalue())
        advance(min(start + rows_at_a_time, rows))


def pixel_text(images: NDArray[np.uint8]) -> pa.StringArray:
    """The ``(n, H, W)`` images as text: the levels row by row with single spaces between."""
    words = pa.array(images.reshape(-1)).cast(pa.string())
    pixels = int(np.prod(images.shape[1:]))
    offsets = np.arange(len(images) + 1, dtype=np.int32) * pixels
    return pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets), words), " ")


def number_text(values: NDArray[np.floating]) -> pa.Array:
    """``(n,)`` numbers as an array that is written in the fewest digits that read back equal; NaN
    as an empty field."""
    return pa.array(values, mask=np.isnan(values))


def fewest_digits(value: float, same: Callable[[float], bool]) -> str:
    """``value`` in the fewest digits, at least six, that ``same`` takes for it when they are read;
    in all its digits where it takes none."""
    for digits in range(6, 17):
        text = f"{value:.{digits}g}"
        if same(float(text)):
            return text
    return repr(value)
