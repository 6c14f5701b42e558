"""Predictions that were handed over with an image: its drafts, until somebody accepts them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text

from fkd.labels.database import transaction
from fkd.labels.store import LabelStore
from fkd.stored import list_of, number, parse_json, table_of


def suggest(store: LabelStore, points: Mapping[int, NDArray[np.floating]], source: str) -> None:
    """Keep ``points``, by row ``(K, 2)`` px, as what the model ``source`` says; what was handed
    over for the same rows before is replaced."""
    names = store.dataset.schema.names
    now = datetime.now(UTC).isoformat(timespec="seconds")
    values = [
        {
            "dataset": store.key,
            "image": row,
            "source": source,
            "points": json.dumps(
                {n: [float(x), float(y)] for n, (x, y) in zip(names, places, strict=True)
                 if np.isfinite([x, y]).all()}
            ),
            "at": now,
        }
        for row, places in points.items()
    ]  # fmt: skip
    if not values:
        return
    with transaction(store.url, write=True) as connection:
        connection.execute(
            text(
                "INSERT INTO suggestions (dataset, image, source, points, at) "
                "VALUES (:dataset, :image, :source, :points, :at) "
                "ON CONFLICT (dataset, image) DO UPDATE SET "
                "source = excluded.source, points = excluded.points, at = excluded.at"
            ),
            values,
        )


_PLACES = table_of(list_of(number(), 2, shortest=2))


def suggested(store: LabelStore, row: int) -> tuple[NDArray[np.float32], str] | None:
    """``(K, 2)`` px, NaN where there is none, and which model said so; None if nothing was handed
    over for ``row``."""
    with transaction(store.url) as connection:
        found = connection.execute(
            text("SELECT points, source FROM suggestions WHERE dataset = :d AND image = :row"),
            {"d": store.key, "row": row},
        ).first()
    if found is None:
        return None
    try:
        places = parse_json(found[0], _PLACES)
    except ValueError:  # a draft that cannot be read is none
        return None
    nothing = (np.nan, np.nan)
    points = [places.get(name, nothing) for name in store.dataset.schema.names]
    return np.array(points, np.float32), str(found[1])
