"""Many photos, one after the other: read, searched for faces together where they are small."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from fkd.errors import Cancelled, UserError
from fkd.inference.decode import MAX_PIXELS, Photo
from fkd.inference.detect import MAX_FACES
from fkd.inference.doubts import doubts
from fkd.inference.faces import Face
from fkd.inference.frame import Frame
from fkd.inference.kinds import shown
from fkd.inference.memory import Busy, keeping
from fkd.inference.pipeline import Pipeline
from fkd.inference.results import PhotoFaces
from fkd.inference.sources import Source
from fkd.log import log_unexpected

TOGETHER = 64
"""Photos that the model sees at a time, at most."""
_PIXELS = MAX_PIXELS // 4
"""Pixels of such photos together, so that memory stays bounded, unless one alone has more."""

_SOON_S = 1.0
"""Seconds that photos are read before those read are predicted, however few: what is found is known
soon, and little is lost by stopping."""

Check = Callable[[], None]
"""Called between any two steps that take long; what it raises (``Cancelled``) ends the work."""

Found = tuple[Photo | None, PhotoFaces]
"""A photo, None where it could not be read, and what was found on it."""


def unchecked() -> None:
    """The ``Check`` of a caller that never stops."""


def predict_photos(
    pipeline: Pipeline,
    sources: Iterable[Source],
    boxes: Sequence[Frame] = (),
    check: Check = unchecked,
) -> Iterator[Found]:
    """What ``pipeline`` finds on each of ``sources``, in their order; with ``boxes``, in these
    squares instead of where faces are found. What fails is told in its place and stops nothing.
    What ``check`` raises before a photo is read or searched ends it: photos that were read and not
    predicted by then are dropped.
    """
    waiting: list[Photo | PhotoFaces] = []
    began = 0.0
    for source in sources:
        check()
        began = began if waiting else time.monotonic()
        try:
            item = _load(source, waits=not waiting)
        except Busy:
            yield from _predict(pipeline, waiting, boxes, check)
            waiting, began = [], time.monotonic()
            item = _load(source, waits=True)
        if isinstance(item, Photo):
            pixels = item.gray.size + sum(w.gray.size for w in waiting if isinstance(w, Photo))
            if waiting and pixels > _PIXELS:
                yield from _predict(pipeline, waiting, boxes, check)
                waiting, began = [], time.monotonic()
        waiting.append(item)
        del item  # while the next is read, only those that wait take memory
        if len(waiting) == TOGETHER or time.monotonic() - began > _SOON_S:
            yield from _predict(pipeline, waiting, boxes, check)
            waiting = []
    yield from _predict(pipeline, waiting, boxes, check)


def _load(source: Source, *, waits: bool) -> Photo | PhotoFaces:
    try:
        with keeping(waits=waits):
            return source.load()
    except (Busy, Cancelled):
        raise
    except UserError as error:
        return PhotoFaces(source.name, error=str(error))
    except Exception as error:
        return _failed(source.name, error)


def _predict(
    pipeline: Pipeline, items: Sequence[Photo | PhotoFaces], boxes: Sequence[Frame], check: Check
) -> Iterator[Found]:
    photos = [item for item in items if isinstance(item, Photo)]
    found = iter(_faces(pipeline, photos, boxes, check))
    for item in items:
        yield (item, next(found)) if isinstance(item, Photo) else (None, item)


def _faces(
    pipeline: Pipeline, photos: Sequence[Photo], boxes: Sequence[Frame], check: Check
) -> list[PhotoFaces]:
    try:
        if boxes:
            each = [pipeline.boxes(photo, boxes) for photo in photos]
        else:
            each = pipeline.batch(photos, check)
    except Cancelled:
        raise
    except Exception as error:
        if len(photos) == 1:
            return [_failed(photos[0].name, error)]
        # One of them is to blame; the others shall not suffer for it.
        return [one for photo in photos for one in _faces(pipeline, [photo], boxes, check)]
    return [_told(pipeline, *both) for both in zip(photos, each, strict=True)]


def _told(pipeline: Pipeline, photo: Photo, faces: list[Face]) -> PhotoFaces:
    said = tuple(doubts(face, pipeline.reference) for face in faces)
    notes = [photo.note] if photo.note else []
    if len(faces) == MAX_FACES:
        notes.append(f"only the {MAX_FACES} most confident faces are shown")
    note = "; ".join(notes)
    return PhotoFaces(photo.name, photo.width, photo.height, tuple(faces), said, note)


def _failed(name: str, error: Exception) -> PhotoFaces:
    path, name = log_unexpected(f"predicting {name!r}", error), shown(name)
    return PhotoFaces(
        name, error=f"Something unexpected went wrong with {name}; details are in {path}."
    )
