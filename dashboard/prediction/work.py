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
from fkd.inference.photos import TOGETHER, predict_photos
from fkd.inference.pipeline import Pipeline
from fkd.inference.results import PhotoFaces
from fkd.inference.sources import Source
from fkd.models.sources import TrainedModel
from fkd.progress import Progress

SOON_S = 1.0
"""Seconds that a page waits for its photos before it shows how far they are."""
_POLL_S = 0.02
WAITING = "waiting for other photos to be read"
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
    """What one user works on: what was found so far, and what is being predicted."""

    found: dict[Key, PhotoFaces] = field(default_factory=dict)
    task: Task | None = None


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
        with telling(lambda: progress(WAITING, done, total)):
            for start in range(0, total, TOGETHER):
                some = self.chosen[start : start + TOGETHER]
                photos = predict_photos(pipeline, (one.source for one in some))
                # Not kept here, as a loop would while the next is read: photos are large.
                for one, result in zip(some, map(itemgetter(1), photos), strict=True):
                    self.desk.found[self.job.key(one)] = result
                    done += 1
                    progress("predicting", done, total)
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
    task = own.task
    if task is not None and task.state == "running":
        if _same(task, job, open_ones):
            return task
        task.stop.set()  # of what it was asked for, something else became of interest
    if task is not None and task.state in {"stopped", "failed"} and _same(task, job, open_ones):
        return task
    if not open_ones:
        own.task = None
        return None
    own.task = task = start_alone(
        "Predicting", f"{len(open_ones)} photos", Predicting(own, job, open_ones)
    )
    until = time.monotonic() + SOON_S
    while task.state == "running" and time.monotonic() < until:
        time.sleep(_POLL_S)
    return None if task.state == "done" else task


def _same(task: Task, job: Job, open_ones: Sequence[Chosen]) -> bool:
    """Whether ``task`` was asked for all of ``open_ones``."""
    work = task.work
    asked = {one.id for one in work.chosen} if isinstance(work, Predicting) else set()
    return (
        isinstance(work, Predicting) and work.job == job and asked >= {one.id for one in open_ones}
    )


def again() -> None:
    """Let what was stopped or failed be tried anew."""
    desk().task = None


def predict_boxes(job: Job, chosen: Chosen, frames: Sequence[Frame]) -> None:
    """Take the faces of one photo from ``frames``, at once.

    Raises:
        UserError: if the photo cannot be read any more.
    """
    pipeline = job.pipeline(lambda *report: None)
    if not frames:
        before = desk().found[job.key(chosen)]
        desk().found[job.key(chosen)] = replace(before, faces=(), doubts=())
        return
    [(_, result)] = predict_photos(pipeline, [chosen.source], frames)
    if result.error:
        raise UserError(result.error)
    desk().found[job.key(chosen)] = result
