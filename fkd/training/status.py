"""How far a run is: ``status.json``, replaced as a whole so that readers never see half of it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Self

from fkd import stored
from fkd.files import replace_text
from fkd.training import liveness
from fkd.training.machine import machine

FILE = "status.json"

BEAT = "heartbeat"
"""Touched by the supervisor while its worker lives: a worker that is busy for long, such as
loading TensorFlow from a slow disk, must not look dead."""

QUEUED, RUNNING, STOPPING = "queued", "running", "stopping"
STOPPED, FINISHED, CANCELLED = "stopped", "finished", "cancelled"
FAILED, CRASHED = "failed", "crashed"

ACTIVE = frozenset({QUEUED, RUNNING, STOPPING})
"""States in which a process must be alive."""

RESUMABLE = frozenset({STOPPED, FAILED, CRASHED})
"""States from which a run can go on, if it has a checkpoint; without one it begins anew."""

STARTING, LOADING, PREPARING = "starting", "loading TensorFlow", "loading the data"
COMPILING, TRAINING = "compiling", "training"
STAGES = (STARTING, LOADING, PREPARING, COMPILING, TRAINING)
"""What a training does until its first batches, in order. ``compiling`` ends with the first batch,
which waits for it."""

HEARTBEAT_S = 1.0
"""Seconds between two signs of life of a training."""

LOST_S = 10.0
"""An active run without a sign of life for this long has crashed. A sign that is as far ahead of
the clock is none: either clock was wrong, and nobody knows when that will have passed."""

GRACE_S = 3.0
"""Seconds that a process may be gone before its run has crashed: whoever started it may just be
writing down how it ended, or the next one be starting."""


@dataclass(frozen=True)
class Status:
    """How far a run is, as its process last said.

    Attributes:
        state: one of the constants of this module; ``crashed`` is never written, only seen.
        heartbeat: time of the last sign of life (seconds since 1970).
        pid: process that looks after it; 0 while none does.
        started: when that process started, see ``liveness.started``; 0 = not known.
        system: on which start of which system that is, see ``liveness.system``; empty = not known.
        tick: the last sign of life by ``liveness.tick`` of that system.
        stage: what it is doing, in words ("loading TensorFlow").
        epoch: epochs completed.
        step: batches of the current epoch done.
        steps: batches of an epoch.
        epochs: epochs to do in all.
        best_epoch: epoch of the best validation error; 0 = none yet.
        best_rmse_px: that error.
        images_per_second: training pace.
        elapsed: seconds of training, over all its parts.
        seconds_left: estimate; None while there is no telling.
        reason: why it ended so, in one sentence.
        began: when each of ``STAGES`` of the latest start began (seconds since 1970).
        machine: what it trains on, see ``machine.machine``; empty = not known.
    """

    state: str = QUEUED
    heartbeat: float = 0.0
    pid: int = 0
    started: int = 0
    system: str = ""
    tick: float = 0.0
    stage: str = ""
    epoch: int = 0
    step: int = 0
    steps: int = 0
    epochs: int = 0
    best_epoch: int = 0
    best_rmse_px: float | None = None
    images_per_second: float | None = None
    elapsed: float = 0.0
    seconds_left: float | None = None
    reason: str = ""
    began: Mapping[str, float] = field(default_factory=dict)
    machine: str = ""

    @property
    def active(self) -> bool:
        return self.state in ACTIVE

    @property
    def unattended(self) -> bool:
        """Whether it waits for a process that looks after it."""
        return self.state == QUEUED and not self.pid

    @property
    def share(self) -> float:
        """Part of the training that is done, 0 to 1."""
        whole = self.epochs * self.steps
        return min(1.0, (self.epoch * self.steps + self.step) / whole) if whole else 0.0

    @property
    def trains(self) -> bool:
        """Whether there has been a batch since it was last started."""
        return self.active and TRAINING in self.began

    @property
    def best(self) -> tuple[int, float] | None:
        """The best epoch and its validation error; None before an epoch has come to its end. What
        is kept of a training that was stopped before is the best of nothing."""
        if self.best_rmse_px is None or not self.epoch or not self.best_epoch:
            return None
        return self.best_epoch, self.best_rmse_px

    def stage_seconds(self) -> dict[str, float]:
        """How long each stage of the latest start took that is over."""
        times = [(name, self.began[name]) for name in STAGES if name in self.began]
        ends = times[1:]
        return {a: max(0.0, end - start) for (a, start), (_, end) in zip(times, ends, strict=False)}

    def entering(self, stage: str) -> Self:
        """The same in ``stage``; when one of ``STAGES`` first began is kept."""
        known = stage not in STAGES or stage in self.began
        began = self.began if known else {**self.began, stage: time.time()}
        return replace(self, stage=stage, began=began)

    @property
    def plateau(self) -> int:
        """Epochs since the best one."""
        # An epoch that is kept before its end, or done again after a crash, is ahead of ``epoch``.
        return max(0, self.epoch - self.best_epoch) if self.best_epoch else 0

    def beating(self) -> Self:
        """The same with a sign of life of now."""
        return replace(self, heartbeat=time.time(), tick=liveness.tick(), system=liveness.system())

    def attended(self) -> Self:
        """The same, looked after by this process from now on."""
        pid = os.getpid()
        here = replace(self, pid=pid, started=liveness.started(pid) or 0, machine=machine())
        return here.beating()

    def waiting(self) -> Self:
        """The same with a sign of life of now, and no process yet that looks after it."""
        return replace(self, pid=0, started=0).beating()

    def forsaken(self) -> Self:
        """The same with no sign of life at all: from now on it looks crashed."""
        return replace(self, pid=0, started=0, system="", tick=0.0, heartbeat=0.0)

    def seen(self, now: float, beat: float = 0.0) -> Self:
        """As it looks from outside at time ``now``: active without a sign of life is crashed.
        ``beat`` is the time of the supervisor's last sign of life."""
        if not self.active or self._lives(now, beat):
            return self
        reason = "The process ended without a word; it was killed, or the computer went down."
        return replace(self, state=CRASHED, pid=0, seconds_left=None, reason=self.reason or reason)

    def _lives(self, now: float, beat: float) -> bool:
        """On the system that it was written on, the process itself is asked, and time is what no
        clock changes. From elsewhere there are only the times of heartbeats."""
        if self.system and self.system == liveness.system():
            age = liveness.tick() - self.tick
            if not self.pid:
                return 0 <= age <= LOST_S
            started = liveness.started(self.pid)
            if started is not None and self.started:
                return started == self.started or 0 <= age <= GRACE_S
        return any(abs(now - sign) <= LOST_S for sign in (self.heartbeat, beat))

    @classmethod
    def seen_in(cls, folder: Path) -> Self:
        """The status in ``folder`` as it looks now. ``UserError`` if it cannot be read."""
        status = cls.read(folder)
        try:
            beat = (folder / BEAT).stat().st_mtime
        except OSError:
            beat = 0.0
        return status.seen(time.time(), beat)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The status in ``folder`` as its process last wrote it.

        Raises:
            UserError: if it cannot be read.
        """
        try:
            values = stored.read_json(folder / FILE, _STATUS, limit=1 << 20)
            return cls(**{k: v for k, v in values.items() if k in _FIELDS})
        except (OSError, ValueError) as error:
            what = f"The status of run '{folder.name}'"
            raise stored.unreadable(what, error, "delete the run") from None

    def write(self, folder: Path) -> None:
        """Replace the status in ``folder``; on disk when this returns."""
        replace_text(folder / FILE, json.dumps(asdict(self), indent=1))


_COUNT = stored.whole()
_MOMENT = stored.number(0, 1e11)

_FIELDS: dict[str, stored.Check] = {
    "state": stored.one_of(
        *(QUEUED, RUNNING, STOPPING, STOPPED, FINISHED, CANCELLED, FAILED, CRASHED)
    ),
    "heartbeat": _MOMENT,
    "pid": _COUNT,
    "started": _COUNT,
    "system": stored.text(200),
    "tick": _MOMENT,
    "stage": stored.text(),
    "epoch": _COUNT,
    "step": _COUNT,
    "steps": _COUNT,
    "epochs": _COUNT,
    "best_epoch": _COUNT,
    "best_rmse_px": stored.maybe(stored.number(0)),
    "images_per_second": stored.maybe(stored.number()),
    "elapsed": _MOMENT,
    "seconds_left": stored.maybe(stored.number()),
    "reason": stored.text(100_000),
    "began": stored.table_of(_MOMENT),
    "machine": stored.text(200),
}
"""What each field may hold, so that a damaged file is told where it is read."""

_STATUS = stored.record({}, _FIELDS)
