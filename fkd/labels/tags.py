"""Tags: words that people give to images. Who gave or took one, and when, is kept, and every step
can be undone."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from fkd.errors import UserError
from fkd.labels.database import transaction
from fkd.labels.states import Labels
from fkd.labels.store import LabelStore, check_author
from fkd.spans import spans, within

EXCLUDED = "excluded"
"""The tag of images that no training uses."""

LONGEST_TAG = 40
_PARTING = ',;"'

MAX_TAGS = 200
"""Tags that a dataset has at most: more could not be chosen from."""

_AT_ONCE = 5_000


@dataclass(frozen=True, eq=False)
class Tags:
    """The tags of a dataset's images at one moment.

    Attributes:
        number: of the step that led here; 0 where nothing was ever tagged.
        rows: for each tag that an image has, in alphabetical order, the source rows of those
            images, int64, ascending.
    """

    number: int = 0
    rows: dict[str, NDArray[np.int64]] = field(default_factory=dict)

    def __iter__(self) -> Iterator[str]:
        return iter(self.rows)

    def held(self, tag: str, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """``(n,)`` which of the images ``rows`` have ``tag``."""
        return np.isin(rows, self.rows.get(tag, np.empty(0, np.int64)))

    def of(self, row: int) -> list[str]:
        """The tags of one image."""
        return [tag for tag, rows in self.rows.items() if row in rows]

    def by_row(self) -> dict[int, list[str]]:
        """The tags of every image that has one."""
        found: dict[int, list[str]] = {}
        for tag, rows in self.rows.items():
            for row in rows.tolist():
                found.setdefault(row, []).append(tag)
        return found


@dataclass(frozen=True)
class Step:
    """One thing that somebody did: ``count`` images got ``tag``, or lost it where not ``given``;
    ``undoes`` is the number of the step that it takes back."""

    number: int
    tag: str
    given: bool
    count: int
    author: str
    at: str
    undoes: int | None = None


def check_tag(tag: str) -> str:
    """``tag`` without spaces around it; ``UserError`` if that cannot be one. Commas and semicolons
    part tags in links and files, and what begins with a sign a spreadsheet may run."""
    word = tag.strip()
    if not word:
        raise UserError("Type a tag first.")
    if (
        len(word) > LONGEST_TAG
        or not word[0].isalnum()
        or any(
            letter in _PARTING or unicodedata.category(letter).startswith("C") for letter in word
        )
    ):
        raise UserError(
            f"A tag begins with a letter or digit and has at most {LONGEST_TAG} characters, no "
            "commas, semicolons or quotation marks among them."
        )
    return word


def head(store: LabelStore) -> int:
    """Number of the latest step; 0 if nothing was ever tagged."""
    with transaction(store.url) as connection:
        return _head(connection, store.key)


def read_tags(store: LabelStore) -> Tags:
    """The tags now."""
    with transaction(store.url) as connection:
        number = _head(connection, store.key)
        if not number:
            return Tags()
        found = connection.execute(
            text("SELECT tag, image FROM image_tags WHERE dataset = :dataset"),
            {"dataset": store.key},
        )
        rows: dict[str, list[int]] = {}
        for tag, image in found:
            rows.setdefault(tag, []).append(image)
    return Tags(number, {tag: np.sort(np.array(rows[tag], np.int64)) for tag in sorted(rows)})


def excluded(store: LabelStore) -> NDArray[np.int64]:
    """Source rows, ascending, of the images that no training uses."""
    return read_tags(store).rows.get(EXCLUDED, np.empty(0, np.int64))


def with_tags(labels: Labels, store: LabelStore) -> Labels:
    """``labels`` with the tags that their images have now, for formats that have room for them."""
    return replace(labels, tags=read_tags(store).by_row())


def give(store: LabelStore, rows: Iterable[int], tag: str, author: str) -> Step | None:
    """Give the images ``rows`` the ``tag``; None if all of them have it.

    Raises:
        UserError: if the tag or the author cannot be one, a row is not in the dataset, or there
            are too many tags.
    """
    return _change(store, rows, check_tag(tag), author, given=True)


def take(store: LabelStore, rows: Iterable[int], tag: str, author: str) -> Step | None:
    """Take ``tag`` from the images ``rows``; None if none of them has it. ``UserError`` as
    ``give``."""
    return _change(store, rows, check_tag(tag), author, given=False)


def undo(store: LabelStore, number: int, author: str) -> Step | None:
    """Take step ``number`` back, as a further step; images that others have tagged otherwise since
    stay as those left them. None if nothing is left of the step.

    Raises:
        UserError: if there is no such step, or the author cannot be one.
    """
    who = check_author(author)
    with transaction(store.url, write=True) as connection:
        found = connection.execute(
            text(
                "SELECT tag, given, images FROM tag_steps "
                "WHERE dataset = :dataset AND number = :number"
            ),
            {"dataset": store.key, "number": number},
        ).first()
        if found is None:
            raise UserError(f"There is no step {number} of tagging to undo.")
        tag, given, images = found
        rows = store.dataset.rows[within(images, store.dataset.rows)]
        return _step(connection, store.key, rows, tag, who, given=not given, undoes=number)


def steps(store: LabelStore, limit: int = 100) -> list[Step]:
    """What was done last, the latest first."""
    with transaction(store.url) as connection:
        found = connection.execute(
            text(
                "SELECT number, tag, given, count, author, at, undoes FROM tag_steps "
                "WHERE dataset = :dataset ORDER BY number DESC LIMIT :limit"
            ),
            {"dataset": store.key, "limit": limit},
        )
        return [Step(n, tag, bool(given), *rest) for n, tag, given, *rest in found]


def _change(
    store: LabelStore, rows: Iterable[int], tag: str, author: str, *, given: bool
) -> Step | None:
    who = check_author(author)
    wanted = np.unique(np.fromiter(rows, np.int64))
    known = np.isin(wanted, store.dataset.rows)
    if not known.all():
        raise UserError(f"Dataset '{store.dataset.name}' has no row {wanted[~known][0]}.")
    with transaction(store.url, write=True) as connection:
        if given:
            _check_room(connection, store.key, tag)
        return _step(connection, store.key, wanted, tag, who, given=given)


def _check_room(connection: Connection, key: str, tag: str) -> None:
    found = connection.execute(
        text("SELECT DISTINCT tag FROM image_tags WHERE dataset = :dataset"), {"dataset": key}
    )
    tags = {word for (word,) in found}
    if tag not in tags and len(tags) >= MAX_TAGS:
        raise UserError(f"There are {MAX_TAGS} tags already; take one of them away first.")


def _step(
    connection: Connection,
    key: str,
    rows: NDArray[np.int64],
    tag: str,
    author: str,
    *,
    given: bool,
    undoes: int | None = None,
) -> Step | None:
    """Within a transaction that writes: the step, and the tags as they are after it."""
    have = connection.execute(
        text("SELECT image FROM image_tags WHERE dataset = :dataset AND tag = :tag"),
        {"dataset": key, "tag": tag},
    )
    has = np.isin(rows, np.array([image for (image,) in have], np.int64))
    changed = rows[~has if given else has]
    if not len(changed):
        return None
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    step = Step(_head(connection, key) + 1, tag, given, len(changed), author, now, undoes)
    connection.execute(
        text(
            "INSERT INTO tag_steps "
            "(dataset, number, tag, given, count, images, author, at, undoes) VALUES "
            "(:dataset, :number, :tag, :given, :count, :images, :author, :at, :undoes)"
        ),
        {
            "dataset": key,
            "number": step.number,
            "tag": tag,
            "given": int(given),
            "count": step.count,
            "images": spans(changed),
            "author": author,
            "at": now,
            "undoes": undoes,
        },
    )
    statement = text(
        "INSERT INTO image_tags (dataset, tag, image) VALUES (:dataset, :tag, :image)"
        if given
        else "DELETE FROM image_tags WHERE dataset = :dataset AND tag = :tag AND image = :image"
    )
    for start in range(0, len(changed), _AT_ONCE):
        part = changed[start : start + _AT_ONCE].tolist()
        connection.execute(statement, [{"dataset": key, "tag": tag, "image": r} for r in part])
    return step


def _head(connection: Connection, key: str) -> int:
    found = connection.execute(
        text("SELECT MAX(number) FROM tag_steps WHERE dataset = :dataset"), {"dataset": key}
    ).scalar()
    return int(found or 0)
