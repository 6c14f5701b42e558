"""Views of a dataset that somebody has given a name: what is filtered, how it is sorted, whose
predictions are shown. Everybody who opens the dataset has them."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import text

from fkd.errors import UserError
from fkd.labels.database import transaction
from fkd.labels.store import LabelStore

LONGEST_NAME = 60
MAX_VIEWS = 200
_LONGEST_QUERY = 20_000


@dataclass(frozen=True)
class SavedView:
    """A view called ``name``: ``query`` are the words of its link; who saved it, and when."""

    name: str
    query: Mapping[str, str]
    author: str
    at: str


def check_view_name(name: str) -> str:
    """``name`` without spaces around it; ``UserError`` if that cannot be one."""
    word = name.strip()
    if not word:
        raise UserError("Give the view a name first.")
    if len(word) > LONGEST_NAME or any(unicodedata.category(c).startswith("C") for c in word):
        raise UserError(
            f"The name of a view has at most {LONGEST_NAME} characters, all of them printable."
        )
    return word


def saved_views(store: LabelStore) -> list[SavedView]:
    """All views, by name."""
    with transaction(store.url) as connection:
        found = connection.execute(
            text("SELECT name, query, author, at FROM saved_views WHERE dataset = :dataset"),
            {"dataset": store.key},
        )
        views = [SavedView(n, dict(parse_qsl(query)), who, at) for n, query, who, at in found]
    return sorted(views, key=lambda view: view.name.casefold())


def save_view(store: LabelStore, name: str, query: Mapping[str, str], author: str = "") -> None:
    """Keep the view whose link has the words ``query``; one of that name is replaced.

    Raises:
        UserError: if the name cannot be one, or there are too many views.
    """
    word, words = check_view_name(name), urlencode(query)
    if len(words) > _LONGEST_QUERY:
        raise UserError(
            "This view names too many single images to be kept; tag them, and filter by the tag."
        )
    values = {"dataset": store.key, "name": word}
    now = datetime.now(UTC).isoformat(timespec="seconds")
    with transaction(store.url, write=True) as connection:
        names = {
            name
            for (name,) in connection.execute(
                text("SELECT name FROM saved_views WHERE dataset = :dataset"), values
            )
        }
        if word not in names and len(names) >= MAX_VIEWS:
            raise UserError(f"There are {MAX_VIEWS} saved views already; delete one first.")
        connection.execute(
            text(
                "INSERT INTO saved_views (dataset, name, query, author, at) "
                "VALUES (:dataset, :name, :query, :author, :at) ON CONFLICT (dataset, name) "
                "DO UPDATE SET query = excluded.query, author = excluded.author, at = excluded.at"
            ),
            {**values, "query": words, "author": author, "at": now},
        )


def rename_view(store: LabelStore, name: str, wanted: str) -> None:
    """Call the view ``name`` ``wanted``.

    Raises:
        UserError: if there is no such view, ``wanted`` cannot be a name or is another view's.
    """
    word = check_view_name(wanted)
    if word == name:
        return
    values = {"dataset": store.key, "name": name, "wanted": word}
    with transaction(store.url, write=True) as connection:
        taken = connection.execute(
            text("SELECT 1 FROM saved_views WHERE dataset = :dataset AND name = :wanted"), values
        ).first()
        if taken:
            raise UserError(f"There is a view '{word}' already; choose another name.")
        done = connection.execute(
            text("UPDATE saved_views SET name = :wanted WHERE dataset = :dataset AND name = :name"),
            values,
        )
        if not done.rowcount:
            raise UserError(f"There is no view '{name}' any more.")


def delete_view(store: LabelStore, name: str) -> None:
    """Forget the view ``name``; nothing happens where there is none."""
    with transaction(store.url, write=True) as connection:
        connection.execute(
            text("DELETE FROM saved_views WHERE dataset = :dataset AND name = :name"),
            {"dataset": store.key, "name": name},
        )
