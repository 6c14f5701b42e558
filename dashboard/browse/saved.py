"""Views of Browse that were given a name: opened from a list, saved, renamed, deleted."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from dashboard.browse import said, view
from dashboard.browse.view import View
from dashboard.correction import author
from dashboard.current import Current
from dashboard.words import plain
from fkd.labels.store import LabelStore
from fkd.labels.views import (
    LONGEST_NAME,
    SavedView,
    delete_view,
    rename_view,
    save_view,
    saved_views,
)

_RENAMING = "browse-renaming"


def saved_menu(shown: View, current: Current) -> None:
    """The menu of saved views."""
    store = LabelStore(current.dataset)
    views = saved_views(store)
    words = _words(shown)
    here = next((one.name for one in views if _fits(one, words)), None)
    with st.popover(plain(here) if here else "Saved views", icon=":material/bookmarks:"):
        if not views:
            st.caption("Filters, order and model can be saved as a view and opened again here.")
        for number, one in enumerate(views):
            if st.session_state.get(_RENAMING) == one.name:
                _rename_form(store, one)
            else:
                _line(store, shown, one, number, here == one.name, current)
        _save_form(store, words, here)


def _words(shown: View) -> dict[str, str]:
    """The words of a link that a saved view keeps: which page and which face are open, it does
    not."""
    return replace(shown, page=1, open=None).to_query()


def _fits(one: SavedView, words: dict[str, str]) -> bool:
    return dict(one.query) == words


def _line(
    store: LabelStore, shown: View, one: SavedView, number: int, here: bool, current: Current
) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            plain(one.name),
            key=f"b-view-{number}",
            icon=":material/check:" if here else ":material/bookmark:",
            type="tertiary",
            width="stretch",
            on_click=lambda: view.answer(shown, View.from_query(one.query, current.dataset.schema)),
        )
        st.button(
            "Rename",
            key=f"b-view-rename-{number}",
            type="tertiary",
            on_click=lambda: st.session_state.update({_RENAMING: one.name}),
        )
        st.button(
            "Delete",
            key=f"b-view-delete-{number}",
            type="tertiary",
            on_click=said.doing("deleting a view", lambda: _delete(store, one)),
        )


def _delete(store: LabelStore, one: SavedView) -> None:
    delete_view(store, one.name)
    said.say(
        f"View “{one.name}” deleted.", lambda: save_view(store, one.name, one.query, one.author)
    )


def _rename_form(store: LabelStore, one: SavedView) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        wanted = st.text_input(
            "New name", value=one.name, max_chars=LONGEST_NAME, key="b-view-new-name"
        )

        def rename() -> None:
            st.session_state.pop(_RENAMING, None)
            rename_view(store, one.name, str(st.session_state["b-view-new-name"]))

        st.button(
            "Rename",
            key="b-view-rename",
            type="primary",
            disabled=not wanted.strip(),
            on_click=said.doing("renaming a view", rename),
        )
        st.button(
            "Cancel", key="b-view-keep", on_click=lambda: st.session_state.pop(_RENAMING, None)
        )


def _save_form(store: LabelStore, words: dict[str, str], here: str | None) -> None:
    def save() -> None:
        name = str(st.session_state["b-view-name"])
        save_view(store, name, words, author.known())
        st.session_state["b-view-name"] = ""
        said.say(f"View “{name.strip()}” saved. Its link opens it again.")

    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.text_input(
            "Save this view as",
            max_chars=LONGEST_NAME,
            key="b-view-name",
            placeholder="name",
            help="The same name again replaces the view.",
        )
        st.button("Save", key="b-view-save", on_click=said.doing("saving a view", save))
