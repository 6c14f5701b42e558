"""Long work in the dashboard: runs in a thread of its own, goes on when the user looks elsewhere,
reports progress and can be stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import streamlit as st

from dashboard.guard import in_words
from fkd.errors import Cancelled
from fkd.progress import Progress


@dataclass(eq=False)
class Task:
    """One piece of work on the dataset ``subject`` and how far it is; written by its thread, read
    by pages."""

    label: str
    subject: str
    work: Callable[[Progress], str]
    state: str = "running"  # then: done, failed, stopped
    stage: str = "starting"
    done: int = 0
    total: int = 0
    stage_began: float = field(default_factory=time.monotonic)
    error: Exception | None = None
    message: str = ""
    stop: threading.Event = field(default_factory=threading.Event)

    def progress(self, stage: str, done: int, total: int) -> None:
        """The callback handed to the work."""
        if self.stop.is_set():
            raise Cancelled(f"{self.label}: stopped; nothing was changed.")
        if stage != self.stage:
            self.stage, self.stage_began = stage, time.monotonic()
        self.done, self.total = done, total

    @property
    def share(self) -> float:
        return min(self.done / self.total, 1.0) if self.total else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Of this stage, at its pace so far; None while there is no telling."""
        elapsed = time.monotonic() - self.stage_began
        if self.share < 0.02 or elapsed < 0.5:
            return None
        return elapsed * (1 - self.share) / self.share


_ENDED_KEPT = 4


def start_alone(label: str, subject: str, work: Callable[[Progress], str]) -> Task:
    """As ``Tasks.start``, for work that concerns one user only: it is shown to no other."""
    task = Task(label, subject, work)
    threading.Thread(target=_run, args=(task,), daemon=True, name=label).start()
    return task


class Tasks:
    """The work of this server, shown to all its users; the newest last."""

    def __init__(self) -> None:
        self._tasks: list[Task] = []
        self._lock = threading.Lock()

    def start(self, label: str, subject: str, work: Callable[[Progress], str]) -> Task:
        """Run ``work(progress)``, which concerns the dataset ``subject``, in a thread; return its
        task at once. What ``work`` returns is said of the subject ("is ready")."""
        with self._lock:
            return self._begin(Task(label, subject, work))

    def ensure(self, label: str, subject: str, work: Callable[[Progress], str]) -> Task:
        """A task that is running on ``subject`` already, otherwise a new one, as ``start``."""
        with self._lock:
            running = (t for t in self._tasks if t.subject == subject and t.state == "running")
            return next(running, None) or self._begin(Task(label, subject, work))

    def latest(self, subject: str) -> Task | None:
        """The newest task on the dataset ``subject``, running or ended."""
        return next((t for t in reversed(self.list()) if t.subject == subject), None)

    def _begin(self, task: Task) -> Task:
        # An ended task on the same dataset has been answered by this one.
        running = [t for t in self._tasks if t.state == "running"]
        ended = [t for t in self._tasks if t not in running and t.subject != task.subject]
        self._tasks = [*ended[-_ENDED_KEPT:], *running, task]
        threading.Thread(target=_run, args=(task,), daemon=True, name=task.label).start()
        return task

    def list(self) -> list[Task]:
        with self._lock:
            return list(self._tasks)

    def dismiss(self, task: Task) -> None:
        with self._lock:
            self._tasks = [t for t in self._tasks if t is not task]


def _run(task: Task) -> None:
    try:
        task.message = f"{task.subject} {task.work(task.progress)}."
        task.state = "done"
    except Cancelled as error:
        task.message, task.state = str(error), "stopped"
    except Exception as error:
        task.error, task.message, task.state = error, in_words(task.label, error), "failed"


@st.cache_resource(show_spinner=False)
def tasks() -> Tasks:
    """The one list of tasks of this server process."""
    return Tasks()
