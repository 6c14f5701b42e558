"""The same picture twice: within training, and between training and test."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from dashboard import routes
from dashboard.current import Current
from dashboard.face_grid import POINTS, Face, face_grid
from dashboard.face_picture import download_faces
from dashboard.keypoint_table import all_rows
from dashboard.widgets import show_table
from dashboard.words import compact, count_share
from fkd.selection import Selection

_PAIRS_SHOWN = 12


def section(current: Current) -> None:
    dataset, m = current.dataset, current.measures
    n = len(dataset)
    if not len(m.pair_a):
        st.success("No picture occurs twice.", icon=":material/check_circle:")
        return
    _counts(current)
    st.caption(
        "Keep duplicates in the same split, or validation measures memory; training does so by "
        "itself. Where the labels of a pair lie far apart, one of them may be wrong."
    )
    if st.button("See all duplicates in Browse", icon=":material/grid_view:"):
        routes.browse(Selection(flags=("duplicate",)))
    apart = np.nan_to_num(np.asarray(m.pair_label_distance), nan=-1.0)
    order = np.lexsort((-m.pair_similarity, -apart))
    first = order[:_PAIRS_SHOWN]
    st.markdown(
        f"#### The {compact(len(first))} duplicate pairs whose labels differ most"
        if len(first) < len(order)
        else "#### Duplicate pairs"
    )
    _pairs(current, first)
    st.markdown(f"#### All {_pairs_in_words(len(order))}")
    names = np.array(["training", "test"])
    frame = pd.DataFrame(
        {
            "first image": [_number(current, int(i)) for i in m.pair_a[order]],
            "first in": names[(m.pair_a[order] >= n).astype(int)],
            "second image": [_number(current, int(i)) for i in m.pair_b[order]],
            "second in": names[(m.pair_b[order] >= n).astype(int)],
            "similarity": m.pair_similarity[order],
            "exact": m.pair_exact[order],
            "label distance (px)": m.pair_label_distance[order],
        }
    )
    show_table(
        frame,
        f"{dataset.name}-duplicates",
        height=min(320, all_rows(len(frame))),
        column_config={
            "similarity": st.column_config.NumberColumn(
                format="%.4f", help="Correlation of the two images once they are aligned"
            ),
            "exact": st.column_config.CheckboxColumn(help="Equal byte by byte"),
            "label distance (px)": st.column_config.NumberColumn(
                format="%.2f",
                help="Mean distance between the labels of the points that both images have, once "
                "the images are aligned",
            ),
        },
        alt="All duplicate pairs",
    )


def _pairs_in_words(count: int) -> str:
    return f"{compact(count)} duplicate {'pair' if count == 1 else 'pairs'}"


def _counts(current: Current) -> None:
    """Images, groups and pairs: each count with its unit, and the parts of the pairs add up."""
    m, n = current.measures, len(current.dataset)
    groups = np.concatenate([m.duplicate, m.test_duplicate])
    within, test = m.pair_b < n, m.pair_a >= n
    exact = np.asarray(m.pair_exact)

    def pairs(which: np.ndarray) -> str:
        equal = int((which & exact).sum())
        return f"{compact(int(which.sum()))}" + (f" ({compact(equal)} exact)" if equal else "")

    cells = st.columns(3)
    cells[0].metric(
        "Training images with a duplicate",
        count_share(int((m.duplicate >= 0).sum()), n),
        help="The same picture occurs again in training or test.",
    )
    cells[1].metric(
        "Duplicate groups",
        compact(len(np.unique(groups[groups >= 0]))),
        help="A group is all images of the same picture; three images make two or three pairs.",
    )
    cells[2].metric(
        "Duplicate pairs",
        pairs(np.ones(len(exact), bool)),
        help="Exact: equal byte by byte. The others are the same picture with another crop, "
        "brightness or compression.",
    )
    cells = st.columns(3)
    cells[0].metric("Pairs within training", pairs(within))
    cells[1].metric("Pairs within test", pairs(test))
    cells[2].metric(
        "Pairs of training and test",
        pairs(~within & ~test),
        help="A model is tested on pictures that it has seen in training.",
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
        note = "" if np.isnan(apart) else f"labels {apart:.1f} px apart"
        likeness = "exact" if m.pair_exact[p] else f"similarity {m.pair_similarity[p]:.3f}"
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
    download_faces(faces, current.dataset.schema, f"{current.dataset.name}-duplicate-pairs")
    if chosen := st.session_state.pop("chosen-pair", None):
        part, _, number = chosen.partition(":")
        routes.browse(Selection(part=part, flags=("duplicate",)), int(number))
