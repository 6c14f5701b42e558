"""Looks after one run from the queue to its end, without TensorFlow, in a process of its own.

It waits until a training may start, starts the worker, and writes down how that ended where the
worker could not: killed for want of memory, or ended by the system.
"""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from filelock import FileLock, Timeout

from fkd.errors import UserError
from fkd.private import file_mode
from fkd.settings import max_trainings
from fkd.training.failures import exit_in_words
from fkd.training.runs import Run, all_runs
from fkd.training.status import (
    ACTIVE,
    BEAT,
    CANCELLED,
    FAILED,
    HEARTBEAT_S,
    QUEUED,
    RUNNING,
    STARTING,
    STOPPED,
    Status,
)

_POLL_S = 0.2


def supervise(run: Run) -> Status:
    """Take ``run`` through the queue and to its end; return the status that it ended with.

    Raises:
        UserError: if another process looks after it already.
    """
    with _alone(run):
        status = Status.read(run.folder)
        status = replace(status, state=QUEUED, reason="", began={}).attended()
        slot = _wait(run, status)
        if slot is None:
            return Status.read(run.folder)
        with slot:
            _work(run)
    return Status.read(run.folder)


def _alone(run: Run) -> FileLock:
    """The lock on ``run``. Who resumes a run at once finds the process before still on its way
    out: a run that was queued anew waits for that. ``UserError`` if another looks after it."""
    lock = FileLock(run.folder / ".lock", mode=file_mode(run.folder))
    while True:
        with suppress(Timeout):
            lock.acquire(timeout=HEARTBEAT_S)
            return lock
        status = Status.read(run.folder)
        if not status.unattended:
            raise UserError(f"Run '{run.name}' is being trained already.")
        status.waiting().write(run.folder)


def _wait(run: Run, status: Status) -> FileLock | None:
    """Hold the queue's place until a training may start; None if the user called it off."""
    beaten = -HEARTBEAT_S  # by a clock that nobody sets
    while True:
        if run.cancel_requested or run.stop_requested:
            _call_off(run, status)
            return None
        before = _before(run)
        slot = _free_slot() if not before else None
        if slot is not None or time.monotonic() - beaten >= HEARTBEAT_S:
            beaten = time.monotonic()
            stage = f"waiting for {', '.join(before)}" if before else ""
            stage = STARTING if slot is not None else stage
            with suppress(OSError):
                status.entering(stage).beating().write(run.folder)
        if slot is not None:
            return slot
        time.sleep(_POLL_S)


def _call_off(run: Run, status: Status) -> None:
    """End a run before the first batch of this start, as the user asked."""
    had_weights = run.last.is_file()
    if run.cancel_requested:
        run.discard_weights()
        state, reason = CANCELLED, "Cancelled before its first batch."
        if had_weights:
            reason = "Cancelled before it went on; its weights were discarded."
    elif had_weights:
        state, reason = STOPPED, "Stopped before it went on; its weights are kept."
    else:
        state, reason = STOPPED, "Stopped before its first batch; there are no weights yet."
    ended = replace(status, state=state, reason=reason, stage="").waiting()
    ended.write(run.folder)


def _before(run: Run) -> list[str]:
    """Names of the runs that were queued before this one and still wait, or that train while no
    slot is free."""
    mine = (run.queued_at, run.name)
    waiting, training = [], []
    for other in all_runs():
        if other.name == run.name:
            continue
        with suppress(UserError):
            status = other.status
            if status.state == QUEUED and (other.queued_at, other.name) < mine:
                waiting.append(other.name)
            elif status.state in ACTIVE and status.state != QUEUED:
                training.append(other.name)
    return waiting + training if waiting or len(training) >= max_trainings() else []


def _free_slot() -> FileLock | None:
    """A slot to train in, held; the system frees it with the process."""
    from fkd.training.runs import runs_folder

    folder = runs_folder()
    for number in range(max_trainings()):
        slot = FileLock(folder / f".slot-{number}.lock", mode=file_mode(folder))
        with suppress(Timeout):
            slot.acquire(timeout=0)
            return slot
    return None


def _work(run: Run) -> None:
    """Run the worker; where it could not say how it ended, say it."""
    kills = _kills_for_memory()
    worker = subprocess.Popen(
        [sys.executable, "-m", "fkd.training.worker", str(run.folder)],
        stdin=subprocess.DEVNULL,
    )
    beat = run.folder / BEAT
    called_off = False
    try:
        while True:
            with suppress(OSError):
                beat.touch()
            with suppress(subprocess.TimeoutExpired):
                code = worker.wait(_POLL_S)
                break
            # While it loads and compiles it cannot answer, and there is nothing to lose.
            if not called_off and _to_be_called_off(run):
                called_off = True
                worker.kill()
    except BaseException:
        worker.terminate()
        raise
    finally:
        beat.unlink(missing_ok=True)
    status = Status.read(run.folder)
    if status.state not in ACTIVE or status.unattended:
        return  # it has said how it ended, and may have been resumed since
    if called_off:
        _call_off(run, status)
        return
    reason = exit_in_words(code, _kills_for_memory() > kills, run)
    if reason:
        replace(status, state=FAILED, pid=0, reason=reason, seconds_left=None, stage="").write(
            run.folder
        )
    else:  # from now on it looks crashed: nobody has seen a sign of life for long
        status.forsaken().write(run.folder)


def _to_be_called_off(run: Run) -> bool:
    """Whether the user asked ``run`` to end before its first batch."""
    if not (run.stop_requested or run.cancel_requested):
        return False
    with suppress(UserError):
        status = Status.read(run.folder)
        return status.state == RUNNING and not status.trains
    return False


def _kills_for_memory() -> int:
    """How often the system killed a process for want of memory, as far as it tells: here since
    the computer or the container started."""
    total = 0
    for path in (Path("/sys/fs/cgroup/memory.events"), Path("/proc/vmstat")):
        with suppress(OSError, ValueError):
            for line in path.read_text().splitlines():
                name, _, value = line.partition(" ")
                if name == "oom_kill":
                    total += int(value)
    return total
