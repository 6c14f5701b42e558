"""From label files to a registered dataset: validated, atomic, in bounded memory."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fkd.dataset import Dataset
from fkd.errors import UserError, printable
from fkd.formats.kaggle_images import read_test, read_training
from fkd.formats.kaggle_tables import read_lookup
from fkd.formats.report import Problem, Report, ValidationError, write_problems
from fkd.formats.source import Kind, TableSource, has_table, open_table
from fkd.keypoints import KAGGLE_15, KeypointSchema
from fkd.progress import Progress, silent
from fkd.registry import check_name, locked, staged
from fkd.storage import DatasetWriter, open_dataset, open_if_sound
from fkd.words import listed

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_HASH_BLOCK = 1 << 20
_LOOKED_AT = 10_000
"""Rows whose labels are looked at for what is odd about all of them."""
_SHOWN = 5
"""Names of files that a note lists."""


@dataclass(frozen=True)
class IngestResult:
    """What an ingest did: the dataset, whether it was written now (else it was there already),
    and a report per table read."""

    dataset: Dataset
    created: bool
    reports: tuple[Report, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """How the files were read where they are not as Kaggle's, and what beside them was not
        read, a sentence each."""
        return tuple(self.dataset.manifest.get("notes", ()))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is odd about the labels, see ``labels.import_changes.oddities``."""
        return tuple(self.dataset.manifest.get("warnings", ()))

    @property
    def bad_rows(self) -> int:
        """Rows that were left out."""
        return sum(len(report.bad_rows) for report in self.reports)


class IngestRefused(UserError):
    """The files hold problems; ``reports`` has all of them, a report per table. Nothing was
    changed."""

    def __init__(self, reports: list[Report]) -> None:
        self.reports = tuple(reports)
        found = "; ".join(report.summary() for report in reports if report)
        super().__init__(found)

    @property
    def curable(self) -> bool:
        """Whether leaving out the bad rows would do."""
        return not any(
            report.fatal or report.rows <= len(report.bad_rows) for report in self.reports
        )


@dataclass(frozen=True)
class _Sources:
    """Where each table is read from."""

    training: Path
    test: Path | None
    lookup: Path | None

    @classmethod
    def find(cls, training: Path, test: Path | None, lookup: Path | None) -> _Sources:
        """A folder, or the zip of the whole competition, brings its other tables along."""
        return cls(
            training,
            test or (training if has_table(training, "test") else None),
            lookup or (training if has_table(training, "lookup") else None),
        )

    def items(self) -> Iterator[tuple[Kind, Path]]:
        """The tables there are, in the order they are read."""
        kinds: tuple[Kind, ...] = ("training", "test", "lookup")
        return ((kind, path) for kind in kinds if (path := getattr(self, kind)) is not None)

    def unread(self, tables: dict[Kind, TableSource]) -> list[str]:
        """What the folders and archives hold beside the ``tables`` that were read from them, a
        sentence each."""
        found = []
        for place in dict.fromkeys(path for _, path in self.items()):
            here = [tables[kind] for kind, path in self.items() if path == place]
            used = {table.entry for table in here}
            if rest := [name for name in here[0].siblings if name not in used]:
                names = listed(map(printable, rest), _SHOWN)
                found.append(f"Not read from {place.name}: {names}.")
        return found

    def hashes(self, progress: Progress) -> dict[str, str]:
        """Hash of each table's bytes, whatever it is packed in."""
        return {
            kind: _hash_table(path, kind, f"comparing the {kind} table", progress)
            for kind, path in self.items()
        }


def ingest(
    name: str,
    training: Path,
    test: Path | None = None,
    lookup: Path | None = None,
    *,
    schema: KeypointSchema = KAGGLE_15,
    skip_bad: bool = False,
    overwrite: bool = False,
    progress: Progress = silent,
) -> IngestResult:
    """Read Kaggle's files and register them as dataset ``name``.

    ``training``, ``test`` and ``lookup`` are tables as ``formats.open_table`` opens them: files,
    or a folder or archive that holds them under Kaggle's names; from the latter two, ``test`` and
    ``lookup`` come along by themselves. Columns of the training table that are no coordinates are
    kept as fields.
    With ``skip_bad`` the good rows are kept and the bad ones are written, with reasons, to
    ``rejected.csv`` in the dataset's folder. When the dataset already has this content, nothing
    is done.

    Raises:
        IngestRefused: the files hold problems (all are in its reports) and ``skip_bad`` is off,
            or no skipping can cure them. Nothing was changed.
        UserError: a file cannot be read, or ``name`` is taken by other content and ``overwrite``
            is off.
    """
    check_name(name)
    sources = _Sources.find(Path(training), test and Path(test), lookup and Path(lookup))
    with locked(name) as target:
        if (there := open_if_sound(target)) is not None:
            # A dataset that lacks bad rows is not what a strict ingest asks for.
            asked = skip_bad or not there.manifest.get("rejected_rows")
            if asked and there.manifest.get("tables") == sources.hashes(progress):
                return IngestResult(there, created=False, reports=())
        if target.exists() and not overwrite:
            raise UserError(
                f"Dataset '{name}' exists with other content. Choose another name, "
                "or remove that one first."
            )
        with staged(target) as stage, DatasetWriter(stage, name, schema) as writer:
            reader = _Reader(writer, progress)
            for kind, path in sources.items():
                reader.read(kind, path)
            reports = reader.reports
            reader.refuse_emptied(skip_bad)
            if any(r.fatal or (len(r) and not skip_bad) for r in reports):
                raise IngestRefused(reports)
            bad = sum(len(report.bad_rows) for report in reports)
            if bad:
                write_problems(stage / "rejected.csv", reports)
            writer.finish(
                tables=reader.hashes,
                origin="kaggle",
                sources={kind: path.name for kind, path in sources.items()},
                rejected_rows=bad,
                rejected={
                    kind: len(r.bad_rows) for kind, r in reader.by_kind.items() if r.bad_rows
                },
                notes=[
                    *_notes(reports),
                    *sources.unread(reader.tables),
                    *([] if writer.labelled_points else ["No point has a label in any row."]),
                ],
                warnings=reader.oddities(),
            )
        return IngestResult(open_dataset(target), created=True, reports=tuple(reports))


class _Reader:
    """Reads the tables of one ingest into a writer; collects reports and hashes."""

    def __init__(self, writer: DatasetWriter, progress: Progress) -> None:
        self.by_kind: dict[Kind, Report] = {}
        self.hashes: dict[str, str] = {}
        self.tables: dict[Kind, TableSource] = {}
        self._points: list[NDArray[np.float32]] = []
        self._writer, self._progress = writer, progress
        self._image_ids: NDArray[np.int64] | None = None

    @property
    def reports(self) -> list[Report]:
        return list(self.by_kind.values())

    def oddities(self) -> list[str]:
        """What is odd about the labels of the first rows, a sentence each."""
        from fkd.labels.import_changes import oddities

        if not self._points:
            return []
        return list(oddities(np.concatenate(self._points)[:_LOOKED_AT], self._writer.schema))

    def refuse_emptied(self, skip_bad: bool) -> None:
        """Note as a problem of the file each table that was given and has no good row: it must not
        be taken for one that was not given."""
        left = {
            "training": self._writer.training_rows,
            "test": self._writer.test_rows,
            "lookup": self._writer.lookup_rows,
        }
        for kind, report in self.by_kind.items():
            if not left[kind] and not report.fatal and (skip_bad or not report):
                reason = f"there is no good row in the {kind} table"
                report.add(Problem(report.file, None, None, reason))

    def read(self, kind: Kind, path: Path) -> None:
        """Read one table. Its problems go to ``reports``, so that all tables' problems are found
        in one go; a file that cannot be opened ends the ingest at once."""
        report = self.by_kind[kind] = Report()
        with _hashed(path, kind) as (table, digest):
            self.tables[kind] = table
            try:
                getattr(self, f"_read_{kind}")(table, report)
            except ValidationError:
                pass  # the report has it
            else:
                self.hashes[kind] = digest()

    def _read_training(self, table: TableSource, report: Report) -> None:
        advance = _advance(f"reading {table.name}", table.size, self._progress)
        for batch in read_training(table, self._writer.schema, report):
            assert batch.keypoints is not None
            self._writer.add_training(batch.images, batch.keypoints, batch.rows, batch.fields)
            if sum(map(len, self._points)) < _LOOKED_AT:
                self._points.append(batch.keypoints)
            advance(batch.bytes_read)

    def _read_test(self, table: TableSource, report: Report) -> None:
        advance = _advance(f"reading {table.name}", table.size, self._progress)
        ids = [np.empty(0, np.int64)]
        for batch in read_test(table, self._writer.schema, report):
            assert batch.image_ids is not None
            self._writer.add_test(batch.images, batch.image_ids)
            ids.append(batch.image_ids)
            advance(batch.bytes_read)
        self._image_ids = np.concatenate(ids)

    def _read_lookup(self, table: TableSource, report: Report) -> None:
        self._writer.set_lookup(read_lookup(table, self._writer.schema, report, self._image_ids))


def _notes(reports: Iterable[Report]) -> list[str]:
    return [f"{report.file}: {note}" for report in reports for note in report.notes]


def _advance(stage: str, total: int, progress: Progress) -> Callable[[int], None]:
    progress(stage, 0, total)
    return lambda done: progress(stage, min(done, total), total)


class _HashingStream(io.RawIOBase):
    """``stream``, with a hash of all that was read from it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._source = stream
        self._digest = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        data = self._source.read(len(view))
        self._digest.update(data)
        view[: len(data)] = data
        return len(data)

    def hexdigest(self) -> str:
        return self._digest.hexdigest()


@contextmanager
def _hashed(path: Path, kind: Kind) -> Iterator[tuple[TableSource, Callable[[], str]]]:
    """The open table, and a function that gives the hash of what was read of it."""
    with open_table(path, kind) as table:
        stream = _HashingStream(table.stream)
        with io.BufferedReader(stream, _HASH_BLOCK) as buffered:
            yield replace(table, stream=buffered), stream.hexdigest


def _hash_table(path: Path, kind: Kind, stage: str, progress: Progress) -> str:
    with _hashed(path, kind) as (table, digest):
        done = 0
        while block := table.stream.read(_HASH_BLOCK):
            done += len(block)
            progress(stage, table.position() if table.position else done, table.size)
        return digest()


def rejected_csv(dataset: Dataset) -> Path | None:
    """The file that lists the skipped rows with reasons; None if every row was good."""
    path = dataset.folder / "rejected.csv" if dataset.folder else None
    return path if path is not None and path.is_file() else None
