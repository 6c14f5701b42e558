"""A table with a row for each keypoint, in the keypoint's colour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.widgets import download_table
from fkd.keypoints import KeypointSchema

if TYPE_CHECKING:
    import pandas as pd

_COLOR = "color"


def all_rows(count: int) -> int:
    """Height in px of a table that shows ``count`` rows without scrolling."""
    return 36 + 33 * count


def ink(background: str) -> str:
    """Black or white, whichever stands out on ``background`` (#rrggbb): 4.5:1 at least."""
    channels = (int(background[i : i + 2], 16) / 255 for i in (1, 3, 5))
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    luminance = 0.2126 * r + 0.7152 * g + 0.0722 * b
    return "#000000" if luminance > 0.179 else "#ffffff"  # where both are at 4.58:1


def keypoint_table(
    frame: pd.DataFrame,
    schema: KeypointSchema,
    keypoints: Sequence[int],
    name: str,
    alt: str,
    *,
    marks: dict[int, str] | None = None,
    column_config: dict[str, object] | None = None,
) -> None:
    """``frame`` with a column before its first one that has the colours of its rows' ``keypoints``
    (indices into the schema), and in it the words that ``marks`` gives rows; all rows are seen.
    Its download is ``frame`` itself, as ``name``.csv."""
    marks = marks or {}
    shown = frame.reset_index(drop=True)
    shown.insert(0, _COLOR, [marks.get(row, "") for row in range(len(shown))])
    colors = [schema.keypoints[k].color for k in keypoints]
    styles = [f"background-color: {color}; color: {ink(color)}" for color in colors]
    st.dataframe(
        shown.style.apply(lambda _: styles, subset=[_COLOR]),
        hide_index=True,
        width="stretch",
        height=all_rows(len(shown)),
        placeholder="",
        alt=alt,
        column_config={
            _COLOR: st.column_config.TextColumn(
                width=90 if marks else 60, help="The color of the point on faces and in charts."
            ),
            **(column_config or {}),
        },
    )
    download_table(frame, name)
