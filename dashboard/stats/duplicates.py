"""The same picture twice: within training, and between training and test."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from dashboard import routes
from dashboard.current import Current
from dashboard.face_grid import POINTS, Face, face_grid
from dashboard.widgets import show_table
from dashboard.words import compact, count_share
from fkd.selection import Selection

_PAIRS_SHOWN = 12


def section(current: Current) -> None:
    dataset, m = current.dataset, current.measures
    n = len(dataset)
    across = (m.pair_a < n) & (m.pair_b >= n)
    within = m.pair_b < n
    inside_test = m.pair_a >= n
    cells = st.columns(5)
    cells[0].metric("Training images found twice", count_share(int((m.duplicate >= 0).sum()), n))
    cells[1].metric("Exact pairs", compact(int(m.pair_exact.sum())), help="Equal byte by byte")
    cells[2].metric("Near pairs in training", compact(int((within & ~m.pair_exact).sum())))
    cells[3].metric("Pairs within test", compact(int(inside_test.sum())))
    cells[4].metric(
        "Pairs across the two",
        compact(int(across.sum())),
        help="What a model has seen in training it is also asked for in the test.",
    )
    if not len(m.pair_a):
        st.success("No picture occurs twice.", icon=":material/check_circle:")
        return
    st.caption(
        "Duplicates belong on one side of a split, or validation measures memory. "
        "Where their labels lie far apart, one of them may be wrong."
    )
    if st.button("See all in Browse", icon=":material/grid_view:"):
        routes.browse(Selection(flags=("duplicate",)))
    apart = np.nan_to_num(np.asarray(m.pair_label_distance), nan=-1.0)
    order = np.lexsort((-m.pair_similarity, -apart))
    st.markdown("#### Pairs whose labels disagree most")
    _pairs(current, order[:_PAIRS_SHOWN])
    st.markdown("#### All pairs")
    names = np.array(["training", "test"])
    frame = pd.DataFrame(
        {
            "first": [_number(current, int(i)) for i in m.pair_a[order]],
            "first part": names[(m.pair_a[order] >= n).astype(int)],
            "second": [_number(current, int(i)) for i in m.pair_b[order]],
            "second part": names[(m.pair_b[order] >= n).astype(int)],
            "similarity": m.pair_similarity[order],
            "exact": m.pair_exact[order],
            "labels apart (px)": m.pair_label_distance[order],
        }
    )
    show_table(
        frame,
        f"{dataset.name}-duplicates",
        height=320,
        column_config={
            "similarity": st.column_config.NumberColumn(format="%.4f"),
            "labels apart (px)": st.column_config.NumberColumn(
                format="%.2f",
                help="Mean distance of the points both carry, once the two crops are laid over "
                "each other",
            ),
        },
    )


def _number(current: Current, index: int) -> int:
    n = len(current.dataset)
    if index < n:
        return int(current.dataset.rows[index])
    return int(current.dataset.test_image_ids[index - n])


def _face(current: Current, index: int, note: str) -> Face:
    dataset, n, number = current.dataset, len(current.dataset), _number(current, index)
    if index < n:
        return Face(
            f"training:{number}", f"row {number}", dataset.images[index],
            dataset.keypoints[index], note,
        )  # fmt: skip
    return Face(f"test:{number}", f"test {number}", dataset.test_images[index - n], note=note)


def _pairs(current: Current, which: np.ndarray) -> None:
    m = current.measures
    faces = []
    for p in which:
        apart = m.pair_label_distance[p]
        note = "" if np.isnan(apart) else f"{apart:.1f} px apart"
        likeness = "exact" if m.pair_exact[p] else f"similar {m.pair_similarity[p]:.3f}"
        faces += [
            _face(current, int(m.pair_a[p]), likeness),
            _face(current, int(m.pair_b[p]), note),
        ]
    face_grid(
        faces,
        current.dataset.schema,
        "pairs",
        lambda chosen: st.session_state.__setitem__("chosen-pair", chosen),
        columns=8,
        pairs=True,
        show=(POINTS,),
    )
    if chosen := st.session_state.pop("chosen-pair", None):
        part, _, number = chosen.partition(":")
        routes.browse(Selection(part=part, flags=("duplicate",)), int(number))
