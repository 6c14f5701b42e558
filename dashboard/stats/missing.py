"""Which points are missing: per keypoint, per image, in which patterns, and together."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import loaders, plots, routes
from dashboard.chart import chart
from dashboard.current import Current
from dashboard.widgets import show_table
from dashboard.words import compact, count_share, share
from fkd.selection import Range, Selection, pattern_words
from fkd.statistics.missing import SOURCE_NAMES, Missingness

PATTERNS_SHOWN = 12


def headline(current: Current) -> None:
    """What matters, in one sentence, and the numbers behind it."""
    m, k = loaders.missingness(current.dataset), len(current.dataset.schema)
    if not m.rows:
        st.info("This dataset has no labelled images.", icon=":material/image_not_supported:")
        st.stop()
    pattern, images = m.patterns[0]
    st.markdown(f"## {_sentence(m, int(pattern.sum()), images, k)}")
    labels = int(m.present_counts.sum())
    st.caption(
        f"{compact(m.rows)} labelled images. {count_share(m.complete_rows, m.rows)} complete; "
        f"{count_share(labels, m.rows * k)} of all points labelled; "
        + ", ".join(f"{compact(m.source_rows[s])} {word}" for s, word in SOURCE_NAMES.items())
        + "."
    )


def _sentence(m: Missingness, points: int, images: int, k: int) -> str:
    if m.complete_rows == m.rows:
        return "Every image has all its points"
    if points < k:
        return f"{share(images, m.rows)} of the images have the same {points} points and no others"
    return f"{share(m.rows - m.complete_rows, m.rows)} of the images lack at least one point"


def section(current: Current) -> None:
    dataset = current.dataset
    schema, m = dataset.schema, loaders.missingness(dataset)
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("#### Each keypoint")
        st.caption("Choose a bar to see the images that lack the point.")
        if at := chart(plots.present_bars(m.present_counts, m.rows, schema), "present"):
            name = schema.names[at["point_index"]]
            routes.browse(Selection(lacking=(name,)))
        st.markdown("#### Points of an image")
        st.caption("Choose a bar to see its images.")
        if at := chart(plots.points_per_image_bars(m.points_per_image), "per-image"):
            lacking = len(schema) - int(at["x"])
            routes.browse(Selection(ranges=(Range("missing", lacking, lacking),)))
    with right:
        st.markdown("#### Patterns")
        shown = m.patterns[:PATTERNS_SHOWN]
        rest = len(m.patterns) - len(shown)
        st.caption(
            "Which points come together; filled = present. Choose a bar to see its images."
            + (f" {compact(rest)} rarer patterns are in the table below." if rest else "")
        )
        if at := chart(plots.pattern_chart(shown, m.rows, schema), "patterns"):
            mask = shown[int(at["x"])][0]
            routes.browse(Selection(pattern="".join("01"[int(bit)] for bit in mask)))
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("#### Missing together")
        st.caption("Of the images without the point below, the share that lack the one beside too.")
        chart(plots.together_heatmap(m.missing_together, schema), "together", select=False)
    with right:
        st.markdown("#### Tables")
        counts = pd.DataFrame(
            {
                "keypoint": [k.label for k in schema.keypoints],
                "labelled": m.present_counts,
                "missing": m.rows - m.present_counts,
                "share missing": (m.rows - m.present_counts) / m.rows,
            }
        )
        percent = st.column_config.NumberColumn(format="percent")
        show_table(
            counts, f"{dataset.name}-missing", height=280, column_config={"share missing": percent}
        )
        patterns = pd.DataFrame(
            {
                "images": [n for _, n in m.patterns],
                "share": [n / m.rows for _, n in m.patterns],
                "points": [int(mask.sum()) for mask, _ in m.patterns],
                "present": [
                    pattern_words("".join("01"[int(b)] for b in mask), schema)
                    for mask, _ in m.patterns
                ],
            }
        )
        show_table(
            patterns, f"{dataset.name}-patterns", height=280, column_config={"share": percent}
        )
