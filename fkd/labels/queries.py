"""Reading and adding versions and changes of labels; the only place with their SQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from fkd.labels.point import PointLabel
from fkd.labels.states import Origin, State

SAVE, UNDO, REDO, REVERT, IMPORT = "save", "undo", "redo", "revert", "import"
"""Kinds of versions."""


@dataclass(frozen=True)
class Version:
    """One state of the labels of a dataset, by what made it.

    Attributes:
        number: 1, 2, ...; 0 are the labels as ingested.
        kind: ``SAVE``, ``UNDO``, ``REDO``, ``REVERT`` or ``IMPORT``.
        author: who.
        at: when, as ISO 8601 in UTC.
        note: why, or from where.
        undoes: the version that an undo takes back or a redo brings back.
    """

    number: int
    kind: str
    author: str
    at: str
    note: str = ""
    undoes: int | None = None


@dataclass(frozen=True)
class Change:
    """What version ``number`` did to one keypoint: ``old`` became ``new``."""

    number: int
    row: int
    keypoint: str
    old: PointLabel
    new: PointLabel


Outcome = tuple[int, str, int, float | None, float | None, int]
"""What a change made of a point: row, keypoint, state, x, y, origin."""

_PARTS = ("state", "x", "y", "origin", "source")
_COLUMNS = [f"{when}_{part}" for when in ("old", "new") for part in _PARTS]
_INSERT = (
    f"INSERT INTO changes (dataset, number, image, keypoint, {', '.join(_COLUMNS)}) VALUES "
    f"(:dataset, :number, :image, :keypoint, {', '.join(f':{c}' for c in _COLUMNS)})"
)


def _row(key: str, change: Change) -> dict[str, Any]:
    values: dict[str, Any] = {
        "dataset": key,
        "number": change.number,
        "image": change.row,
        "keypoint": change.keypoint,
    }
    for when, label in (("old", change.old), ("new", change.new)):
        values |= {
            f"{when}_state": int(label.state),
            f"{when}_x": label.x,
            f"{when}_y": label.y,
            f"{when}_origin": int(label.origin),
            f"{when}_source": label.source,
        }
    return values


def _label(state: int, x: float | None, y: float | None, origin: int, source: str) -> PointLabel:
    return PointLabel(State(state), x, y, Origin(origin), source)


def head(connection: Connection, key: str) -> int:
    """Number of the latest version."""
    statement = text("SELECT head FROM datasets WHERE dataset = :d")
    return connection.execute(statement, {"d": key}).scalar() or 0


def versions(connection: Connection, key: str, row: int | None = None) -> list[Version]:
    """See ``LabelStore.versions``."""
    touched = (
        ""
        if row is None
        else " AND number IN (SELECT number FROM changes WHERE dataset = :d AND image = :row)"
    )
    found = connection.execute(
        text(
            "SELECT number, kind, author, at, note, undoes FROM versions "
            f"WHERE dataset = :d{touched} ORDER BY number"
        ),
        {"d": key, "row": row},
    )
    return [Version(*values) for values in found]


def changes(
    connection: Connection,
    key: str,
    *,
    row: int | None = None,
    after: int = 0,
    until: int | None = None,
) -> list[Change]:
    """See ``LabelStore.changes``."""
    limits = " AND number > :after" + (" AND number <= :until" if until is not None else "")
    of_row = " AND image = :row" if row is not None else ""
    found = connection.execute(
        text(
            f"SELECT number, image, keypoint, {', '.join(_COLUMNS)} FROM changes "
            f"WHERE dataset = :d{of_row}{limits} ORDER BY number, image, keypoint"
        ),
        {"d": key, "row": row, "after": after, "until": until},
    )
    parts = len(_PARTS)
    return [
        Change(number, image, keypoint, _label(*rest[:parts]), _label(*rest[parts:]))
        for number, image, keypoint, *rest in found
    ]


def outcomes(
    connection: Connection, key: str, until: int, without: Origin | None
) -> Sequence[Outcome]:
    """See ``LabelStore.outcomes``."""
    left_out = " AND new_origin <> :without" if without is not None else ""
    found = connection.execute(
        text(
            "SELECT image, keypoint, new_state, new_x, new_y, new_origin FROM changes "
            f"WHERE dataset = :d AND number <= :until{left_out} ORDER BY number"
        ),
        {"d": key, "until": until, "without": without},
    )
    return found.all()


def edited_rows(connection: Connection, key: str, author: str, limit: int) -> list[int]:
    """Rows that ``author`` has changed, the latest first."""
    found = connection.execute(
        text(
            "SELECT image, MAX(changes.number) AS latest FROM changes "
            "JOIN versions ON versions.dataset = changes.dataset "
            "AND versions.number = changes.number "
            "WHERE changes.dataset = :d AND author = :author "
            "GROUP BY image ORDER BY latest DESC, image LIMIT :limit"
        ),
        {"d": key, "author": author, "limit": limit},
    )
    return [int(row) for row, _ in found]


def add(connection: Connection, key: str, version: Version, token: str | None) -> None:
    """Add ``version``; see ``LabelStore.save`` for its ``token``."""
    connection.execute(
        text(
            "INSERT INTO versions (dataset, number, kind, author, at, note, undoes, token) "
            "VALUES (:dataset, :number, :kind, :author, :at, :note, :undoes, :token)"
        ),
        {**vars(version), "dataset": key, "token": token},
    )


def add_changes(connection: Connection, key: str, made: Iterable[Change]) -> None:
    """Add what a version changed."""
    connection.execute(text(_INSERT), [_row(key, change) for change in made])


def by_token(connection: Connection, token: str) -> Version | None:
    """The version that was saved under ``token``."""
    statement = text(
        "SELECT number, kind, author, at, note, undoes FROM versions WHERE token = :token"
    )
    found = connection.execute(statement, {"token": token}).first()
    return Version(*found) if found else None


def next_number(connection: Connection, key: str, name: str) -> int:
    """The next version's number; until this transaction ends, others wait for theirs."""
    connection.execute(
        text("INSERT INTO datasets VALUES (:d, :name, 0) ON CONFLICT (dataset) DO NOTHING"),
        {"d": key, "name": name},
    )
    statement = text("UPDATE datasets SET head = head + 1 WHERE dataset = :d RETURNING head")
    return int(connection.execute(statement, {"d": key}).scalar_one())


def give_back_number(connection: Connection, key: str) -> None:
    """Within the same transaction: the number that was taken is not needed."""
    connection.execute(text("UPDATE datasets SET head = head - 1 WHERE dataset = :d"), {"d": key})
