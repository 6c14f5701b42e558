"""The registered datasets with their headline numbers; open, or remove."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from dashboard import loaders, routes, state
from dashboard.datasets import beside
from dashboard.words import compact, count_share, plain
from fkd.errors import UserError
from fkd.formats.safe_csv import file_table
from fkd.registry import dataset_names, datasets_folder, remove

_ORIGINS = {
    "demo": ":blue-badge[drawn faces]",
    "kaggle": ":green-badge[Kaggle files]",
    "import": ":orange-badge[imported labels]",
}


def cards() -> None:
    """One card per dataset."""
    names = dataset_names()
    st.markdown("## Datasets")
    beside.tell("remove")
    if not names:
        st.info(
            "No datasets yet. Draw the demo faces to look around, or add Kaggle's files below.",
            icon=":material/waving_hand:",
        )
        return
    for name in names:
        with st.container(border=True):
            try:
                about = loaders.ingested(name).manifest
            except UserError as error:
                damaged(name, error)
                continue
            _card(name, about)


def damaged(name: str, error: UserError) -> None:
    """Dataset ``name`` that cannot be opened: why, and the way to be rid of it."""
    st.error(plain(str(error)), icon=":material/broken_image:")
    beside.tell("remove")
    _remove_button(name, None)


def _card(name: str, about: dict[str, Any]) -> None:
    current = name == state.current_name()
    with st.container(horizontal=True, vertical_alignment="center"):
        mark = " :gray-badge[open]" if current else ""
        st.markdown(
            f"#### {name} {_ORIGINS.get(about.get('origin', ''), '')}{mark}", width="stretch"
        )
        if not current:
            st.button("Open", key=f"open-{name}", on_click=partial(state.open_next, name))
        if st.button(
            "Browse",
            key=f"browse-{name}",
            icon=":material/grid_view:",
            type="primary" if current else "secondary",
        ):
            state.open_next(name)
            st.switch_page(routes.BROWSE)
        _remove_button(name, about)
    rows = about["rows"]
    labels, coordinates = sum(about["present"].values()), rows * len(about["present"])
    cells = st.columns(5)
    cells[0].metric("Labelled images", compact(rows))
    cells[1].metric("Complete", count_share(about["complete_rows"], rows), help="With every point")
    cells[2].metric("Labelled points", count_share(labels, coordinates), help="Of all points")
    cells[3].metric("Test images", compact(about["test_rows"]))
    cells[4].metric(
        "Submission values",
        compact(about["lookup_rows"]),
        help="Coordinates that the lookup table asks a submission for",
    )
    if about.get("origin") == "demo":
        st.caption(
            "These faces are drawn, their points exact. For Kaggle's real ones, download the "
            "competition's files and add them below."
        )
    if about.get("rejected_rows"):
        _rejected(name, about["rejected_rows"])
    for warning in about.get("warnings", []):
        st.warning(plain(warning), icon=":material/warning:")
    _notes(about.get("notes", []))


def _notes(notes: list[str]) -> None:
    """How the files were read: one note as it is, several folded away."""
    if len(notes) == 1:
        st.caption(plain(notes[0]))
    elif notes:
        with st.expander(f"{len(notes)} notes on how the files were read", icon=":material/info:"):
            for note in notes:
                st.caption(plain(note))


def _rejected(name: str, count: int) -> None:
    path = datasets_folder() / name / "rejected.csv"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{compact(count)} bad rows were left out.")
        if path.is_file():
            st.download_button(
                "Rows and reasons (CSV)",
                partial(file_table, path),
                file_name=f"{name}-rejected.csv",
                mime="text/csv",
                type="tertiary",
                icon=":material/download:",
                on_click="ignore",
                key=f"rejected-{name}",
            )


def _remove_button(name: str, about: dict[str, Any] | None) -> None:
    if st.button("Remove", key=f"remove-{name}", icon=":material/delete:"):
        _confirm(name, about)


@st.dialog("Remove this dataset?")
def _confirm(name: str, about: dict[str, Any] | None) -> None:
    what = f"**{name}** with its {compact(about['rows'])} images" if about else f"**{name}**"
    st.markdown(
        f"{what} will be deleted from the workbench. "
        "The files it was made from stay where they are."
    )
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Cancel"):
            st.rerun()
        if st.button(
            "Remove",
            type="primary",
            icon=":material/delete:",
            on_click=beside.doing("remove", f"removing {name}", lambda: remove(name)),
        ):
            st.rerun()
