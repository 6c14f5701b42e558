"""Datasets on disk: a folder of memory-mapped arrays and a manifest, written whole or not at all.

Layout of ``FKD_HOME/datasets/NAME/``::

    manifest.json        counts, sources, content hash
    images.npy           uint8   (N, H, W)
    keypoints.npy        float32 (N, K, 2), NaN where missing
    rows.npy             int64   (N,)  row of the source file
    test_images.npy      uint8   (M, H, W)
    test_image_ids.npy   int64   (M,)
    lookup.npy           int64   (L, 3): row id, image id, coordinate; absent without a lookup table
    fields.parquet       text    (N,) each: further columns of the source file; absent without any
    rejected.csv         the rows that were skipped, with reasons; absent if none were
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from numpy.typing import NDArray

from fkd import __version__, stored
from fkd.dataset import Dataset, Lookup
from fkd.errors import UserError
from fkd.keypoints import SCHEMAS, KeypointSchema

FIELDS = "fields.parquet"

FORMAT = 1
"""Version of the layout; a dataset of another version must be ingested again."""


class GrowingArray:
    """A ``.npy`` file that rows are appended to, with a running hash of its content.

    NumPy pads the header so that the first dimension can be corrected in place at the end.
    """

    def __init__(self, path: Path, row_shape: tuple[int, ...], dtype: type) -> None:
        self.rows = 0
        self._row_shape, self._dtype = row_shape, np.dtype(dtype)
        self._hash = hashlib.sha256()
        self._file = path.open("wb")
        self._write_header()

    def _write_header(self) -> None:
        np.lib.format.write_array_header_1_0(
            self._file,
            {
                "descr": np.lib.format.dtype_to_descr(self._dtype),
                "fortran_order": False,
                "shape": (self.rows, *self._row_shape),
            },
        )

    def append(self, block: NDArray[Any]) -> None:
        if block.shape[1:] != self._row_shape or block.dtype != self._dtype:
            raise ValueError(f"expected rows {self._row_shape} of {self._dtype}, got {block.shape}")
        data = np.ascontiguousarray(block).data.cast("B") if block.size else b""
        self._file.write(data)
        self._hash.update(data)
        self.rows += len(block)

    def finish(self) -> str:
        """Close the file, on disk for good; return the hash of its content."""
        self._file.seek(0)
        self._write_header()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return self._hash.hexdigest()

    def close(self) -> None:
        self._file.close()


class _GrowingFields:
    """A Parquet file of text columns that rows are appended to, with a running hash of them."""

    def __init__(self, path: Path, names: tuple[str, ...]) -> None:
        self.names = names
        self._schema = pa.schema([(name, pa.string()) for name in names])
        self._hash = hashlib.sha256(json.dumps(names).encode())
        self._file = path.open("wb")
        self._writer = pq.ParquetWriter(self._file, self._schema)

    def append(self, fields: Mapping[str, pa.StringArray]) -> None:
        columns = [fields[name] for name in self.names]
        self._writer.write_table(pa.Table.from_arrays(columns, schema=self._schema))
        for row in zip(*(column.to_pylist() for column in columns), strict=True):
            self._hash.update(json.dumps(row).encode())

    def finish(self) -> str:
        """Close the file, on disk for good; return the hash of its content."""
        self._writer.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return self._hash.hexdigest()

    def close(self) -> None:
        self._writer.close()
        self._file.close()


class DatasetWriter:
    """Writes a dataset into an empty folder, block by block.

    Use as a context manager; ``finish`` writes the manifest, which is what makes the folder a
    dataset. Memory does not depend on the number of rows.
    """

    def __init__(self, folder: Path, name: str, schema: KeypointSchema) -> None:
        self.folder, self.name, self.schema = folder, name, schema
        size, k = schema.image_size, len(schema)
        self._arrays = {
            "images": GrowingArray(folder / "images.npy", size, np.uint8),
            "keypoints": GrowingArray(folder / "keypoints.npy", (k, 2), np.float32),
            "rows": GrowingArray(folder / "rows.npy", (), np.int64),
            "test_images": GrowingArray(folder / "test_images.npy", size, np.uint8),
            "test_image_ids": GrowingArray(folder / "test_image_ids.npy", (), np.int64),
        }
        self._present = np.zeros(k, np.int64)
        self._complete = 0
        self._lookup: Lookup | None = None
        self._fields: _GrowingFields | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for array in self._arrays.values():
            array.close()
        if self._fields is not None:
            self._fields.close()

    def add_training(
        self,
        images: NDArray[np.uint8],
        keypoints: NDArray[np.float32],
        rows: NDArray[np.int64],
        fields: Mapping[str, pa.StringArray] | None = None,
    ) -> None:
        """Append labelled images: ``(n, H, W)``, ``(n, K, 2)``, ``(n,)``, and what else is known of
        them: text ``(n,)`` by the name of the field, the same fields each time."""
        if fields:
            if self._fields is None:
                self._fields = _GrowingFields(self.folder / FIELDS, tuple(fields))
            self._fields.append(fields)
        self._arrays["images"].append(images)
        self._arrays["keypoints"].append(keypoints)
        self._arrays["rows"].append(rows)
        present = ~np.isnan(keypoints[:, :, 0])
        self._present += present.sum(axis=0)
        self._complete += int((present.sum(axis=1) == len(self.schema)).sum())

    def add_test(self, images: NDArray[np.uint8], image_ids: NDArray[np.int64]) -> None:
        """Append unlabelled images: ``(m, H, W)``, ``(m,)``."""
        self._arrays["test_images"].append(images)
        self._arrays["test_image_ids"].append(image_ids)

    @property
    def training_rows(self) -> int:
        """Rows added so far."""
        return self._arrays["rows"].rows

    @property
    def labelled_points(self) -> int:
        """Points with a position so far, in all rows."""
        return int(self._present.sum())

    @property
    def test_rows(self) -> int:
        """Unlabelled images added so far."""
        return self._arrays["test_image_ids"].rows

    @property
    def lookup_rows(self) -> int:
        """Rows of the lookup table; 0 without one."""
        return 0 if self._lookup is None else len(self._lookup)

    def set_lookup(self, lookup: Lookup) -> None:
        self._lookup = lookup

    def finish(self, **about: Any) -> dict[str, Any]:
        """Write the manifest and return it. ``about`` is added to it (where the data is from)."""
        rows, test_rows = self._arrays["rows"].rows, self._arrays["test_image_ids"].rows
        digest = hashlib.sha256(f"{FORMAT} {self.schema.name}".encode())
        for key, array in self._arrays.items():
            digest.update(f"{key}={array.finish()}".encode())
        if self._lookup is not None:
            table = np.stack(
                [self._lookup.row_ids, self._lookup.image_ids, self._lookup.coordinates], axis=1
            )
            with (self.folder / "lookup.npy").open("wb") as file:
                np.save(file, table)
                os.fsync(file.fileno())
            digest.update(f"lookup={hashlib.sha256(table.tobytes()).hexdigest()}".encode())
        if self._fields is not None:
            digest.update(f"fields={self._fields.finish()}".encode())
        manifest = {
            "format": FORMAT,
            "name": self.name,
            "schema": self.schema.name,
            "rows": rows,
            "test_rows": test_rows,
            "complete_rows": self._complete,
            "present": dict(zip(self.schema.names, self._present.tolist(), strict=True)),
            "image_size": list(self.schema.image_size),
            "lookup_rows": self.lookup_rows,
            "fields": [] if self._fields is None else list(self._fields.names),
            "content_hash": digest.hexdigest(),
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "fkd_version": __version__,
            **about,
        }
        with (self.folder / "manifest.json").open("w") as file:
            json.dump(manifest, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        return manifest


_COUNTS = stored.table_of(stored.whole())

_MANIFEST = stored.record(
    {
        "rows": stored.whole(),
        "test_rows": stored.whole(),
        "complete_rows": stored.whole(),
        "present": _COUNTS,
        "lookup_rows": stored.whole(),
        "content_hash": stored.text(128, "[0-9a-f]{16,}"),
    },
    {
        "name": stored.text(),
        "image_size": stored.list_of(stored.whole(1, 1 << 16), 2),
        "fields": stored.list_of(stored.text()),
        "created": stored.text(),
        "fkd_version": stored.text(),
        "origin": stored.text(100),
        "identity": stored.text(128, "[0-9a-zA-Z]{16,}"),
        "rejected_rows": stored.whole(),
        "rejected": _COUNTS,
        "notes": stored.list_of(stored.text(), 1000),
        "sources": stored.table_of(stored.anything),
        "tables": stored.table_of(stored.text()),
    },
)
"""What the manifest of a dataset holds; whoever writes one may add to it."""

_ADVICE = "remove the dataset and ingest it again"


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of the dataset in ``folder``.

    Raises:
        UserError: if there is none, it cannot be read, something in it cannot be, or it is of
            another format version.
    """
    what = f"The manifest of dataset '{folder.name}'"
    try:
        manifest = stored.read_json(folder / "manifest.json", _of_some_version, limit=_LARGEST)
    except FileNotFoundError as error:
        if not looks_like_dataset(folder):
            raise UserError(f"There is no dataset in {folder}.") from None
        raise stored.unreadable(what, error, _ADVICE) from None
    except ValueError as error:
        raise stored.unreadable(what, error, _ADVICE) from None
    if manifest["format"] != FORMAT or manifest["schema"] not in SCHEMAS:
        raise UserError(
            f"Dataset '{folder.name}' was written by another version of fkd; "
            "remove it and ingest it again."
        )
    try:
        _MANIFEST(manifest, "it")
        names, rows = SCHEMAS[manifest["schema"]].names, manifest["rows"]
        if set(manifest["present"]) != set(names):
            raise ValueError("present does not name the keypoints")
        if max(manifest["complete_rows"], *manifest["present"].values()) > rows:
            raise ValueError("it counts more labels than rows")
    except ValueError as error:
        raise UserError(
            f"The manifest of dataset '{folder.name}' is damaged ({error}); {_ADVICE}."
        ) from None
    return dict(manifest)


_LARGEST = 16 << 20
"""Bytes of a manifest, at most."""

_of_some_version = stored.record({"format": stored.whole(), "schema": stored.text(100)})


def looks_like_dataset(folder: Path) -> bool:
    """Whether there is something in ``folder`` that only datasets have, sound or not."""
    return any(os.path.lexists(folder / name) for name in ("manifest.json", "images.npy"))


def open_dataset(folder: Path) -> Dataset:
    """Open the dataset in ``folder``; arrays are memory-mapped, images are not read yet.

    Raises:
        UserError: if there is none, or a file is missing or damaged.
    """
    manifest = read_manifest(folder)
    schema = SCHEMAS[manifest["schema"]]
    n, m, size = manifest["rows"], manifest["test_rows"], schema.image_size

    def mapped(name: str, dtype: type, *shape: int, check: Any = None) -> NDArray[Any]:
        try:
            return stored.load_array(folder / f"{name}.npy", dtype, shape, check=check)
        except (OSError, ValueError) as error:
            raise UserError(
                f"Dataset '{folder.name}' is damaged ({name}.npy: {stored.reason(error)}); "
                "remove it and ingest it again."
            ) from None

    counted = stored.within(0, stored.MAX_COUNT)
    lookup = None
    # A table of which nothing was left is not the same as none.
    if manifest["lookup_rows"] or os.path.lexists(folder / "lookup.npy"):
        table = mapped("lookup", np.int64, manifest["lookup_rows"], 3, check=_asks_for(schema))
        lookup = Lookup(*np.array(table).T)
    arrays: dict[str, Any] = {
        "images": mapped("images", np.uint8, n, *size),
        "keypoints": mapped("keypoints", np.float32, n, len(schema), 2, check=stored.plain_numbers),
        "rows": mapped("rows", np.int64, n, check=counted),
        "test_images": mapped("test_images", np.uint8, m, *size),
        "test_image_ids": mapped("test_image_ids", np.int64, m),
    }
    try:
        return Dataset(
            name=folder.name,
            schema=schema,
            **arrays,
            lookup=lookup,
            content_hash=manifest["content_hash"],
            folder=folder,
            manifest=manifest,
        )
    except ValueError as error:
        raise UserError(
            f"Dataset '{folder.name}' is damaged ({stored.reason(error)}); remove it and ingest it "
            "again."
        ) from None


def _asks_for(schema: KeypointSchema) -> Callable[[NDArray[Any]], None]:
    """Checks that a lookup table asks for coordinates that there are."""
    known = stored.within(0, 2 * len(schema) - 1)
    return lambda table: known(table[:, 2])


def read_fields(dataset: Dataset) -> dict[str, list[str]]:
    """What else the source file said of each image: texts ``(N,)`` by the name of the field, in the
    order of the arrays of ``dataset``. Empty where it said nothing.

    Raises:
        UserError: if the file is damaged.
    """
    if dataset.folder is None or not dataset.manifest.get("fields"):
        return {}
    try:
        # As one file: a folder of that name would be searched for more.
        with stored.opened(dataset.folder / FIELDS) as file:
            table = pq.ParquetFile(file).read()
        if table.num_rows != len(dataset):
            raise ValueError(f"{table.num_rows} rows, {len(dataset)} expected")
        if any(not pa.types.is_string(column.type) for column in table.columns):
            raise ValueError("its columns are no texts")
    except (OSError, ValueError, pa.ArrowException) as error:
        reason = stored.reason(error)[:120]
        raise UserError(
            f"The fields of dataset '{dataset.name}' are damaged ({reason}); remove it and ingest "
            "it again."
        ) from None
    return {name: table[name].to_pylist() for name in table.column_names}


def open_if_sound(folder: Path) -> Dataset | None:
    """The dataset in ``folder``; None if there is none or it is damaged."""
    try:
        return open_dataset(folder)
    except UserError:
        return None
