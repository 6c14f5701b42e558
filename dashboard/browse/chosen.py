"""Faces chosen in the grid of Browse, and what can be done with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboard import loaders, routes
from dashboard.browse import said
from dashboard.browse.view import View
from dashboard.correction import author
from dashboard.correction.exchange import export_form
from dashboard.current import Current
from dashboard.face_grid import Choosing
from dashboard.words import compact, plain
from fkd.dataset import Dataset
from fkd.labels import tags as kept
from fkd.labels.store import LabelStore, check_author
from fkd.labels.tags import EXCLUDED, LONGEST_TAG, Step
from fkd.selection import Selection
from fkd.spans import spans

_KEY, _NAME = "browse-chosen", "browse-author"
_LONGEST_LINK = 8_000
"""Characters of a link that names images one by one."""


@dataclass
class Chosen:
    """Source rows, ascending, of the faces that this user has chosen; ``told``: when the browser
    said so last."""

    rows: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    told: int = 0

    def tell(self, faces: Sequence[str], those: Sequence[str], told: int, dataset: Dataset) -> None:
        """That, of the ``faces`` shown, ``those`` are chosen now, says the browser at ``told``;
        without any faces, that nothing is."""
        self.told = told
        if not faces:
            self.rows = np.empty(0, np.int64)
            return
        shown, taken = (np.array([int(row) for row in ids], np.int64) for ids in (faces, those))
        rows = np.union1d(np.setdiff1d(self.rows, shown), taken)
        self.rows = rows[np.isin(rows, dataset.rows)]


def chosen(dataset: Dataset) -> Chosen:
    """What is chosen of ``dataset``; it lasts from page to page, until another one is opened."""
    of, found = st.session_state.get(_KEY, (None, None))
    if of != dataset.content_hash or found is None:
        found = Chosen()
        st.session_state[_KEY] = (dataset.content_hash, found)
    return found


def choosing(dataset: Dataset, page: NDArray[np.int64]) -> Choosing:
    """What the grid needs to know where it shows the rows ``page``."""
    now = chosen(dataset)
    here = np.isin(page, now.rows)
    return Choosing(
        chosen=[str(row) for row in page[here].tolist()],
        elsewhere=bool(len(now.rows) > here.sum()),
        told=now.told,
        on_choose=lambda faces, those, told: now.tell(faces, those, told, dataset),
    )


def bar(shown: View, current: Current, found: NDArray[np.intp]) -> None:
    """Above the grid that shows ``found``: how many faces are chosen, and what to do with them."""
    dataset = current.dataset
    now = chosen(dataset)
    matching = dataset.rows[found]
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="b-chosen"):
        if not len(now.rows):
            st.caption(
                "Select faces to tag, correct, exclude or export them: click the box on a face, "
                "Ctrl-click or press X; Shift selects a range.",
                width="stretch",
            )
            _all_button(now, matching)
            return
        images = "image" if len(now.rows) == 1 else "images"
        st.markdown(f"**{compact(len(now.rows))} {images} selected**", width="content")
        _ask_who()
        with st.popover("Tag", icon=":material/sell:"):
            _tag_form(dataset, now.rows)
        with st.popover("Exclude", icon=":material/block:"):
            _exclude_form(dataset, now.rows)
        if st.button(
            "Correct",
            key="b-chosen-correct",
            icon=":material/edit_location_alt:",
            disabled=_too_many(shown, now.rows, matching),
            help="Too many single images for a link: tag them, then filter by the tag."
            if _too_many(shown, now.rows, matching)
            else "Correct the labels of these images",
        ):
            routes.correct_selected(_selection(shown, now.rows, matching), dataset.name)
        with st.popover("Export", icon=":material/download:"):
            export_form(loaders.ingested(dataset.name), "b-export", now.rows)
        _all_button(now, matching)
        st.button(
            "Clear selection",
            icon=":material/deselect:",
            type="tertiary",
            help="Esc, in the grid",
            on_click=lambda: _choose(now, np.empty(0, np.int64)),
        )


def _choose(now: Chosen, rows: NDArray[np.int64]) -> None:
    now.rows = np.sort(rows)
    now.told = 1 << 60  # later than anything that a browser has said


def _all_button(now: Chosen, matching: NDArray[np.int64]) -> None:
    if len(matching) and not np.isin(matching, now.rows).all():
        st.button(
            f"Select all {compact(len(matching))}",
            icon=":material/select_all:",
            type="tertiary",
            help="All images that the filters leave, on every page",
            on_click=lambda: _choose(now, np.union1d(now.rows, matching)),
        )


def _selection(shown: View, rows: NDArray[np.int64], matching: NDArray[np.int64]) -> Selection:
    """The images ``rows`` in the order of the grid: as its filters, where they leave just these."""
    if len(rows) == len(matching) and np.isin(rows, matching).all():
        return shown.selection
    plain_order = Selection(
        model=shown.selection.model,
        sort=shown.selection.sort,
        descending=shown.selection.descending,
    )
    return replace(plain_order, rows=spans(rows))


def _too_many(shown: View, rows: NDArray[np.int64], matching: NDArray[np.int64]) -> bool:
    return len(_selection(shown, rows, matching).rows) > _LONGEST_LINK


def _who() -> str:
    """Who tags: whoever corrects in this browser, or asked for here."""
    name = author.known() or str(st.session_state.get(_NAME, ""))
    return name.strip()


def _ask_who() -> None:
    if author.known():
        return
    st.session_state["b-author"] = st.session_state.get(_NAME, "")
    st.text_input(
        "Your name",
        max_chars=80,
        key="b-author",
        placeholder="Your name",
        label_visibility="collapsed",
        width=150,
        on_change=lambda: st.session_state.update({_NAME: st.session_state["b-author"]}),
    )


def _tag_form(dataset: Dataset, rows: NDArray[np.int64]) -> None:
    tags = [tag for tag in loaders.tags(dataset) if tag != EXCLUDED]
    word = st.selectbox(
        "Tag",
        tags,
        index=None,
        accept_new_options=True,
        placeholder="Choose a tag or type a new one",
        help=f"At most {LONGEST_TAG} characters.",
        key="b-tag",
    )
    with st.container(horizontal=True):
        _change_button("Add tag", dataset, rows, word, given=True, useful=bool(word))
        _change_button("Remove tag", dataset, rows, word, given=False, useful=word in tags)


def _exclude_form(dataset: Dataset, rows: NDArray[np.int64]) -> None:
    st.caption(
        "Models do not learn from excluded images and are not scored on them. Runs that were "
        "trained before stay as they are."
    )
    out = loaders.tags(dataset).held(EXCLUDED, rows)
    with st.container(horizontal=True):
        _change_button(
            "Exclude from training", dataset, rows, EXCLUDED, given=True, useful=not bool(out.all())
        )
        _change_button(
            "Include again", dataset, rows, EXCLUDED, given=False, useful=bool(out.any())
        )


def _change_button(
    label: str,
    dataset: Dataset,
    rows: NDArray[np.int64],
    tag: str | None,
    *,
    given: bool,
    useful: bool,
) -> None:
    st.button(
        label,
        type="primary" if given else "secondary",
        disabled=not useful,
        on_click=said.doing(
            "tagging", lambda: _change(dataset, rows, str(tag), _who(), given=given)
        ),
    )


def _change(dataset: Dataset, rows: NDArray[np.int64], tag: str, who: str, *, given: bool) -> None:
    store, name = LabelStore(dataset), check_author(who)
    step = (kept.give if given else kept.take)(store, rows.tolist(), tag, name)
    if step is None:
        said.say("All of them have the tag already." if given else "None of them has the tag.")
        return
    said.say(_in_words(step), lambda: _undo(store, step, name))


def _undo(store: LabelStore, step: Step, name: str) -> None:
    undone = kept.undo(store, step.number, name)
    said.say("Nothing was left to undo." if undone is None else f"Undone: {_in_words(step)}")


def _in_words(step: Step) -> str:
    images = "1 image" if step.count == 1 else f"{compact(step.count)} images"
    if step.tag == EXCLUDED:
        return f"{images} {'excluded from' if step.given else 'included again in'} training."
    return f"{images} {'tagged' if step.given else 'no longer tagged'} “{step.tag}”."


def tag_words(tags: Sequence[str]) -> list[str]:
    """Tags as they stand beside a face."""
    return ["excluded from training" if tag == EXCLUDED else tag for tag in tags]


def tags_of(dataset: Dataset, row: int) -> None:
    """Beside one face: its tags."""
    if words := tag_words(loaders.tags(dataset).of(row)):
        st.caption(":material/sell: " + plain(", ".join(words)))
