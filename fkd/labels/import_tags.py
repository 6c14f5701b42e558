"""Tags that come along with labels: which of them are new, and giving them. None is taken away:
most tools know of no tags, and leave them out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from fkd.errors import UserError
from fkd.labels.store import LabelStore
from fkd.labels.tags import check_tag, give, read_tags
from fkd.words import counted, listed

_SHOWN = 5

NewTags = dict[str, NDArray[np.int64]]
"""Source rows by the tag that they get."""


def new_tags(said: Mapping[int, Iterable[str]], store: LabelStore) -> NewTags:
    """Of the tags that files ``said`` of source rows, those that the images do not have; what
    cannot be a tag here is left out."""
    wanted: dict[str, list[int]] = {}
    for row, words in said.items():
        for word in words:
            with suppress(UserError):
                wanted.setdefault(check_tag(word), []).append(row)
    if not wanted:
        return {}
    now = read_tags(store)
    rows = {tag: np.unique(np.array(wanted[tag], np.int64)) for tag in sorted(wanted)}
    new = {tag: at[~now.held(tag, at)] for tag, at in rows.items()}
    return {tag: at for tag, at in new.items() if len(at)}


def in_words(tags: NewTags) -> str:
    """``tags`` in a sentence."""
    images = len(np.unique(np.concatenate(list(tags.values()))))
    return f"{counted(images, 'image')} to be tagged: {listed(tags, _SHOWN)}."


def save_tags(tags: NewTags, store: LabelStore, author: str) -> int:
    """Give the tags; how many images got one."""
    given = [rows for tag, rows in tags.items() if give(store, rows.tolist(), tag, author)]
    return len(np.unique(np.concatenate(given))) if given else 0
