"""Saving labels: every save is a new version, made of changes that are only ever added."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection
from sqlalchemy.engine import URL

from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.labels import queries
from fkd.labels.database import transaction
from fkd.labels.point import Edit, PointLabel, check_place
from fkd.labels.queries import SAVE, Change, Outcome, Version
from fkd.labels.states import Origin, State

LONGEST_NAME = 80
_LONGEST_NOTE = 500

_FEW = 50
"""Images that are asked for one by one; where there are more, all are read."""


class Conflict(UserError):
    """Somebody else has changed an image since it was looked at; nothing was saved.

    Attributes:
        changes: what was changed meanwhile, in order.
        authors: who did.
    """

    def __init__(self, changes: Sequence[Change], authors: Sequence[str]) -> None:
        self.changes, self.authors = tuple(changes), tuple(authors)
        rows = ", ".join(str(row) for row in dict.fromkeys(c.row for c in changes))
        names = ", ".join(dict.fromkeys(c.keypoint.replace("_", " ") for c in changes))
        super().__init__(
            f"{' and '.join(authors)} changed row {rows} meanwhile ({names}). Nothing was saved: "
            "keep yours or take theirs."
        )


def key_of(dataset: Dataset) -> str:
    """Under what the labels of ``dataset`` are kept: other images under the same name do not get
    labels that are not theirs. A dataset that grows keeps the identity it began with."""
    return f"{dataset.name}/{dataset.manifest.get('identity', dataset.content_hash)[:16]}"


def check_author(author: str) -> str:
    """``author`` without spaces around it; ``UserError`` if that cannot be a name."""
    name = author.strip()
    if not name:
        raise UserError("Say who you are: every change is kept with the name of its author.")
    if len(name) > LONGEST_NAME or any(unicodedata.category(c).startswith("C") for c in name):
        raise UserError(
            f"A name has at most {LONGEST_NAME} characters, none of them control characters."
        )
    return name


def readable(text: str) -> str:
    """``text`` with spaces for control characters and halves of characters, which names of files
    may have and databases refuse."""
    return "".join(" " if unicodedata.category(c) in {"Cc", "Cs"} else c for c in text)


class LabelStore:
    """The labels of one dataset, in the database at ``url`` (by default, see ``database_url``).

    Methods raise ``StoreError`` when the database cannot be read or written.
    """

    def __init__(self, dataset: Dataset, url: URL | None = None) -> None:
        self.dataset, self.url, self.key = dataset, url, key_of(dataset)

    def head(self) -> int:
        """Number of the latest version; 0 if nothing was ever changed."""
        with transaction(self.url) as connection:
            return queries.head(connection, self.key)

    def save(
        self,
        edits: Iterable[Edit],
        author: str,
        *,
        base: int | Mapping[int, int] | None = None,
        note: str = "",
        token: str | None = None,
        kind: str = SAVE,
    ) -> Version | None:
        """Make a new version in which ``edits`` hold. On disk when this returns.

        Args:
            base: the version that the author looked at, for all images or by row. Without it
                nothing is checked: whatever others did meanwhile is overwritten, in a version of
                its own.
            note: why.
            token: a name for this very save; where a save of that name was made already, its
                version is returned and nothing is saved again.
            kind: ``SAVE`` or ``IMPORT``.

        Returns:
            The version; None if the edits change nothing.

        Raises:
            Conflict: if an image in ``edits`` has changed since ``base``.
            UserError: if a row, a keypoint, a position or the author does not exist or make sense.
        """
        wanted = list(edits)
        self._check(wanted)
        with transaction(self.url, write=True) as connection:
            if token and (made := queries.by_token(connection, token)):
                return made
            if base is not None:
                self._check_base(connection, wanted, base)
            return self.add_version(connection, wanted, kind, author, note=note, token=token)

    def add_version(
        self,
        connection: Connection,
        edits: Sequence[Edit],
        kind: str,
        author: str,
        *,
        note: str = "",
        undoes: int | None = None,
        token: str | None = None,
    ) -> Version | None:
        """Within a transaction that writes: the version in which ``edits`` hold, None if they
        change nothing. Whoever makes versions comes through here."""
        author = check_author(author)
        number = queries.next_number(connection, self.key, self.dataset.name)
        now = self._now_of(connection, {edit.row for edit in edits})
        names = self.dataset.schema.names
        changes: dict[tuple[int, str], Change] = {}
        for edit in edits:
            place = (edit.row, names[edit.keypoint])
            old = now.get(place) or self._original(*place)
            if old != edit.label:
                changes[place] = Change(number, *place, old, edit.label)
            else:
                changes.pop(place, None)
        if not changes:
            queries.give_back_number(connection, self.key)
            return None
        now_at = datetime.now(UTC).isoformat(timespec="milliseconds")
        why = readable(note).strip()[:_LONGEST_NOTE]
        version = Version(number, kind, author, now_at, why, undoes)
        queries.add(connection, self.key, version, token)
        queries.add_changes(connection, self.key, changes.values())
        return version

    def label(self, row: int, keypoint: int) -> PointLabel:
        """The label of one keypoint now."""
        place = (row, self.dataset.schema.names[keypoint])
        with transaction(self.url) as connection:
            return self._now_of(connection, {row}).get(place) or self._original(*place)

    def labels_of(self, row: int) -> tuple[int, list[PointLabel]]:
        """Number of the latest version, and in it the label of each keypoint of ``row``."""
        with transaction(self.url) as connection:
            number = queries.head(connection, self.key)
            now = self._now_of(connection, {row})
        names = self.dataset.schema.names
        return number, [now.get((row, name)) or self._original(row, name) for name in names]

    def versions(self, row: int | None = None) -> list[Version]:
        """All versions, or those that changed ``row``, the oldest first."""
        with transaction(self.url) as connection:
            return queries.versions(connection, self.key, row)

    def edited_rows(self, author: str, limit: int = 100) -> list[int]:
        """Rows that ``author`` has changed, the latest first."""
        with transaction(self.url) as connection:
            return queries.edited_rows(connection, self.key, author, limit)

    def changes(
        self, *, row: int | None = None, after: int = 0, until: int | None = None
    ) -> list[Change]:
        """Changes of the versions ``after < number <= until``, of all images or of ``row``, in
        order."""
        with transaction(self.url) as connection:
            return queries.changes(connection, self.key, row=row, after=after, until=until)

    def outcomes(self, until: int, *, without: Origin | None = None) -> Sequence[Outcome]:
        """What the versions up to ``until`` made of points, in order; changes that brought labels
        of the origin ``without`` are left out. Of many, it takes a tenth of the time of
        ``changes``."""
        with transaction(self.url) as connection:
            return queries.outcomes(connection, self.key, until, without)

    def _check(self, edits: Sequence[Edit]) -> None:
        schema = self.dataset.schema
        for edit in edits:
            if self.dataset.position(edit.row) is None:
                raise UserError(f"Dataset '{self.dataset.name}' has no row {edit.row}.")
            if not 0 <= edit.keypoint < len(schema):
                raise UserError(f"Dataset '{self.dataset.name}' has no keypoint {edit.keypoint}.")
            what = f"Row {edit.row}, {schema.keypoints[edit.keypoint].label}"
            check_place(edit.label, schema, what)
            if edit.label.source != readable(edit.label.source):
                raise UserError(f"{what}: its source has characters that no text has.")

    def _check_base(
        self, connection: Connection, edits: Sequence[Edit], base: int | Mapping[int, int]
    ) -> None:
        found: list[Change] = []
        authors: dict[int, str] = {}
        for row in dict.fromkeys(edit.row for edit in edits):
            seen = base if isinstance(base, int) else base.get(row, 0)
            if changed := queries.changes(connection, self.key, row=row, after=seen):
                found += changed
                versions = queries.versions(connection, self.key, row)
                authors |= {v.number: v.author for v in versions if v.number > seen}
        if found:
            found.sort(key=lambda change: change.number)
            raise Conflict(found, list(dict.fromkeys(authors[n] for n in sorted(authors))))

    def _original(self, row: int, keypoint: str) -> PointLabel:
        """The label as it was ingested."""
        at = self.dataset.position(row)
        if at is None:
            raise UserError(f"Dataset '{self.dataset.name}' has no row {row}.")
        x, y = self.dataset.keypoints[at, self.dataset.schema.index(keypoint)].tolist()
        return PointLabel(State.VISIBLE, x, y) if math.isfinite(x + y) else PointLabel()

    def _now_of(self, connection: Connection, rows: set[int]) -> dict[tuple[int, str], PointLabel]:
        """The labels that were ever changed of ``rows``, as they are now."""
        few: set[int] | set[None] = rows if len(rows) <= _FEW else {None}
        found = [c for row in few for c in queries.changes(connection, self.key, row=row)]
        return {(change.row, change.keypoint): change.new for change in found}
