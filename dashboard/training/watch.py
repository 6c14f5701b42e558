"""One run in full, live while it trains, others laid over its curves."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from dashboard import loaders
from dashboard.guard import failed, guard
from dashboard.training import actions, compare, progress, samples, settings_table, view
from dashboard.training.listing import Listed
from dashboard.training.states import badge
from dashboard.words import compact, plain
from fkd.errors import UserError
from fkd.training.runs import open_run, run_names

REFRESH_S = 1.5


def watch(names: list[str]) -> None:
    """Show the run called ``names[0]`` with the others over it; say which cannot be shown."""
    found = _open(names)
    if not found:
        _back()
        return
    main, *others = found
    _header(main, others)
    # The buttons stand outside of what refreshes itself: a dialog would not outlive it.
    active = any(one.status.active for one in found)
    drawn = [(one.name, one.status.state) for one in found]
    st.fragment(_live, run_every=REFRESH_S if active else None)(names, drawn)
    settings_table.expander(main)


def _open(names: list[str]) -> list[Listed]:
    found = []
    for name in names:
        try:
            run = open_run(name)
        except UserError as error:
            st.warning(plain(str(error)), icon=":material/search_off:")
            continue
        try:
            found.append(Listed.of(run))
        except UserError as error:
            actions.broken(run, str(error))
    return found


def _back() -> None:
    st.button(
        "All runs",
        icon=":material/list:",
        shortcut="Esc",
        help="Back to the form and the list of runs",
        on_click=view.show,
    )


def _header(main: Listed, others: list[Listed]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _back()
        st.markdown(f"### {plain(main.name)} {badge(main.status.state)}", width="stretch")
        actions.buttons(main)
    about_it, comparing = st.columns([2.2, 1], vertical_alignment="center")
    config = main.config
    split = config.split
    kept = ", groups kept together" if config.grouped else ""
    about_it.caption(
        f"{config.model} on {plain(config.dataset)}: {compact(len(split.training))} training and "
        f"{compact(len(split.validation))} validation images{kept}; labels "
        f"{config.labels_in_words}; "
        f"created {datetime.fromtimestamp(main.run.created):%d %b, %H:%M}"
    )
    if note := main.run.note:
        about_it.caption(f":material/sticky_note_2: {plain(note)}")
    chosen = [one.name for one in others]
    st.session_state["compared"] = chosen
    comparing.multiselect(
        "Compare with",
        [*chosen, *(name for name in run_names() if name not in {main.name, *chosen})],
        max_selections=view.MAX_SHOWN - 1,
        placeholder="Compare with ...",
        label_visibility="collapsed",
        key="compared",
        on_change=lambda: view.show(main.name, *st.session_state["compared"]),
    )


def _live(asked: list[str], drawn: list[tuple[str, str]]) -> None:
    with guard("runs"):
        found = _still_there(drawn)
        # What stands around depends on the states, and so does whether this refreshes at all.
        now = [(one.name, one.status.state) for one in found]
        if failed() or now != drawn or view.shown() != asked:
            st.rerun()
        main = found[0]
        for one in found:
            if trouble := loaders.history_trouble(one.run):
                st.warning(plain(trouble), icon=":material/broken_image:")
        progress.show(main)
        if len(found) > 1:
            compare.shown_runs(found)
        progress.charts(found)
        if len(found) > 1:
            compare.table(found)
        samples.faces(found)
        _log(main)


def _still_there(drawn: list[tuple[str, str]]) -> list[Listed]:
    try:
        return [Listed.of(open_run(name)) for name, _ in drawn]
    except UserError:
        st.rerun()  # the page says what is wrong


def _log(main: Listed) -> None:
    with st.expander("Log", icon=":material/terminal:"):
        st.code(main.run.read_log() or "The log is empty so far.", language=None, height=260)
