"""Settings of runs as tables."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard.guard import safely
from dashboard.training import form
from dashboard.training.listing import Listed
from dashboard.widgets import show_table


def in_words(value: object) -> str:
    """A setting as it reads in a table."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and len(value) > 40:
        return value[:12]  # a content hash: this much tells it from others
    return f"{value:g}" if isinstance(value, float) else str(value)


def name_in_words(setting: str) -> str:
    """``augmentation.shift`` as ``augmentation: shift``."""
    return setting.replace(".", ": ").replace("_", " ")


def expander(one: Listed) -> None:
    """Everything the run was told, folded away."""
    with st.expander("Settings", icon=":material/tune:"):
        values = {name_in_words(k): in_words(v) for k, v in one.config.flat().items()}
        values |= dict(one.config.packages)
        show_table(
            pd.DataFrame(values.items(), columns=["setting", "value"]),
            f"{one.name}-settings",
            height=420,
        )
        st.button(
            "New training with these settings",
            icon=":material/content_copy:",
            help="Fills the form; nothing starts yet.",
            on_click=safely(f"the settings of {one.name}", form.like, one.config),
        )
