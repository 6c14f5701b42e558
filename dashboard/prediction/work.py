"""Predicting the photos of one user: in the background where it takes long, each photo once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter

import streamlit as st

from dashboard.prediction.models import MODELS
from dashboard.tasks import Task, start_alone
from fkd.errors import UserError
from fkd.inference.frame import Frame
from fkd.inference.memory import telling
from fkd.inference.photos import predict_photos
from fkd.inference.pipeline import Pipeline
from fkd.inference.results import PhotoFaces
from fkd.inference.sources import Source
from fkd.models.sources import TrainedModel
from fkd.progress import Progress, silent

SOON_S = 1.0
"""Seconds that a page waits for its photos before it shows how far they are."""
_POLL_S = 0.02
WAITING = "waiting for other photos to be read"
PREDICTING = "predicting"
_GIVEN_UP_S = 1.5
"""Seconds after which what was told to stop counts as stopped: the decoders of some kinds of files
cannot be interrupted. Their thread ends with the photo that it is at, whose result is dropped."""
_STATE = "predict-desk"


@dataclass(frozen=True)
class Chosen:
    """A photo that the user chose.

    Attributes:
        id: tells it from all others of this user.
        source: where it comes from.
    """

    id: str
    source: Source


Key = tuple[str, str, bool]
"""Id of a photo, stamp of the model, whether mirrored faces were averaged in."""


@dataclass(eq=False)
class Desk:
    """What one user works on.

    Attributes:
        found: what was found so far.
        before: of photos whose faces the user changed, what was found before each change.
        task: the predicting that goes on, or ended other than well.
        stopped: when it was told to stop, by ``time.monotonic``.
    """

    found: dict[Key, PhotoFaces] = field(default_factory=dict)
    before: dict[Key, list[PhotoFaces]] = field(default_factory=dict)
    task: Task | None = None
    stopped: float | None = None

    @property
    def state(self) -> str:
        """``running``, ``stopping``, ``stopped``, ``failed`` or ``done``."""
        if self.task is None:
            return "done"
        if self.task.state != "running" or self.stopped is None:
            return self.task.state
        return "stopped" if time.monotonic() - self.stopped > _GIVEN_UP_S else "stopping"

    def stop(self) -> None:
        """Let what is being predicted end soon."""
        if self.task is not None:
            self.task.stop.set()
            self.stopped = time.monotonic()

    def begin(self, task: Task | None) -> None:
        """From now on ``task`` counts, and no other."""
        if self.task is not None:
            self.task.stop.set()
        self.task, self.stopped = task, None

    def change(self, key: Key, result: PhotoFaces) -> None:
        """Put ``result`` in the place of what was found, which can be undone."""
        self.before.setdefault(key, []).append(self.found[key])
        self.found[key] = result

    def undo(self, key: Key) -> None:
        """Take the last change back."""
        if earlier := self.before.get(key):
            self.found[key] = earlier.pop()


@dataclass(frozen=True)
class Job:
    """How photos are predicted: with which model, averaged with the mirrored faces or not."""

    model: TrainedModel
    mirrored: bool

    def key(self, chosen: Chosen) -> Key:
        return chosen.id, f"{self.model.name}/{self.model.stamp}", self.mirrored

    def pipeline(self, progress: Progress) -> Pipeline:
        """The model, waited for; ``progress`` says for what."""
        loading = MODELS.load(self.model)
        while not loading.ready.done():
            progress(loading.stage, 0, 0)
            time.sleep(_POLL_S)
        return replace(loading.ready.result(), mirrored=self.mirrored)


@dataclass(frozen=True)
class Predicting:
    """The work of a task."""

    desk: Desk
    job: Job
    chosen: Sequence[Chosen]

    def __call__(self, progress: Progress) -> str:
        pipeline = self.job.pipeline(progress)
        done, total = 0, len(self.chosen)
        sources = (one.source for one in self.chosen)
        with telling(lambda: progress(WAITING, done, total)):
            photos = predict_photos(
                pipeline, sources, check=lambda: progress(PREDICTING, done, total)
            )
            # Not kept here, as a loop would while the next is read: photos are large.
            for one, result in zip(self.chosen, map(itemgetter(1), photos), strict=True):
                self.desk.found[self.job.key(one)] = result
                done += 1
                progress(PREDICTING, done, total)
        return "are done"


def desk() -> Desk:
    """That of this user."""
    found: Desk = st.session_state.setdefault(_STATE, Desk())
    return found


def predict(job: Job, chosen: Sequence[Chosen]) -> Task | None:
    """See to it that what is found on all of ``chosen`` is known; the task at it if that takes
    longer than a moment. What is stopped stays open until it is asked for again."""
    own = desk()
    open_ones = [one for one in chosen if job.key(one) not in own.found]
    if own.state != "done" and _same(own.task, job, open_ones):
        return own.task
    if not open_ones:
        own.begin(None)
        return None
    task = start_alone("Predicting", f"{len(open_ones)} photos", Predicting(own, job, open_ones))
    own.begin(task)
    until = time.monotonic() + SOON_S
    while task.state == "running" and time.monotonic() < until:
        time.sleep(_POLL_S)
    return None if task.state == "done" else task


def _same(task: Task | None, job: Job, open_ones: Sequence[Chosen]) -> bool:
    """Whether ``task`` was asked for all of ``open_ones``."""
    work = task and task.work
    asked = {one.id for one in work.chosen} if isinstance(work, Predicting) else set()
    return (
        isinstance(work, Predicting) and work.job == job and asked >= {one.id for one in open_ones}
    )


def again() -> None:
    """Let what was stopped or failed be tried anew."""
    desk().begin(None)


def predict_boxes(job: Job, chosen: Chosen, frames: Sequence[Frame]) -> None:
    """Take the faces of one photo from ``frames``, at once; this can be undone.

    Raises:
        UserError: if the photo cannot be read any more.
    """
    own, key = desk(), job.key(chosen)
    if not frames:
        own.change(key, replace(own.found[key], faces=(), doubts=()))
        return
    pipeline = job.pipeline(silent)
    [(_, result)] = predict_photos(pipeline, [chosen.source], frames)
    if result.error:
        raise UserError(result.error)
    own.change(key, result)
