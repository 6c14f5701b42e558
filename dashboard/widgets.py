"""Small pieces that every page uses: tables and their downloads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from fkd.formats.safe_csv import frame_table

if TYPE_CHECKING:
    import pandas as pd


def download_table(frame: pd.DataFrame, name: str, *, index: bool = False) -> None:
    """A button that downloads ``frame`` as ``name``.csv; no cell of it is one that a spreadsheet
    would run."""
    st.download_button(
        "CSV",
        lambda: frame_table(frame, index=index),
        file_name=f"{name}.csv",
        mime="text/csv",
        icon=":material/download:",
        key=f"download-{name}",
        type="tertiary",
        on_click="ignore",
    )


def show_table(
    frame: pd.DataFrame, name: str, *, height: int | str = "auto", **options: object
) -> None:
    """``frame`` as a table, with its download underneath."""
    st.dataframe(frame, hide_index=True, width="stretch", height=height, placeholder="", **options)
    download_table(frame, name)
