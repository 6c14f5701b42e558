"""Going back in the history of labels: undo, redo, revert. Each is a new version; nothing goes."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from fkd.errors import UserError
from fkd.labels.database import transaction
from fkd.labels.point import Edit, PointLabel
from fkd.labels.queries import REDO, REVERT, UNDO, Change, Version, changes, head, versions
from fkd.labels.store import LabelStore


def undo(store: LabelStore, author: str, row: int | None = None) -> Version:
    """Take back the last version that is not undone: of the whole dataset, or what it did to
    ``row``.

    Raises:
        UserError: if there is none.
    """
    return _step(store, author, row, back=True)


def redo(store: LabelStore, author: str, row: int | None = None) -> Version:
    """Bring back what was undone last, unless something else was saved since.

    Raises:
        UserError: if there is nothing.
    """
    return _step(store, author, row, back=False)


def undoable(history: Iterable[Version]) -> tuple[int | None, int | None]:
    """Of the ``history`` of an image or a dataset, the oldest version first: the number that an
    undo would take back and the one that a redo would bring back.

    An undo counts as one only where it took back what was last. Of a dataset, undoing an image's
    part may take back an earlier version; that is a change like any other, or a later undo would
    bring back labels that nobody had before it.
    """
    done: list[int] = []
    undone: list[int] = []
    for version in history:
        if version.kind == UNDO and done[-1:] == [version.undoes]:
            undone.append(done.pop())
        elif version.kind == REDO and undone[-1:] == [version.undoes]:
            done.append(undone.pop())
        else:
            done.append(version.number)
            undone.clear()
    return (done[-1] if done else None), (undone[-1] if undone else None)


def _step(store: LabelStore, author: str, row: int | None, *, back: bool) -> Version:
    with transaction(store.url, write=True) as connection:
        history = versions(connection, store.key, row)
        if row is None:
            history = _whole(connection, store, history)
        number = undoable(history)[0 if back else 1]
        if number is None:
            where = f"row {row}" if row is not None else f"'{store.dataset.name}'"
            raise UserError(f"There is nothing to {'undo' if back else 'redo'} in {where}.")
        made = changes(connection, store.key, row=row, after=number - 1, until=number)
        edits = [_edit(store, c, c.old if back else c.new) for c in made]
        kind = UNDO if back else REDO
        version = store.add_version(connection, edits, kind, author, undoes=number)
        if version is None:
            raise UserError(f"The labels are those of version {number} already.")
        return version


def _whole(connection: Connection, store: LabelStore, history: list[Version]) -> list[Version]:
    """``history`` as the whole dataset's: where only a part of a version was undone, on one image,
    that is a change like any other."""
    rows: dict[int, set[int]] = {}
    for change in changes(connection, store.key):
        rows.setdefault(change.number, set()).add(change.row)
    return [
        Version(v.number, v.kind, v.author, v.at, v.note)
        if v.undoes is not None and rows.get(v.number) != rows.get(v.undoes)
        else v
        for v in history
    ]


def revert(
    store: LabelStore, number: int, author: str, *, row: int | None = None, note: str = ""
) -> Version | None:
    """Make the labels (of ``row``, or all) what they were at version ``number``.

    Returns:
        The new version; None if they are that already.

    Raises:
        UserError: if there is no such version.
    """
    with transaction(store.url, write=True) as connection:
        check_version(number, head(connection, store.key), store.dataset.name)
        # Of the changes since, the first tells what was there before.
        before: dict[tuple[int, str], Change] = {}
        for change in changes(connection, store.key, row=row, after=number):
            before.setdefault((change.row, change.keypoint), change)
        edits = [_edit(store, change, change.old) for change in before.values()]
        what = note or f"back to version {number}"
        return store.add_version(connection, edits, REVERT, author, note=what)


def check_version(number: int, latest: int, name: str) -> None:
    """``UserError`` unless ``number`` is a version of the labels."""
    if not 0 <= number <= latest:
        raise UserError(
            f"The labels of '{name}' have no version {number}; the latest is {latest}, and 0 are "
            "the original labels."
        )


def differences(store: LabelStore, first: int, second: int) -> list[Change]:
    """What keypoints were at version ``first`` and are at ``second``, where that differs; the
    changes bear the number of ``second``."""
    latest = store.head()
    for number in (first, second):
        check_version(number, latest, store.dataset.name)
    low, high = sorted((first, second))
    found: dict[tuple[int, str], tuple[PointLabel, PointLabel]] = {}
    for change in store.changes(after=low, until=high):
        place = (change.row, change.keypoint)
        found[place] = (found[place][0] if place in found else change.old, change.new)
    result = []
    for (row, keypoint), (old, new) in sorted(found.items()):
        if old != new:
            pair = (old, new) if first <= second else (new, old)
            result.append(Change(second, row, keypoint, *pair))
    return result


def _edit(store: LabelStore, change: Change, label: PointLabel) -> Edit:
    return Edit(change.row, store.dataset.schema.index(change.keypoint), label)
