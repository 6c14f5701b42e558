"""Brightness, contrast and sharpness of the images, and the extremes as pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from dashboard import loaders, plots, routes
from dashboard.chart import chart
from dashboard.current import Current
from dashboard.links import linked_choice
from dashboard.stats.pictures import pictures
from dashboard.widgets import show_table
from dashboard.words import compact
from fkd.selection import QUANTITIES, Part, Range, Selection

_MEANING = {
    "brightness": ("mean grey level, 0 to 255", "Darkest", "Brightest"),
    "contrast": ("standard deviation of the grey levels", "Lowest contrast", "Highest contrast"),
    "sharpness": (
        "logarithm of the variance of edges relative to that of grey levels: low is blurred, high "
        "is sharp or noisy",
        "Most blurred",
        "Sharpest or noisiest",
    ),
}
_SHOWN = 7


def section(current: Current) -> None:
    part: Part = "training"
    if len(current.dataset.test_images):
        parts = {"training": "Training images", "test": "Test images"}
        part = linked_choice(
            st.segmented_control, "Images", parts, "of", label_visibility="collapsed"
        )  # type: ignore[assignment]
    for quantity, (meaning, lowest, highest) in _MEANING.items():
        values = _values(current, quantity, part)
        st.markdown(f"#### {QUANTITIES[quantity].label.capitalize()}")
        st.caption(f"{meaning[0].upper()}{meaning[1:]}. Choose a bar to see its images.")
        figure, faces = st.columns([1, 1.8], gap="medium")
        with figure:
            alt = f"{'Training' if part == 'training' else 'Test'} images by {quantity}"
            if at := chart(plots.histogram(values, quantity), f"{quantity}-{part}", alt):
                low, high = at["customdata"]
                selection = Selection(part=part, ranges=(Range(quantity, low, high),))
                routes.browse(selection)
        with faces:
            for word, descending in ((lowest, False), (highest, True)):
                st.caption(word)
                selection = Selection(part=part, sort=quantity, descending=descending)
                found = loaders.positions(current.dataset, current.measures, selection)
                key = f"{quantity}-{part}-{descending}"
                pictures(current, found[:_SHOWN], selection, key, columns=_SHOWN)
    table = _table(current, part)
    st.markdown(f"#### All {compact(len(table))} {part} images")
    show_table(
        table,
        f"{current.dataset.name}-{part}-quality",
        height=320,
        column_config={
            "brightness": st.column_config.NumberColumn(format="%.0f"),
            "contrast": st.column_config.NumberColumn(format="%.1f"),
            "sharpness": st.column_config.NumberColumn(format="%.2f"),
        },
        alt=f"Brightness, contrast and sharpness of all {part} images",
    )


def _values(current: Current, quantity: str, part: Part) -> np.ndarray[Any, Any]:
    read = QUANTITIES[quantity].of(part)
    assert read is not None
    return np.asarray(read(current.measures))


def _table(current: Current, part: Part) -> pd.DataFrame:
    dataset = current.dataset
    ids = {"row": dataset.rows} if part == "training" else {"image id": dataset.test_image_ids}
    return pd.DataFrame({**ids, **{q: _values(current, q, part) for q in _MEANING}})
