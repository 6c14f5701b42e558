"""Runs on disk: a folder each, which is all that a training needs and all that it leaves.

Layout of ``FKD_HOME/runs/NAME/``::

    config.json       everything needed to repeat the run
    status.json       how far it is, replaced as a whole
    metrics.csv       errors by epoch, and some looks between
    best.keras        weights of the best epoch; best.json says which
    last.keras        weights and optimizer where it last stood, and where that is
    samples/          predictions of fixed validation faces, one file an epoch
    validation.npz    predictions of the validation images at the best epoch
    log.txt           what the process printed
    tensorboard/      event files
    note.txt          what the user wrote about it
    heartbeat         touched while its processes live
    stop, cancel      requests that the process answers; queued: since when it waits
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fkd.errors import UserError
from fkd.files import INCOMING, holding, read_json, replace_text, sweep
from fkd.private import like_parent, make_folder
from fkd.settings import home
from fkd.training import history
from fkd.training.config import RunConfig
from fkd.training.status import ACTIVE, QUEUED, RESUMABLE, Status

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_RESERVED = {"bundled"}
MAX_NOTE = 4000
"""Characters of a note, at most."""
OUTGOING = ".deleted-"
"""How the names of folders begin that are being deleted."""


def runs_folder() -> Path:
    return home() / "runs"


def check_run_name(name: str) -> str:
    """Return ``name`` if it can name a run.

    Raises:
        UserError: otherwise, saying what is allowed.
    """
    if not _NAME.fullmatch(name) or name in _RESERVED:
        raise UserError(
            f"{name[:80]!r} cannot name a run: use 1 to 64 letters, digits, '-', '_' or '.', "
            "beginning with a letter or digit; 'bundled' is taken by the bundled model."
        )
    return name


@dataclass(frozen=True)
class Run:
    """One run folder. Reading it never needs TensorFlow and never changes it."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def best(self) -> Path:
        """The model of the best epoch."""
        return self.folder / "best.keras"

    @property
    def last(self) -> Path:
        """The model with its optimizer where training last stood."""
        return self.folder / "last.keras"

    @property
    def validation(self) -> Path:
        """Predictions of the validation images at the best epoch."""
        return self.folder / "validation.npz"

    @property
    def log(self) -> Path:
        return self.folder / "log.txt"

    @property
    def config(self) -> RunConfig:
        """``UserError`` if it cannot be read."""
        try:
            value = read_json(self.folder / "config.json")
        except (OSError, ValueError) as error:
            raise UserError(f"Run '{self.name}' has an unreadable config.json ({error}).") from None
        if value is None:
            raise UserError(f"Run '{self.name}' has no config.json; delete it.")
        return RunConfig.from_json(value)

    @property
    def status(self) -> Status:
        """How far it is, seen from outside. ``UserError`` if it cannot be read."""
        return Status.seen_in(self.folder)

    @property
    def history(self) -> list[history.Row]:
        return history.read(self.folder)

    @property
    def note(self) -> str:
        try:
            return (self.folder / "note.txt").read_text(errors="replace")[:MAX_NOTE]
        except FileNotFoundError:
            return ""

    @property
    def created(self) -> float:
        """When it was made (seconds since 1970)."""
        try:
            return (self.folder / "config.json").stat().st_mtime
        except OSError:
            return 0.0

    @property
    def queued_at(self) -> float:
        """When it was last put into the queue (seconds since 1970)."""
        try:
            return float((self.folder / "queued").stat().st_mtime_ns) / 1e9
        except OSError:
            return self.created

    def queue(self) -> None:
        """Put it at the end of the queue."""
        (self.folder / "queued").touch()

    @property
    def resumable(self) -> bool:
        return self.status.state in RESUMABLE

    def sample_rows(self) -> NDArray[np.int64]:
        """``(S,)`` source rows of the validation faces that each epoch predicts."""
        value = read_json(self.folder / "samples" / "rows.json")
        return np.array(value if value is not None else [], np.int64)

    def sample_epochs(self) -> list[int]:
        """Epochs of which there are sample predictions, ascending."""
        found = (p.stem[6:] for p in (self.folder / "samples").glob("epoch-*.npy"))
        return sorted(int(number) for number in found if number.isdecimal())

    def samples(self, epoch: int) -> NDArray[np.float32]:
        """``(S, K, 2)`` px: predictions of the sample faces after ``epoch``."""
        return np.asarray(
            np.load(self.folder / "samples" / f"epoch-{epoch:05d}.npy", allow_pickle=False),
            np.float32,
        )

    def read_log(self, lines: int = 200) -> str:
        """The last lines of the log."""
        try:
            with self.log.open("rb") as file:
                file.seek(0, os.SEEK_END)
                file.seek(max(0, file.tell() - 200 * lines))
                text = file.read().decode(errors="replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-lines:])

    def request_stop(self, *, cancel: bool = False) -> None:
        """Ask the process to end at the next batch, keeping the weights or, with ``cancel``,
        discarding them.

        Raises:
            UserError: if the run is not active.
        """
        status = self.status
        if status.state not in ACTIVE:
            raise UserError(f"Run '{self.name}' is {status.state}; there is nothing to stop.")
        (self.folder / ("cancel" if cancel else "stop")).touch()

    @property
    def stop_requested(self) -> bool:
        return (self.folder / "stop").exists()

    @property
    def cancel_requested(self) -> bool:
        return (self.folder / "cancel").exists()

    def clear_requests(self) -> None:
        for name in ("stop", "cancel"):
            (self.folder / name).unlink(missing_ok=True)

    def discard_weights(self) -> None:
        for path in (self.best, self.last, self.validation):
            path.unlink(missing_ok=True)

    def write_note(self, text: str) -> None:
        replace_text(self.folder / "note.txt", text[:MAX_NOTE])

    def rename(self, name: str) -> Run:
        """Give the run another name. ``UserError`` if it is active or the name is taken."""
        check_run_name(name)
        self._must_rest("renamed")
        target = self.folder.with_name(name)
        if target.exists():
            raise UserError(f"There is a run '{name}' already; choose another name.")
        self.folder.rename(target)
        return Run(target)

    def delete(self) -> None:
        """Delete the run with its weights. ``UserError`` if it is active."""
        self._must_rest("deleted")
        # Renamed first: a deletion that is killed leaves nothing that looks like a run.
        doomed = self.folder.with_name(f"{OUTGOING}{self.name}-{os.getpid()}-{time.time_ns()}")
        self.folder.rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)

    def _must_rest(self, what: str) -> None:
        if not self.folder.is_dir():
            raise UserError(f"There is no run '{self.name}' any more.")
        try:
            state = self.status.state
        except UserError:
            return  # damaged: all the more reason
        if state in ACTIVE:
            raise UserError(f"Run '{self.name}' is {state}; stop it before it is {what}.")


def run_names() -> list[str]:
    """Names of all runs, the newest first."""
    return [run.name for run in all_runs()]


def all_runs() -> list[Run]:
    """All runs, the newest first."""
    folder = runs_folder()
    if not folder.is_dir():
        return []
    found = [Run(entry) for entry in folder.iterdir() if _NAME.fullmatch(entry.name)]
    found = [run for run in found if (run.folder / "config.json").is_file()]
    return sorted(found, key=lambda run: (run.created, run.name), reverse=True)


def open_run(name: str) -> Run:
    """The run called ``name``; ``UserError`` if there is none."""
    if _NAME.fullmatch(name):
        run = Run(runs_folder() / name)
        if (run.folder / "config.json").is_file():
            return run
    known = ", ".join(run_names()[:8])
    hint = f"There are: {known}." if known else "There is none yet; 'fkd train' starts one."
    raise UserError(f"There is no run '{name[:80]}'. {hint}")


def free_name(model: str) -> str:
    """The first of ``model``-1, ``model``-2, ... that no run has."""
    folder, number = runs_folder(), 1
    while (folder / f"{model}-{number}").exists():
        number += 1
    return f"{model}-{number}"


def create_run(config: RunConfig, name: str | None = None, note: str = "") -> Run:
    """Make the folder of a new run, queued but not started.

    Raises:
        UserError: if the name is taken or cannot be one.
    """
    root = runs_folder()
    make_folder(root)
    sweep(root)
    sweep(root, OUTGOING)
    stage = Path(tempfile.mkdtemp(prefix=INCOMING, dir=root))
    with holding(stage):
        return _place(stage, config, name, note)


def _place(stage: Path, config: RunConfig, name: str | None, note: str) -> Run:
    """Fill the folder ``stage`` and give it its name."""
    try:
        (stage / "config.json").write_text(json.dumps(config.to_json(), indent=1))
        Status(QUEUED, heartbeat=time.time(), epochs=config.epochs).write(stage)
        if note:
            (stage / "note.txt").write_text(note[:MAX_NOTE])
        like_parent(stage)
        while True:
            target = stage.parent / check_run_name(name or free_name(config.model))
            try:
                stage.rename(target)  # fails where the name is taken: that folder is not empty
                return Run(target)
            except OSError:
                if not target.exists():
                    raise
                if name:
                    raise UserError(
                        f"There is a run '{name}' already; choose another name."
                    ) from None
    except BaseException:
        shutil.rmtree(stage, ignore_errors=True)
        raise
