"""A tiny dataset to train on, and runs of it."""

from __future__ import annotations

import os
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from fkd.dataset import Dataset
from fkd.keypoints import KAGGLE_15
from fkd.registry import datasets_folder, open_named
from fkd.splits import Split
from fkd.storage import DatasetWriter
from fkd.synthetic import kaggle_missingness
from fkd.synthetic.render import render_faces
from fkd.training.config import Augmentation, RunConfig
from fkd.training.runs import Run, create_run
from fkd.training.status import Status

ROWS = 24
NAME = "tiny"


def write_tiny(folder: Path) -> None:
    """Draw the tiny dataset into ``folder``: 24 faces, some with few points."""
    images, exact = render_faces(0, 0, ROWS)
    folder.mkdir(parents=True)
    with DatasetWriter(folder, NAME, KAGGLE_15) as writer:
        writer.add_training(images, kaggle_missingness(exact, 0, 0), np.arange(ROWS))
        writer.finish(fingerprint="tiny", origin="demo", sources={}, rejected_rows=0)


def put_tiny(drawn: Path) -> Dataset:
    """Register the drawn dataset in this test's workspace."""
    shutil.copytree(drawn, datasets_folder() / NAME)
    return open_named(NAME)


def tiny_config(dataset: Dataset, **settings: Any) -> RunConfig:
    """A training of seconds: batches of four, no augmentation, float32."""
    rows = np.asarray(dataset.rows)
    held = rows % 4 == 0
    values: dict[str, Any] = {
        "epochs": 2,
        "batch_size": 4,
        "augmentation": Augmentation.off(),
        "warmup_epochs": 0.0,
        "precision": "float32",
        **settings,
    }
    return RunConfig(
        dataset=dataset.name,
        data_hash=dataset.content_hash,
        split=Split(rows[~held], rows[held]),
        **values,
    )


def new_run(dataset: Dataset, name: str | None = None, **settings: Any) -> Run:
    return create_run(tiny_config(dataset, **settings), name)


def wait_for(run: Run, *states: str, seconds: float = 120, epoch: int = 0) -> Status:
    """The status once it is one of ``states`` (or any at all) and ``epoch`` epochs are done."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        status = run.status
        if (not states or status.state in states) and status.epoch >= epoch:
            return status
        assert status.active or not states or status.state in states, (status, run.read_log())
        time.sleep(0.05)
    raise AssertionError(f"{run.name} is {run.status} after {seconds} s:\n{run.read_log()}")


def children_of(run: Run) -> list[int]:
    """Processes that have the run's folder in their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
                if str(run.folder) in words:
                    found.append(int(entry.name))
    return found


def kill_all(run: Run) -> None:
    """SIGKILL to the supervisor and the worker of ``run``."""
    for pid in children_of(run):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    end = time.monotonic() + 10
    while children_of(run) and time.monotonic() < end:
        time.sleep(0.02)


def whole_epochs(run: Run) -> list[float]:
    """The epochs of the history of ``run`` that came to their end."""
    return [row.epoch for row in run.history if row.whole]
