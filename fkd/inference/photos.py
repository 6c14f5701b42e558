"""Many photos, one after the other: read, searched for faces together where they are small."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

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

Found = tuple[Photo | None, PhotoFaces]
"""A photo, None where it could not be read, and what was found on it."""


def predict_photos(
    pipeline: Pipeline, sources: Iterable[Source], boxes: Sequence[Frame] = ()
) -> Iterator[Found]:
    """What ``pipeline`` finds on each of ``sources``, in their order; with ``boxes``, in these
    squares instead of where faces are found. What fails is told in its place and stops nothing.
    """
    waiting: list[Photo | PhotoFaces] = []
    for source in sources:
        try:
            item = _load(source, waits=not waiting)
        except Busy:
            yield from _predict(pipeline, waiting, boxes)
            waiting = []
            item = _load(source, waits=True)
        if isinstance(item, Photo):
            pixels = item.gray.size + sum(w.gray.size for w in waiting if isinstance(w, Photo))
            if waiting and pixels > _PIXELS:
                yield from _predict(pipeline, waiting, boxes)
                waiting = []
        waiting.append(item)
        del item  # while the next is read, only those that wait take memory
        if len(waiting) == TOGETHER:
            yield from _predict(pipeline, waiting, boxes)
            waiting = []
    yield from _predict(pipeline, waiting, boxes)


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
    pipeline: Pipeline, items: Sequence[Photo | PhotoFaces], boxes: Sequence[Frame]
) -> Iterator[Found]:
    photos = [item for item in items if isinstance(item, Photo)]
    found = iter(_faces(pipeline, photos, boxes))
    for item in items:
        yield (item, next(found)) if isinstance(item, Photo) else (None, item)


def _faces(pipeline: Pipeline, photos: Sequence[Photo], boxes: Sequence[Frame]) -> list[PhotoFaces]:
    try:
        if boxes:
            each = [pipeline.boxes(photo, boxes) for photo in photos]
        else:
            each = pipeline.batch(photos)
    except Exception as error:
        if len(photos) == 1:
            return [_failed(photos[0].name, error)]
        # One of them is to blame; the others shall not suffer for it.
        return [one for photo in photos for one in _faces(pipeline, [photo], boxes)]
    return [_told(pipeline, *both) for both in zip(photos, each, strict=True)]


def _told(pipeline: Pipeline, photo: Photo, faces: list[Face]) -> PhotoFaces:
    said = tuple(doubts(face, pipeline.reference) for face in faces)
    notes = [photo.note] if photo.note else []
    if len(faces) == MAX_FACES:
        notes.append(f"the {MAX_FACES} faces that are surest, there may be more")
    note = "; ".join(notes)
    return PhotoFaces(photo.name, photo.width, photo.height, tuple(faces), said, note)


def _failed(name: str, error: Exception) -> PhotoFaces:
    path, name = log_unexpected(f"predicting {name!r}", error), shown(name)
    return PhotoFaces(
        name, error=f"Something unexpected went wrong with {name}; details are in {path}."
    )
