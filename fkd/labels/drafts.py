"""Edits that are not saved yet, kept so that closing the browser or moving on loses nothing."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import text

from fkd.labels.database import transaction
from fkd.labels.sheet import Sheet
from fkd.labels.store import LabelStore


def keep_draft(store: LabelStore, author: str, sheet: Sheet) -> None:
    """Keep what ``sheet`` has not saved yet as ``author``'s draft; without edits, forget it."""
    if not sheet.changed():
        forget_draft(store, author, sheet.row)
        return
    with transaction(store.url, write=True) as connection:
        connection.execute(
            text(
                "INSERT INTO drafts (dataset, image, author, base, edits, at) "
                "VALUES (:dataset, :image, :author, :base, :edits, :at) "
                "ON CONFLICT (dataset, image, author) DO UPDATE SET "
                "base = excluded.base, edits = excluded.edits, at = excluded.at"
            ),
            {
                **_key(store, author, sheet.row),
                "base": sheet.base,
                "edits": sheet.to_json(),
                "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            },
        )


def with_draft(store: LabelStore, author: str, sheet: Sheet) -> Sheet:
    """``sheet`` with what ``author`` had edited on its image before, as far as that was not saved.
    It keeps the version that the draft began with, so that a save sees what changed since.

    Raises:
        UserError: if the draft cannot be read.
    """
    with transaction(store.url) as connection:
        found = connection.execute(
            text(
                "SELECT base, edits FROM drafts "
                "WHERE dataset = :dataset AND image = :image AND author = :author"
            ),
            _key(store, author, sheet.row),
        ).first()
    if found is None:
        return sheet
    base, edits = found
    drafted = sheet.with_json(edits)
    return Sheet(
        sheet.schema, sheet.row, base, sheet.saved, drafted.labels, drafted.past, drafted.future
    )


def forget_draft(store: LabelStore, author: str, row: int) -> None:
    """Forget ``author``'s draft of ``row``, if there is one."""
    with transaction(store.url, write=True) as connection:
        connection.execute(
            text(
                "DELETE FROM drafts "
                "WHERE dataset = :dataset AND image = :image AND author = :author"
            ),
            _key(store, author, row),
        )


def drafted_rows(store: LabelStore, author: str) -> list[int]:
    """Rows that ``author`` has unsaved edits on, the latest first."""
    with transaction(store.url) as connection:
        found = connection.execute(
            text(
                "SELECT image FROM drafts WHERE dataset = :dataset AND author = :author "
                "ORDER BY at DESC, image"
            ),
            {"dataset": store.key, "author": author},
        )
        return [int(row) for (row,) in found]


def _key(store: LabelStore, author: str, row: int) -> dict[str, str | int]:
    return {"dataset": store.key, "image": row, "author": author}
