"""Statistics: what is missing, odd or double in the dataset, every chart a way into Browse."""

from __future__ import annotations

import streamlit as st

from dashboard.current import require_current
from dashboard.links import linked_choice
from dashboard.stats import duplicates, missing, positions, quality, suspects

SECTIONS = {
    "missing": ("Missing points", missing.section),
    "positions": ("Positions", positions.section),
    "suspects": ("Odd labels", suspects.section),
    "duplicates": ("Duplicates", duplicates.section),
    "quality": ("Image quality", quality.section),
}

current = require_current()
missing.headline(current)
chosen = linked_choice(
    st.segmented_control,
    "Section",
    {key: title for key, (title, _) in SECTIONS.items()},
    "section",
    label_visibility="collapsed",
)
SECTIONS[chosen][1](current)
