"""Ingests, demos, downloads and measuring as background tasks of the dashboard."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from dashboard.tasks import Task, tasks
from fkd.dataset import Dataset
from fkd.demo import DemoSpec, make_demo
from fkd.errors import Cancelled, UserError
from fkd.ingest import ingest
from fkd.measures import measure
from fkd.private import make_folder
from fkd.progress import Progress
from fkd.registry import check_name
from fkd.settings import home


@dataclass(frozen=True)
class IngestJob:
    """The files of one ingest. ``folder`` holds uploaded files until they are not needed any
    more; it goes with the last reference to it."""

    name: str
    training: Path
    test: Path | None = None
    lookup: Path | None = None
    skip_bad: bool = False
    folder: TemporaryDirectory[str] | None = None

    def __call__(self, progress: Progress) -> str:
        result = ingest(
            self.name,
            self.training,
            self.test,
            self.lookup,
            skip_bad=self.skip_bad,
            progress=progress,
        )
        left_out = f", without {result.bad_rows:,} bad rows" if result.bad_rows else ""
        return _measured(result.dataset, progress, result.created, left_out)

    def start(self) -> Task:
        """Begin at once. Raises ``UserError`` where a glance shows that it cannot work."""
        check_name(self.name)
        for path in (self.training, self.test, self.lookup):
            if path is not None and not path.exists():
                raise UserError(f"{path} does not exist on the computer that runs the dashboard.")
        return tasks().start(f"Ingest {self.name}", self.name, self)

    def without_bad_rows(self) -> IngestJob:
        return replace(self, skip_bad=True)


def _measured(dataset: Dataset, progress: Progress, created: bool, left_out: str = "") -> str:
    """Measure a dataset that is in place; what to say of it."""
    try:
        measure(dataset, progress)
    except Cancelled:
        return f"is there{left_out}; measuring was stopped, Browse offers to do it"
    return f"is ready{left_out}" if created else "was there already; nothing to do"


def keep_upload(
    training: IO[bytes], test: IO[bytes] | None, lookup: IO[bytes] | None
) -> tuple[TemporaryDirectory[str], dict[str, Path]]:
    """Write uploaded files into a temporary folder. Their own names are not used for anything;
    whether one is a zip shows in its content."""
    root = make_folder(home() / "uploads")
    folder = tempfile.TemporaryDirectory(dir=root, ignore_cleanup_errors=True)
    names = {"training": "training.csv", "test": "test.csv", "lookup": "IdLookupTable.csv"}
    paths = {}
    for (kind, name), upload in zip(names.items(), (training, test, lookup), strict=True):
        if upload is not None:
            upload.seek(0)
            paths[kind] = Path(folder.name) / name
            with paths[kind].open("wb") as file:
                shutil.copyfileobj(upload, file)
    return folder, paths


def start_demo(name: str, spec: DemoSpec) -> Task:
    """Draw the demo faces as dataset ``name``."""

    def work(progress: Progress) -> str:
        dataset, created = make_demo(name, spec, progress=progress)
        return _measured(dataset, progress, created)

    return tasks().start(f"Draw {name}", check_name(name), work)


def start_download(name: str) -> Task:
    """Fetch the competition's files from Kaggle and ingest them as dataset ``name``."""

    def work(progress: Progress) -> str:
        from fkd.download import download_competition

        with tempfile.TemporaryDirectory(prefix="fkd-download-") as folder:
            progress("downloading from Kaggle", 0, 0)
            return IngestJob(name, download_competition(Path(folder)))(progress)

    return tasks().start(f"Download {name}", check_name(name), work)


@dataclass(frozen=True)
class Measuring:
    """Measuring a dataset that has been brought in without, as the command line does."""

    dataset: Dataset

    def __call__(self, progress: Progress) -> str:
        try:
            measure(self.dataset, progress)
        except OSError:
            if self.dataset.folder is not None and not self.dataset.folder.is_dir():
                raise UserError("The dataset was removed while it was measured.") from None
            raise
        return "is measured"


def start_measuring(dataset: Dataset) -> Task:
    """Measure ``dataset``, unless a task is at work on it already: then that one."""
    return tasks().ensure(f"Measure {dataset.name}", dataset.name, Measuring(dataset))
