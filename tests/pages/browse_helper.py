"""The grid of Browse, as AppTest sees it."""

from __future__ import annotations

import json

from fkd.registry import open_named


def grid(page) -> dict:
    """What the grid was given."""
    return json.loads(page.at.get("bidi_component")[0].proto.json)


def choose(page, rows: list[int]):
    """The page after the faces ``rows``, and no others of those in view, were chosen in the
    browser: AppTest cannot do what a component does."""
    faces = [face["id"] for face in grid(page)["faces"]]
    _, chosen = page.at.session_state["browse-chosen"]
    chosen.tell(faces, [str(row) for row in rows], 1, open_named("demo"))
    return page.run()
