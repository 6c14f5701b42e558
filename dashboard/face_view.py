"""One face, large: zoom, pan, names and coordinates on hover. The zoom outlives reruns."""

from __future__ import annotations

from collections.abc import Sequence

from streamlit.components.v2 import component

from dashboard.face_grid import (
    MARK_STYLE,
    MARKS,
    NAMES,
    PIXELS,
    ZOOM,
    Face,
    face_data,
    source,
    style_data,
)
from dashboard.face_picture import enlarged_url
from dashboard.names import FONT, name_places
from fkd.keypoints import KeypointSchema

_view = component(
    "fkd_face_view",
    html='<div class="frame"><div class="view"></div><div class="tip" hidden></div></div>',
    css=MARK_STYLE + source("face_view.css"),
    js=MARKS + ZOOM + source("face_view.js"),
)


def face_view(
    face: Face, schema: KeypointSchema, key: str, *, show: Sequence[str], mark_size: float
) -> None:
    """Draw ``face`` as wide as its place. ``mark_size`` is the radius of a dot on a small face;
    here, with room, dots are half as large beside the face, so that they hide less of it."""
    data = face_data(face, schema, show)
    data["src"] = enlarged_url(face.image, smooth=PIXELS not in show)
    if NAMES in show and face.keypoints is not None:
        data["names"] = name_places(face.keypoints, schema, mark_size / 2)
    _view(
        key=key,
        data={
            "id": face.id,
            "face": data,
            "size": mark_size / 2,
            "font": FONT,
            **style_data(schema, show),
        },
    )
