"""Tables that are no text, as the text of a CSV table: they are checked by the same reader then.

Parquet is what pandas' ``to_parquet`` writes. ``face_images.npz`` beside ``facial_keypoints.csv``
is how a mirror of Kaggle's data keeps its images: one array ``(H, W, N)``, the coordinates in the
CSV table without an Image column.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from typing import IO, Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.csv as pacsv  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from numpy.typing import NDArray

from fkd.errors import UserError
from fkd.formats.writing import pixel_text
from fkd.zips import check_entry, open_zip

_ROWS = 256
"""Rows turned to text at a time: about 8 MB for small images."""

MAX_ARRAY_BYTES = 2048 << 20
"""Largest array of images read at once: seven times Kaggle's, as 32-bit numbers."""


def parquet_as_csv(stream: IO[bytes], name: str) -> tuple[Iterator[bytes], int, Callable[[], int]]:
    """The Parquet file in ``stream``, which can seek, as text; its number of rows, and how many
    of them have been given so far.

    Raises:
        UserError: if it is damaged; also while the text is read.
    """
    done = 0
    try:
        file = pq.ParquetFile(stream, pre_buffer=False)
        rows = int(file.metadata.num_rows)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _damaged(name, error) from None

    def pieces() -> Iterator[bytes]:
        nonlocal done
        yield _line(file.schema_arrow.names)
        try:
            for batch in file.iter_batches(_ROWS):
                columns = [_text(column, name, field) for column, field in
                           zip(batch.columns, batch.schema.names, strict=True)]  # fmt: skip
                buffer = pa.BufferOutputStream()
                table = pa.Table.from_arrays(columns, names=[str(i) for i in range(len(columns))])
                pacsv.write_csv(table, buffer, pacsv.WriteOptions(include_header=False))
                done += len(batch)
                yield buffer.getvalue().to_pybytes()
        except (pa.ArrowException, OSError, ValueError) as error:
            raise _damaged(name, error) from None

    return pieces(), rows, lambda: done


def _damaged(name: str, error: Exception) -> UserError:
    reason = next(iter(str(error).splitlines()), "")[:120] or type(error).__name__
    return UserError(f"{name} is not a readable Parquet file ({reason}); save it again")


def _text(column: pa.Array, name: str, field: str) -> pa.Array:
    """``column`` as something that CSV can hold: images that are lists, of lists of rows or of the
    pixels, become text."""
    kind = column.type
    if isinstance(column, pa.ExtensionArray):  # such as tensors of one shape
        return _text(column.storage, name, field)
    if pa.types.is_dictionary(kind):
        return _text(column.dictionary_decode(), name, field)
    if _is_list(kind):
        ends = np.arange(len(column) + 1)
        while _is_list(column.type):
            lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
            # Where each row of the table ends among the lists one level further in.
            ends = np.concatenate([[0], np.cumsum(lengths)])[ends]
            column = pc.list_flatten(column)
        words = _text(column, name, field).cast(pa.string())
        return pc.binary_join(pa.ListArray.from_arrays(pa.array(ends, pa.int32()), words), " ")
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_nested(kind):
        raise UserError(
            f"{name}, column {field}: it holds {kind}, where numbers or text are expected"
        )
    return column


def _is_list(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    )


def _line(names: list[str]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerow(names)
    return text.getvalue().encode()


def images_of(archive: IO[bytes], packed: int, name: str) -> NDArray[np.uint8]:
    """``(N, H, W)`` images of the ``.npz`` file in ``archive``, which takes ``packed`` bytes: its
    only array, which has ``(H, W, N)``, ``(N, H, W)`` or ``(N, H, W, 1)`` grey levels.

    Raises:
        UserError: if it holds something else, or is damaged or too large.
    """
    try:
        with open_zip(archive) as file:
            entries = [e for e in file.infolist() if e.filename.endswith(".npy")]
            if len(entries) != 1:
                raise UserError(f"{name} holds {len(entries)} arrays; one with images is expected")
            check_entry(entries[0], packed, MAX_ARRAY_BYTES)
            with file.open(entries[0]) as stream:
                array: NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
    except UserError:
        raise
    except Exception as error:  # zipfile, zlib and NumPy each raise their own
        raise UserError(f"{name} is damaged ({type(error).__name__}); get it again") from None
    if array.ndim == 4 and array.shape[3] == 1:
        array = array[..., 0]
    if array.ndim != 3 or array.dtype.kind not in "uif" or not array.size:
        raise UserError(
            f"{name} holds {array.dtype} of shape {array.shape}; grey images (N, H, W) are expected"
        )
    # Images are square and there are other numbers of them than of pixels a side.
    if array.shape[0] == array.shape[1] != array.shape[2]:
        array = np.moveaxis(array, -1, 0)
    images = np.ascontiguousarray(array.astype(np.uint8))
    if not np.array_equal(images, array):
        raise UserError(f"{name} holds numbers that are not whole grey levels from 0 to 255")
    return images


def with_images(
    lines: Iterator[bytes], images: NDArray[np.uint8], name: str, table: str
) -> Iterator[bytes]:
    """The ``lines`` of a table without images (the first names its columns) with those of
    ``images`` ``(N, H, W)`` as a last column Image, row by row.

    Raises:
        UserError: while it is read, if there are not as many rows as images.
    """
    yield next(lines).rstrip(b"\r\n") + b",Image\n"
    row = 0
    for line in lines:
        if not (text := line.rstrip(b"\r\n")):
            continue
        if row >= len(images):
            raise _uneven(name, len(images), table, row + 1, "or more ")
        yield text + b"," + pixel_text(images[row : row + 1])[0].as_buffer().to_pybytes() + b"\n"
        row += 1
    if row != len(images):
        raise _uneven(name, len(images), table, row, "")


def _uneven(name: str, images: int, table: str, rows: int, more: str) -> UserError:
    return UserError(
        f"{name} holds {images:,} images, {table} {rows:,} {more}rows; they do not belong together"
    )
