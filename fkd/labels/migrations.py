"""How the tables of labels came to be as they are: one step after the other, each in a transaction
together with its own record."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import Connection, text

from fkd.errors import UserError


def _labels(connection: Connection) -> None:
    """Datasets, versions of their labels and the changes that each version made.

    ``image`` is the row of the source file; positions are in px. Nothing here is ever changed or
    deleted, apart from ``datasets.head``, the number of the latest version.
    """
    for statement in (
        """CREATE TABLE datasets (
            dataset TEXT PRIMARY KEY,
            name TEXT NOT NULL,
            head INTEGER NOT NULL
        )""",
        """CREATE TABLE versions (
            dataset TEXT NOT NULL REFERENCES datasets (dataset),
            number INTEGER NOT NULL,
            kind TEXT NOT NULL,
            author TEXT NOT NULL,
            at TEXT NOT NULL,
            note TEXT NOT NULL,
            undoes INTEGER,
            token TEXT UNIQUE,
            PRIMARY KEY (dataset, number)
        )""",
        """CREATE TABLE changes (
            dataset TEXT NOT NULL,
            number INTEGER NOT NULL,
            image BIGINT NOT NULL,
            keypoint TEXT NOT NULL,
            old_state INTEGER NOT NULL,
            old_x DOUBLE PRECISION,
            old_y DOUBLE PRECISION,
            old_origin INTEGER NOT NULL,
            old_source TEXT NOT NULL,
            new_state INTEGER NOT NULL,
            new_x DOUBLE PRECISION,
            new_y DOUBLE PRECISION,
            new_origin INTEGER NOT NULL,
            new_source TEXT NOT NULL,
            PRIMARY KEY (dataset, number, image, keypoint),
            FOREIGN KEY (dataset, number) REFERENCES versions (dataset, number)
        )""",
        "CREATE INDEX changes_of_image ON changes (dataset, image, keypoint, number)",
    ):
        connection.execute(text(statement))


def _drafts(connection: Connection) -> None:
    """Edits that are not saved yet, one per image and author."""
    connection.execute(
        text("""CREATE TABLE drafts (
            dataset TEXT NOT NULL,
            image BIGINT NOT NULL,
            author TEXT NOT NULL,
            base INTEGER NOT NULL,
            edits TEXT NOT NULL,
            at TEXT NOT NULL,
            PRIMARY KEY (dataset, image, author)
        )""")
    )


def _reviews(connection: Connection) -> None:
    """What became of the images that were to be looked at, and whose they are."""
    connection.execute(
        text("""CREATE TABLE reviews (
            dataset TEXT NOT NULL,
            image BIGINT NOT NULL,
            state TEXT NOT NULL,
            assignee TEXT NOT NULL,
            author TEXT NOT NULL,
            at TEXT NOT NULL,
            PRIMARY KEY (dataset, image)
        )""")
    )


def _suggestions(connection: Connection) -> None:
    """Predictions that came along with an image, one set for each image."""
    connection.execute(
        text("""CREATE TABLE suggestions (
            dataset TEXT NOT NULL,
            image BIGINT NOT NULL,
            source TEXT NOT NULL,
            points TEXT NOT NULL,
            at TEXT NOT NULL,
            PRIMARY KEY (dataset, image)
        )""")
    )


def _image_in_order(connection: Connection) -> None:
    """An image's changes are found in order; SQLite went through those of all images instead."""
    for statement in (
        "DROP INDEX changes_of_image",
        "CREATE INDEX changes_of_image ON changes (dataset, image, number, keypoint)",
    ):
        connection.execute(text(statement))


def _tags(connection: Connection) -> None:
    """The tags of images as they are, and each step that led there; ``images`` of a step are spans
    of source rows. Views with a name."""
    for statement in (
        """CREATE TABLE image_tags (
            dataset TEXT NOT NULL,
            tag TEXT NOT NULL,
            image BIGINT NOT NULL,
            PRIMARY KEY (dataset, tag, image)
        )""",
        """CREATE TABLE tag_steps (
            dataset TEXT NOT NULL,
            number INTEGER NOT NULL,
            tag TEXT NOT NULL,
            given INTEGER NOT NULL,
            count INTEGER NOT NULL,
            images TEXT NOT NULL,
            author TEXT NOT NULL,
            at TEXT NOT NULL,
            undoes INTEGER,
            PRIMARY KEY (dataset, number)
        )""",
        """CREATE TABLE saved_views (
            dataset TEXT NOT NULL,
            name TEXT NOT NULL,
            query TEXT NOT NULL,
            author TEXT NOT NULL,
            at TEXT NOT NULL,
            PRIMARY KEY (dataset, name)
        )""",
    ):
        connection.execute(text(statement))


MIGRATIONS: tuple[Callable[[Connection], None], ...] = (
    _labels,
    _drafts,
    _reviews,
    _suggestions,
    _image_in_order,
    _tags,
)
"""In order; a step that was released is never changed, a further one is added at the end."""


def migrate(connection: Connection) -> None:
    """Take the steps that the database has not taken. The transactions of ``connection`` are a
    writer's: another process that does the same at the same time waits."""
    for number in range(len(MIGRATIONS)):
        with connection.begin():
            connection.execute(
                text(
                    "CREATE TABLE IF NOT EXISTS migrations "
                    "(number INTEGER PRIMARY KEY, name TEXT NOT NULL, at TEXT NOT NULL)"
                )
            )
            if number < (_count(connection) or 0):
                continue  # another process was faster
            MIGRATIONS[number](connection)
            connection.execute(
                text("INSERT INTO migrations VALUES (:number, :name, :at)"),
                {
                    "number": number + 1,
                    "name": MIGRATIONS[number].__name__.strip("_"),
                    "at": datetime.now(UTC).isoformat(timespec="seconds"),
                },
            )


def _count(connection: Connection) -> int | None:
    return connection.execute(text("SELECT MAX(number) FROM migrations")).scalar()


def outdated(connection: Connection) -> bool:
    """Whether there are steps that the database has not taken.

    Raises:
        UserError: if a later version of the program has been at work on it.
    """
    with connection.begin():
        there = connection.dialect.has_table(connection, "migrations")
        done = (_count(connection) or 0) if there else 0
    if done > len(MIGRATIONS):
        raise UserError(
            f"The label database was written by a later version of fkd (step {done}, this one "
            f"knows {len(MIGRATIONS)}). Upgrade fkd."
        )
    return done < len(MIGRATIONS)
