"""What is known of one image of Browse: numbers, marks and its points as a table."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from dashboard import loaders
from dashboard.current import Current
from dashboard.widgets import show_table
from dashboard.words import plain
from fkd.columns import FLAGS
from fkd.errors import UserError

_SHOWN_COLUMNS = ("keypoint", "x", "y", "error px", "expected error px", "outlier score")

_FIELD = 80
"""Characters shown of a field of the source file."""


def training_facts(current: Current, position: int) -> None:
    """What was measured of the labelled image at ``position``, and its points."""
    dataset, m = current.dataset, current.measures
    row = int(dataset.rows[position])
    n, k = int(m.n_present[position]), len(dataset.schema)
    cells = st.columns(3)
    sources = [FLAGS[key].words(m) for key in ("many", "few") if _flagged(key, m, position)]
    cells[0].metric("Points", f"{n} / {k}", help=sources[0] if sources else None)
    cells[1].metric(
        "Outlier score",
        _number(m.outlier[position]),
        help="How rare this face's shape is among all: 3 means one face in a thousand.",
    )
    cells[2].metric("Brightness", _number(m.brightness[position]), help="Mean pixel, 0 to 255")
    cells = st.columns(3)
    cells[0].metric("Contrast", _number(m.contrast[position]), help="Standard deviation of pixels")
    cells[1].metric(
        "Sharpness", _number(m.sharpness[position]), help="Log variance of the Laplacian"
    )
    group = int(m.duplicate[position])
    others = int((m.duplicate == group).sum()) - 1 if group >= 0 else 0
    cells[2].metric("Duplicate images", others if current.measured else "–")
    _fields(current, position)
    flags = [FLAGS[f].label for f in ("outlier", "swapped", "outside") if _flagged(f, m, position)]
    if flags:
        st.warning("Check this face: " + ", ".join(flags) + ".", icon=":material/flag:")
    show_table(
        _point_table(current, position),
        f"{dataset.name}-row-{row}",
        height=36 + 33 * k,
        # All of them would not fit beside the face; the CSV has the places of predictions as well.
        column_order=_SHOWN_COLUMNS,
        column_config={
            "keypoint": st.column_config.TextColumn(width=150),
            "x": st.column_config.NumberColumn("x (px)", format="%.2f", width=54),
            "y": st.column_config.NumberColumn("y (px)", format="%.2f", width=54),
            "error px": st.column_config.NumberColumn(
                "error",
                format="%.2f",
                width=56,
                help="How far the predicted point lies from the labelled one, in px.",
            ),
            "expected error px": st.column_config.NumberColumn(
                "expected",
                format="%.2f",
                width=70,
                help="The error that the model itself expects, in px.",
            ),
            "outlier score": st.column_config.NumberColumn(
                "outlier",
                format="%.1f",
                width=54,
                help="How rare this point's place is, given the face's other points: 3 means one "
                "face in a thousand. Empty where the point is missing.",
            ),
        },
    )


def _fields(current: Current, position: int) -> None:
    """What else the source file said of the image."""
    try:
        fields = loaders.fields(current.dataset)
    except UserError as error:
        st.caption(plain(str(error)))
        return
    if fields:
        said = (
            f"{plain(name)}: {plain(texts[position][:_FIELD])}" for name, texts in fields.items()
        )
        st.caption(" · ".join(said))


def _flagged(flag: str, measures: object, position: int) -> bool:
    return bool(np.asarray(FLAGS[flag].training(measures))[position])  # type: ignore[arg-type]


def _point_table(current: Current, position: int) -> pd.DataFrame:
    schema = current.dataset.schema
    # float32 has about seven digits; more would be noise in the CSV.
    points = np.round(np.asarray(current.dataset.keypoints[position], np.float64), 5)
    return pd.DataFrame(
        {
            "keypoint": [p.label for p in schema.keypoints],
            "x": points[:, 0],
            "y": points[:, 1],
            **_predicted_columns(current, position, points),
            "outlier score": np.round(
                np.asarray(current.measures.point_outlier[position], np.float64), 3
            ),
        }
    )


def _predicted_columns(
    current: Current, position: int, points: np.ndarray
) -> dict[str, np.ndarray]:
    """What the model says whose predictions are shown; nothing without one."""
    if (predicted := current.predicted) is None:
        return {}
    guess = np.round(predicted.points[position].astype(np.float64), 3)
    off = np.hypot(*(guess - points).T)
    columns = {"error px": np.round(off, 3), "predicted x": guess[:, 0], "predicted y": guess[:, 1]}
    if predicted.expected is not None:
        columns["expected error px"] = np.round(predicted.expected[position].astype(float), 3)
    return columns


def test_facts(current: Current, position: int) -> None:
    """What was measured of the test image at ``position``, and what is asked of it."""
    m = current.measures
    st.info("Test images carry no labels; they are what a submission predicts.")
    cells = st.columns(3)
    cells[0].metric("Brightness", _number(m.test_brightness[position]))
    cells[1].metric("Contrast", _number(m.test_contrast[position]))
    cells[2].metric("Sharpness", _number(m.test_sharpness[position]))
    lookup = current.dataset.lookup
    if lookup is None:
        return
    schema, image_id = current.dataset.schema, int(current.dataset.test_image_ids[position])
    asked = lookup.coordinates[lookup.image_ids == image_id]
    names = [schema.coordinate_names[c] for c in asked]
    every = len(schema.coordinate_names)
    if len(set(names)) == every:
        st.caption(f"A submission gives all {every} coordinates of this image.")
        return
    st.caption(f"A submission gives {len(names)} of the {every} coordinates of this image.")
    if names:
        show_table(
            pd.DataFrame({"asked for": names}),
            f"{current.dataset.name}-test-{image_id}",
            height=min(400, 38 + 35 * len(names)),
        )


def _number(value: np.floating) -> str:
    return "–" if np.isnan(value) else f"{value:.3g}"
