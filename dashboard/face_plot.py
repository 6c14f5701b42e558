"""One face, large: picture, points with names on hover, zoom and pan."""

from __future__ import annotations

import base64

import cv2
import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard.words import short_label
from fkd.keypoints import KeypointSchema

_ENLARGE = 8
"""Device pixels per image pixel: the browser then never shows its own interpolation."""


def face_figure(
    image: NDArray[np.uint8],
    schema: KeypointSchema,
    keypoints: NDArray[np.float32] | None = None,
    *,
    points: bool = True,
    edges: bool = False,
    names: bool = False,
    pixels: bool = False,
    mark_size: float = 1.4,
    height: int = 570,
) -> go.Figure:
    """``image`` ``(H, W)`` with its ``keypoints`` ``(K, 2)`` in px; NaN points are left out.

    ``mark_size`` is the radius of a dot on a small face; here, with room, dots are half as large
    beside the face, so that they hide less of it. ``pixels`` shows the raw pixels instead of
    a smooth enlargement.
    """
    h, w = schema.image_size
    figure = go.Figure()
    figure.add_layout_image(
        source=_enlarged(image, smooth=not pixels),
        xref="x",
        yref="y",
        # A pixel's centre is its index, so the picture begins half a pixel before index 0.
        x=-0.5,
        y=-0.5,
        sizex=w,
        sizey=h,
        yanchor="top",
        sizing="stretch",
        layer="below",
    )
    if keypoints is not None and edges:
        for a, b in schema.edges:
            if np.isfinite(keypoints[[a, b]]).all():
                figure.add_scatter(
                    x=keypoints[[a, b], 0],
                    y=keypoints[[a, b], 1],
                    mode="lines",
                    line={"color": schema.keypoints[a].color, "width": 2},
                    hoverinfo="skip",
                )
    if keypoints is not None and (points or names):
        _add_points(figure, schema, keypoints, points, names, mark_size * height / h)
    axis = {"visible": False, "constrain": "domain", "fixedrange": False}
    figure.update_xaxes(range=[-0.5, w - 0.5], **axis)
    figure.update_yaxes(range=[h - 0.5, -0.5], scaleanchor="x", **axis)
    figure.update_layout(
        height=height,
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        showlegend=False,
        dragmode="pan",
        hovermode="closest",
        plot_bgcolor="rgba(0,0,0,0)",
        # The same face keeps its zoom through reruns.
        uirevision="face",
    )
    return figure


def _add_points(
    figure: go.Figure,
    schema: KeypointSchema,
    keypoints: NDArray[np.float32],
    points: bool,
    names: bool,
    diameter: float,
) -> None:
    here = np.flatnonzero(np.isfinite(keypoints).all(axis=1))
    labels = [schema.keypoints[k].label for k in here]
    colors = [schema.keypoints[k].color for k in here]
    right = keypoints[here, 0] > schema.width * 0.62
    figure.add_scatter(
        x=keypoints[here, 0],
        y=keypoints[here, 1],
        mode="+".join(m for m, on in (("markers", points), ("text", names)) if on),
        text=[short_label(label) for label in labels],
        textposition=np.where(right, "middle left", "middle right"),
        textfont={"color": "white", "size": 12, "shadow": "0 0 2px black, 0 0 3px black"},
        marker={
            "color": colors,
            "size": diameter,
            "line": {"color": "rgba(255,255,255,0.95)", "width": 1.5},
        },
        customdata=labels,
        hovertemplate="%{customdata}<br>x %{x:.2f}, y %{y:.2f} px<extra></extra>",
    )


def _enlarged(image: NDArray[np.uint8], *, smooth: bool) -> str:
    size = (image.shape[1] * _ENLARGE, image.shape[0] * _ENLARGE)
    how = cv2.INTER_CUBIC if smooth else cv2.INTER_NEAREST
    done, data = cv2.imencode(".png", cv2.resize(np.asarray(image), size, interpolation=how))
    if not done:
        raise ValueError(f"cannot encode an image of shape {image.shape}")
    return "data:image/png;base64," + base64.b64encode(data.tobytes()).decode()


def annotated_png(
    image: NDArray[np.uint8],
    schema: KeypointSchema,
    keypoints: NDArray[np.float32],
    *,
    edges: bool,
    mark_size: float,
) -> bytes:
    """The enlarged face with its points drawn into it, as PNG bytes."""
    scale, shift = _ENLARGE, 4  # cv2 takes positions in 1/16 px
    size = (image.shape[1] * scale, image.shape[0] * scale)
    big = cv2.resize(np.asarray(image), size, interpolation=cv2.INTER_CUBIC)
    canvas = cv2.cvtColor(big, cv2.COLOR_GRAY2BGR)

    def at(k: int) -> tuple[int, int]:
        x, y = (keypoints[k] + 0.5) * scale - 0.5
        return round(float(x) * (1 << shift)), round(float(y) * (1 << shift))

    def bgr(k: int) -> tuple[int, int, int]:
        color = schema.keypoints[k].color
        return int(color[5:7], 16), int(color[3:5], 16), int(color[1:3], 16)

    here = np.isfinite(keypoints).all(axis=1)
    if edges:
        for a, b in schema.edges:
            if here[a] and here[b]:
                cv2.line(canvas, at(a), at(b), bgr(a), 2, cv2.LINE_AA, shift)
    radius = round(mark_size * scale * (1 << shift))
    for k in np.flatnonzero(here):
        cv2.circle(canvas, at(k), radius, bgr(k), -1, cv2.LINE_AA, shift)
        cv2.circle(canvas, at(k), radius, (255, 255, 255), 1, cv2.LINE_AA, shift)
    done, data = cv2.imencode(".png", canvas)
    if not done:
        raise ValueError("cannot encode the picture")
    return data.tobytes()
