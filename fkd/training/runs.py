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
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fkd import stored
from fkd.errors import UserError
from fkd.files import INCOMING, holding, replace_text, sweep
from fkd.private import like_parent, make_folder
from fkd.settings import home
from fkd.training import history
from fkd.training.config import RunConfig
from fkd.training.machine import has_gpu
from fkd.training.status import ACTIVE, FILE, QUEUED, RESUMABLE, RUNNING, STOPPING, Status

_SAMPLE_ROWS = stored.list_of(stored.whole(), 10_000)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_NOISE = re.compile(
    r"WARNING: All log messages before absl::|"
    r"[IWE]\d{4} .*(cudart_stub|cuda_\w+\.cc|cuInit|port\.cc\S* oneDNN|TF-TRT|computation_placer)|"
    r".*(Could not find cuda drivers|Could not find TensorRT|oneDNN custom operations are on)"
)
"""Lines of a log that TensorFlow writes on every machine without a GPU; they mean nothing."""
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
        path = self.folder / "config.json"
        try:
            value = stored.read_json(path)
        except FileNotFoundError:
            raise UserError(f"Run '{self.name}' has no config.json; delete it.") from None
        except ValueError as error:
            raise UserError(
                f"Run '{self.name}' has an unreadable config.json ({stored.reason(error)}); "
                "delete it."
            ) from None
        try:
            return RunConfig.from_json(value)
        except UserError as error:
            raise UserError(f"Run '{self.name}' cannot be read. {error}") from None

    @property
    def status(self) -> Status:
        """How far it is, seen from outside: one that trains and was asked to end is stopping.
        ``UserError`` if it cannot be read."""
        status = Status.seen_in(self.folder)
        asked = self.stop_requested or self.cancel_requested
        return replace(status, state=STOPPING) if asked and status.state == RUNNING else status

    @property
    def history(self) -> list[history.Row]:
        return history.read(self.folder)

    @property
    def note(self) -> str:
        try:
            # A character has four bytes at most.
            text = stored.read_text(self.folder / "note.txt", longest=4 * MAX_NOTE)
        except (OSError, ValueError):
            return ""
        return text[:MAX_NOTE]

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
        """``(S,)`` source rows of the validation faces that each epoch predicts.

        Raises:
            UserError: if they cannot be read.
        """
        path = self.folder / "samples" / "rows.json"
        try:
            value = stored.read_json(path, _SAMPLE_ROWS)
        except FileNotFoundError:
            value = []
        except ValueError as error:
            raise self._unreadable("rows of the sample faces", error) from None
        return np.array(value, np.int64)

    def sample_epochs(self) -> list[int]:
        """Epochs of which there are sample predictions, ascending."""
        found = (p.stem[6:] for p in (self.folder / "samples").glob("epoch-*.npy"))
        return sorted(int(number) for number in found if number.isdecimal())

    def samples(self, epoch: int) -> NDArray[np.float32]:
        """``(S, K, 2)`` float32 px: predictions of the sample faces after ``epoch``; NaN for points
        that the run does not teach.

        Raises:
            UserError: if they cannot be read.
        """
        path = self.folder / "samples" / f"epoch-{epoch:05d}.npy"
        try:
            found = stored.load_array(path, np.float32, (None, None, 2), check=stored.plain_numbers)
        except (OSError, ValueError) as error:
            raise self._unreadable(f"predictions of epoch {epoch}", error) from None
        return np.array(found)

    def _unreadable(self, what: str, error: Exception) -> UserError:
        return stored.unreadable(
            f"Run '{self.name}': the {what}", error, "the run itself is not the worse for it"
        )

    def read_log(self, lines: int = 200) -> str:
        """The last lines of the log, without what libraries say that look for a GPU in vain."""
        try:
            text = stored.read_end(self.log, 200 * lines)
        except (OSError, ValueError):
            return ""
        said = text.splitlines()
        if not has_gpu():
            said = [line for line in said if not _NOISE.match(line)]
        return "\n".join(said[-lines:])

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
    """All runs, the newest first; damaged ones are among them, so that they can be seen and
    deleted."""
    folder = runs_folder()
    if not folder.is_dir():
        return []
    found = [Run(entry) for entry in folder.iterdir() if _NAME.fullmatch(entry.name)]
    found = [run for run in found if _looks_like_run(run.folder)]
    return sorted(found, key=lambda run: (run.created, run.name), reverse=True)


def _looks_like_run(folder: Path) -> bool:
    """Whether there is something in ``folder`` that only runs have, sound or not."""
    return any(os.path.lexists(folder / name) for name in ("config.json", FILE, "best.keras"))


def open_run(name: str) -> Run:
    """The run called ``name``; ``UserError`` if there is none."""
    if _NAME.fullmatch(name):
        run = Run(runs_folder() / name)
        if _looks_like_run(run.folder):
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
