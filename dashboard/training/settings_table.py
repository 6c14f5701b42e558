"""Settings of runs as tables."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from dashboard.guard import safely
from dashboard.training import form
from dashboard.training.listing import Listed
from dashboard.widgets import show_table
from fkd.training.config import SETTINGS, RunConfig


def in_words(value: object) -> str:
    """A setting as it reads in a table."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and len(value) > 40:
        return value[:12]  # a content hash: this much tells it from others
    return f"{value:g}" if isinstance(value, float) else str(value)


_OF_LABELS = ("label_version", "accepted")


def all_in_words(config: RunConfig) -> dict[str, str]:
    """All settings by their names; those about labels as one."""
    flat = {name: value for name, value in config.flat().items() if name not in _OF_LABELS}
    values = {SETTINGS[name]: in_words(value) for name, value in flat.items()}
    return {**values, SETTINGS["labels"]: config.labels_in_words}


def differing(configs: Sequence[RunConfig]) -> list[str]:
    """Names, as ``all_in_words`` has them, of the settings that are not the same in all
    ``configs``."""
    names = dict.fromkeys(k for other in configs[1:] for k in configs[0].differences(other))
    found = [SETTINGS[name] for name in names if name not in _OF_LABELS]
    same = len({config.learns_from for config in configs}) == 1
    return found if same else [SETTINGS["labels"], *found]


def expander(one: Listed) -> None:
    """Everything the run was told, folded away."""
    with st.expander("Settings", icon=":material/tune:"):
        values = {**all_in_words(one.config), **one.config.packages}
        show_table(
            pd.DataFrame(values.items(), columns=["Setting", "Value"]),
            f"{one.name}-settings",
            height=420,
        )
        st.button(
            "New training with these settings",
            icon=":material/content_copy:",
            help="Fills the form; nothing starts yet.",
            on_click=safely(f"the settings of {one.name}", form.like, one.config),
        )
