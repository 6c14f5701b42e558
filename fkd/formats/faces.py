"""What the formats of labels have in common: faces given out, and faces taken in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.formats.bundle import Bundle
from fkd.formats.kaggle_images import is_outside
from fkd.formats.pictures import Spool, read_face
from fkd.keypoints import KeypointSchema
from fkd.labels.states import Labels, State
from fkd.progress import Progress

_MAX_TAGS = 50
"""Tags read of one image, at most."""

_ROW = re.compile(r"[0-9]{1,18}")  # always fits int64


class Face(NamedTuple):
    """One image with its labels: ``row`` of the source, ``image`` uint8 ``(H, W)``, ``points``
    float32 ``(K, 2)`` px, NaN where there is none, ``states`` uint8 ``(K,)``."""

    row: int
    image: NDArray[np.uint8]
    points: NDArray[np.float32]
    states: NDArray[np.uint8]


def positions(dataset: Dataset, labels: Labels) -> NDArray[np.intp]:
    """``(n,)`` indices into the arrays of ``dataset`` of the rows of ``labels``; ``ValueError`` if
    one is not in the dataset."""
    at = np.searchsorted(dataset.rows, labels.rows)
    if len(dataset) and len(labels):
        at = np.minimum(at, len(dataset) - 1)
        if (dataset.rows[at] == labels.rows).all():
            return at
    elif not len(labels):
        return at
    raise ValueError(f"the labels have rows that {dataset.name} has not")


def given_out(dataset: Dataset, labels: Labels, progress: Progress) -> Iterator[Face]:
    """The faces of ``labels`` in order, each reported once it is dealt with."""
    stage, total = "writing faces", len(labels)
    progress(stage, 0, total)
    for i, at in enumerate(positions(dataset, labels)):
        yield Face(
            int(labels.rows[i]), np.asarray(dataset.images[at]), labels.points[i], labels.states[i]
        )
        progress(stage, i + 1, total)


def as_held(labels: Labels, held: frozenset[State]) -> Labels:
    """``labels`` as files hold them that know the states ``held``: an occluded point is visible
    where there are no occluded ones, an absent one missing where there are no absent ones."""
    states = labels.states.copy()
    for state, instead in ((State.OCCLUDED, State.VISIBLE), (State.ABSENT, State.MISSING)):
        if state not in held:
            states[states == state] = instead
    return replace(labels, states=states)


@dataclass(frozen=True)
class Imported:
    """Labels read from files, checked.

    Attributes:
        schema: the keypoints.
        rows: ``(N,)`` int64, ascending: the rows of the dataset they came from, where ``numbered``.
        points: ``(N, K, 2)`` float32, px; NaN where a point has no position.
        states: ``(N, K)`` uint8, see ``State``; placed exactly where ``points`` are.
        images: ``(N, H, W)`` uint8, mapped; None if there are none with the labels.
        numbered: whether the files say which rows these are, as files called ``12.png`` do;
            otherwise the rows are counted from 0, in the order of the files.
        left_out: images without a face in the files, which are not among the rows.
        names: the image files' names without folder and suffix, one for each row; empty where the
            format has none.
        notes: how the files were read where that is not the only way, a sentence each: what was
            taken for missing, which convention was recognised, which names were matched.
        assumptions: what was taken for granted and would change labels if it were wrong, a
            sentence each. Nothing is saved before somebody has agreed.
        unread: names of files beside the labels that nothing was read from.
        unsaid: indices of keypoints that the files do not speak of at all, as a table without
            their columns: what they are labelled now stays.
        in_file: the states that the files can hold. Of 0 and 1 for visibility, or of positions
            alone, nobody can tell that a point is occluded.
        tags: words that the files say of the image of each row; empty where they say none at all.
    """

    schema: KeypointSchema
    rows: NDArray[np.int64]
    points: NDArray[np.float32]
    states: NDArray[np.uint8]
    images: NDArray[np.uint8] | None
    numbered: bool
    left_out: int = 0
    names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    in_file: frozenset[State] = frozenset(State)
    unsaid: tuple[int, ...] = ()
    tags: tuple[tuple[str, ...], ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    def held(self, labels: Labels) -> Labels:
        """``labels`` as these files can hold them, see ``as_held``."""
        return as_held(labels, self.in_file)


class _Taken(NamedTuple):
    name: str
    points: NDArray[np.float32]
    states: NDArray[np.uint8]
    image: str | None


class Intake:
    """Collects the faces of some files, each checked as it comes.

    Attributes:
        left_out, notes, assumptions, in_file: as of ``Imported``.
    """

    def __init__(self, schema: KeypointSchema) -> None:
        self._schema = schema
        self._faces: dict[str, _Taken] = {}
        self._tags: dict[str, tuple[str, ...]] = {}
        self.left_out = 0
        self.notes: list[str] = []
        self.assumptions: list[str] = []
        self.in_file = frozenset(State)

    def __len__(self) -> int:
        return len(self._faces)

    def tag(self, name: str, words: Any) -> None:
        """Take what a file says of the tags of the image file called ``name``; of what is no list
        of words, nothing."""
        if isinstance(words, list):
            texts = tuple(word for word in words[:_MAX_TAGS] if isinstance(word, str))
            self._tags[PurePosixPath(name).stem] = texts

    def add(
        self,
        name: str,
        points: NDArray[np.float64],
        states: NDArray[np.uint8],
        where: str,
        image: str | None = None,
    ) -> None:
        """Take the face of the image file called ``name``: ``points`` ``(K, 2)`` px, of which
        those count that ``states`` ``(K,)`` places. ``where`` they stand is for people; ``image``
        is the name of its picture, if there is one.

        Raises:
            UserError: if a point is infinite or far outside the image, or a face of such an image
                was there before.
        """
        stem = PurePosixPath(name).stem
        if stem in self._faces:
            raise UserError(f"{where}: {stem!r} has labels already; keep one face for an image.")
        placed = states >= State.OCCLUDED
        bad = placed & ~np.isfinite(points).all(axis=1)
        bad |= placed & is_outside(points, self._schema).any(axis=1)
        if bad.any():
            k = int(np.flatnonzero(bad)[0])
            x, y = points[k]
            label = self._schema.keypoints[k].label
            raise UserError(
                f"{where}: {label} at {x:.6g}, {y:.6g} px is far outside the image of "
                f"{self._schema.width} x {self._schema.height} px; correct it, or remove it."
            )
        kept = np.where(placed[:, None], points, np.nan).astype(np.float32)
        self._faces[stem] = _Taken(stem, kept, states.astype(np.uint8), image)

    def finish(
        self, bundle: Bundle, title: str, progress: Progress, read_from: Iterable[str] | None
    ) -> Imported:
        """All faces in the order of their rows. Their pictures are read from ``bundle``, and
        ``title`` is what they all came from. ``read_from`` are the names of the files that
        something was read from, the pictures of the faces apart; None where a single file was
        given, not all that lies beside it.

        Raises:
            UserError: if there is no face, none has a point, two are of one row, or a picture is
                damaged or of another size.
            ValueError: if some have pictures and others do not.
        """
        if not self._faces:
            raise UserError(f"{title} holds no labels of faces; is it the right format?")
        rows, faces = self._in_order()
        states = np.stack([face.states for face in faces])
        if not (states != State.MISSING).any():
            raise UserError(
                f"{title}: none of its {len(faces):,} faces has a point with a position; is it "
                f"the right file? {' '.join(self.notes)}".strip()
            )
        pictures = [face.image for face in faces if face.image is not None]
        images = self._images(faces, pictures, bundle, progress) if pictures else None
        unread: list[str] = []
        if read_from is not None:
            used = {*read_from, *pictures}
            unread = [name for name in bundle.names if name not in used]
        return Imported(
            self._schema,
            rows,
            np.stack([face.points for face in faces]),
            states,
            images,
            self._numbered,
            self.left_out,
            tuple(face.name for face in faces),
            tuple(dict.fromkeys(self.notes)),
            tuple(dict.fromkeys(self.assumptions)),
            tuple(unread),
            self.in_file,
            tags=tuple(self._tags.get(face.name, ()) for face in faces) if self._tags else (),
        )

    @property
    def _numbered(self) -> bool:
        return all(_ROW.fullmatch(stem) for stem in self._faces)

    def _in_order(self) -> tuple[NDArray[np.int64], list[_Taken]]:
        if not self._numbered:
            ordered = [self._faces[stem] for stem in sorted(self._faces)]
            return np.arange(len(ordered)), ordered
        by_row: dict[int, _Taken] = {}
        for stem, face in self._faces.items():
            other = by_row.setdefault(int(stem), face)
            if other is not face:
                raise UserError(
                    f"{other.name!r} and {stem!r} both are row {int(stem)}; keep one of them."
                )
        rows = sorted(by_row)
        return np.array(rows, np.int64), [by_row[row] for row in rows]

    def _images(
        self, faces: list[_Taken], pictures: list[str], bundle: Bundle, progress: Progress
    ) -> NDArray[np.uint8]:
        if len(pictures) != len(faces):
            raise ValueError("labels come with the pictures of all faces, or of none")
        spool = Spool(self._schema)
        stage, total = "reading faces", len(faces)
        for done, name in enumerate(pictures):
            progress(stage, done, total)
            spool.append(read_face(bundle.read(name), name, self._schema)[None])
        progress(stage, total, total)
        return spool.finish()
