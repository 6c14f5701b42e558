"""What a training says about itself: status with a heartbeat, history, TensorBoard events."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from fkd.training import history
from fkd.training.runs import Run
from fkd.training.status import HEARTBEAT_S, Status

_RESERVE_BYTES = 64 << 10


class Reporter:
    """Keeps ``status.json`` alive from a thread of its own while the main thread works.

    A reserve of some kB in the run folder is given up on a full disk, so that the end of the run
    can still be written down.
    """

    def __init__(self, run: Run, status: Status) -> None:
        self.run = run
        self._status = status.attended()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    @contextmanager
    def alive(self) -> Iterator[None]:
        """Beat while the block runs."""
        with suppress(OSError):
            _reserve(self.run.folder).write_bytes(bytes(_RESERVE_BYTES))
        self._write()
        self._thread.start()
        try:
            yield
        finally:
            self._ended.set()
            self._thread.join()
            _reserve(self.run.folder).unlink(missing_ok=True)

    def update(self, **changes: Any) -> None:
        """Change the status; it is written with the next beat, or now if the state changes or a
        stage of the start begins."""
        with self._lock:
            before, now = self._status, replace(self._status, **changes)
            self._status = now = now.entering(now.stage)
        if (now.state, now.began) != (before.state, before.began):
            self._write()

    def end(self, state: str, reason: str = "") -> None:
        """Say how it ended; nothing is written after that."""
        self._ended.set()
        with self._lock:
            self._status = replace(
                self._status, state=state, reason=reason, pid=0, seconds_left=None, stage=""
            )
        try:
            self._write()
        except OSError:
            _reserve(self.run.folder).unlink(missing_ok=True)
            self._write()

    def _beat(self) -> None:
        while not self._ended.wait(HEARTBEAT_S):
            with suppress(OSError):  # a full disk shows itself where something must be kept
                self._write()

    def _write(self) -> None:
        with self._lock:
            self._status = self._status.beating()
            self._status.write(self.run.folder)


def _reserve(folder: Path) -> Path:
    return folder / ".reserve"


class EventLog:
    """TensorBoard event files: ``train`` and ``validation`` under one run."""

    def __init__(self, run: Run) -> None:
        import tensorflow as tf

        self._scalar = tf.summary.scalar
        root = run.folder / "tensorboard"
        self._writers = {
            part: tf.summary.create_file_writer(str(root / part))
            for part in ("train", "validation")
        }

    def add(self, row: history.Row) -> None:
        """The values of ``row`` as scalars at its step."""
        values = {
            "train": {
                "loss": row.loss,
                "rmse_px": row.rmse_px,
                "learning_rate": row.learning_rate,
                "images_per_second": row.images_per_second,
            }
        }
        if row.validated:
            values["validation"] = {
                "loss": row.val_loss,
                "rmse_px": row.val_rmse_px,
                "mae_px": row.val_mae_px,
                "nme": row.val_nme,
            }
        for part, scalars in values.items():
            with self._writers[part].as_default(step=row.step):
                for name, value in scalars.items():
                    if not math.isnan(value):
                        self._scalar(name, value)
            self._writers[part].flush()
