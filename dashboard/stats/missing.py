"""Which points are missing: per keypoint, per image, in which patterns, and together."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import loaders, plots, routes
from dashboard.chart import chart
from dashboard.current import Current
from dashboard.keypoint_table import all_rows, keypoint_table
from dashboard.widgets import download_table, show_table
from dashboard.words import compact, count_share, share
from fkd.selection import Range, Selection, pattern_words
from fkd.statistics.missing import SOURCE_NAMES, Missingness, source_words

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
    words = source_words(current.measures.n_present, k)
    sources = [
        f"{words[name]}: {compact(m.source_rows[source])} images"
        for source, name in SOURCE_NAMES.items()
        if m.source_rows[source]
    ]
    st.caption(
        f"{compact(m.rows)} images, {count_share(m.complete_rows, m.rows)} of them complete. "
        f"{count_share(labels, m.rows * k)} of {compact(m.rows * k)} points labelled. "
        f"{'; '.join(sources)}."
    )


def _sentence(m: Missingness, points: int, images: int, k: int) -> str:
    if m.complete_rows == m.rows:
        return f"All images have all {k} points"
    if points < k:
        return f"{share(images, m.rows)} of the images have only the same {points} points"
    return f"{share(m.rows - m.complete_rows, m.rows)} of the images lack at least one point"


def section(current: Current) -> None:
    dataset = current.dataset
    schema, m = dataset.schema, loaders.missingness(dataset)
    missing = m.rows - m.present_counts
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("#### Missing points by keypoint")
        st.caption("Choose a bar to see the images without that point.")
        bars = plots.missing_bars(missing, m.rows, schema)
        alt = "Images without each keypoint; the numbers are in the table below"
        if at := chart(bars, "missing", alt):
            name = schema.names[at["point_index"]]
            routes.browse(Selection(lacking=(name,)))
        st.markdown("#### Labelled points per image")
        st.caption("Choose a bar to see its images.")
        alt = "Images by their number of labelled points"
        if at := chart(plots.points_per_image_bars(m.points_per_image), "per-image", alt):
            lacking = len(schema) - int(at["x"])
            routes.browse(Selection(ranges=(Range("missing", lacking, lacking),)))
    with right:
        st.markdown("#### Patterns of labelled points")
        shown = m.patterns[:PATTERNS_SHOWN]
        rest = len(m.patterns) - len(shown)
        st.caption(
            "Each column is a combination of points: filled = labelled, empty = missing. Choose a "
            "bar to see its images."
            + (f" {compact(rest)} rarer patterns are in the table below." if rest else "")
        )
        alt = "The most frequent combinations of labelled points; all are in the table below"
        if at := chart(plots.pattern_chart(shown, m.rows, schema), "patterns", alt):
            mask = shown[int(at["x"])][0]
            routes.browse(Selection(pattern="".join("01"[int(bit)] for bit in mask)))
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("#### Missing together")
        st.caption(
            "Each column is about the images without one point: the darker a cell, the more of "
            "them are also without the point on the left."
        )
        chart(
            plots.together_heatmap(m.missing_together, schema),
            "together",
            "For each keypoint, the share of the images without it that also lack each other one",
            select=False,
        )
        _together_table(current, m)
    percent = st.column_config.NumberColumn(format="percent")
    with right:
        st.markdown("#### By keypoint")
        counts = pd.DataFrame(
            {
                "keypoint": [k.label for k in schema.keypoints],
                "labelled": m.present_counts,
                "missing": missing,
                "share missing": missing / m.rows,
            }
        )
        most = int(missing.argmax())
        keypoint_table(
            counts,
            schema,
            range(len(schema)),
            f"{dataset.name}-missing",
            "Images with and without each keypoint",
            marks={most: "most"} if missing[most] else None,
            column_config={
                "labelled": st.column_config.NumberColumn(help="Images with the point"),
                "missing": st.column_config.NumberColumn(help="Images without the point"),
                "share missing": percent,
            },
        )
    st.markdown(f"#### All {compact(len(m.patterns))} patterns")
    patterns = pd.DataFrame(
        {
            "images": [n for _, n in m.patterns],
            "share": [n / m.rows for _, n in m.patterns],
            "points": [int(mask.sum()) for mask, _ in m.patterns],
            "labelled": [
                pattern_words("".join("01"[int(b)] for b in mask), schema) for mask, _ in m.patterns
            ],
        }
    )
    show_table(
        patterns,
        f"{dataset.name}-patterns",
        height=min(400, all_rows(len(patterns))),
        column_config={
            "images": st.column_config.NumberColumn(width="small"),
            "share": st.column_config.NumberColumn(width="small", format="percent"),
            "points": st.column_config.NumberColumn(width="small", help="Labelled points"),
        },
        alt="All combinations of labelled points",
    )


def _together_table(current: Current, m: Missingness) -> None:
    labels = [k.label for k in current.dataset.schema.keypoints]
    table = pd.DataFrame(m.missing_together, columns=labels)
    table.insert(0, "also missing", labels)
    download_table(table, f"{current.dataset.name}-missing-together")
