"""Small pieces that every page uses: errors in words, numbers, downloads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.words import plain
from fkd.errors import UserError
from fkd.log import log_unexpected

if TYPE_CHECKING:
    import pandas as pd


@contextmanager
def guard(where: str) -> Iterator[None]:
    """Show an error as one sentence. What nobody foresaw goes to the log, which is named."""
    try:
        yield
    except UserError as error:
        st.error(plain(str(error)), icon=":material/error:")
    except Exception as error:
        path = log_unexpected(where, error)
        st.error(
            f"Something unexpected went wrong ({type(error).__name__}). Nothing was changed by "
            f"it; reload the page to go on. Details are in {plain(str(path))}.",
            icon=":material/error:",
        )


def download_table(frame: pd.DataFrame, name: str, *, index: bool = False) -> None:
    """A button that downloads ``frame`` as ``name``.csv."""
    st.download_button(
        "CSV",
        lambda: frame.to_csv(index=index).encode(),
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
