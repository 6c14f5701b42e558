"""What was found, as files: pictures, JSON, CSV, all of it in one zip."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Sequence

import streamlit as st

from dashboard.prediction.work import Chosen
from fkd.inference.drawing import annotated, png
from fkd.inference.results import PhotoFaces, to_csv


def picture(chosen: Chosen, result: PhotoFaces) -> bytes:
    """The photo at its full resolution with its boxes and points, as PNG."""
    return png(annotated(chosen.source.load().color, result.faces))


def as_json(results: Sequence[PhotoFaces]) -> bytes:
    return json.dumps([result.to_json() for result in results], indent=1).encode()


def everything(photos: Sequence[tuple[Chosen, PhotoFaces]]) -> bytes:
    """A zip with a picture of every photo that could be read, and the points of all as JSON and
    CSV."""
    stream = io.BytesIO()
    results = [result for _, result in photos]
    with zipfile.ZipFile(stream, "w") as archive:
        for number, (chosen, result) in enumerate(photos, 1):
            if not result.error:
                name = f"{number:04}-{file_stem(result.name)}.png"
                archive.writestr(name, picture(chosen, result))
        archive.writestr("keypoints.json", as_json(results), zipfile.ZIP_DEFLATED)
        archive.writestr("keypoints.csv", to_csv(results), zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def file_stem(name: str) -> str:
    """``name`` of a photo, whatever path or suffix it has, as part of a file's name."""
    return re.sub(r"[^\w-]+", "_", name.rpartition(".")[0] or name).strip("_")[-80:] or "photo"


def buttons(photos: Sequence[tuple[Chosen, PhotoFaces]], at: int) -> None:
    """Downloads of the photo at ``at``, and of all where there are more."""
    chosen, result = photos[at]
    stem = file_stem(result.name)
    with st.container(horizontal=True):
        _button("PNG", lambda: picture(chosen, result), f"{stem}-keypoints.png", "image/png")
        _button("JSON", lambda: as_json([result]), f"{stem}.json", "application/json")
        _button("CSV", lambda: to_csv([result]), f"{stem}.csv", "text/csv")
        if len(photos) > 1:
            label = f"All {len(photos):,} as zip"
            _button(label, lambda: everything(photos), "keypoints.zip", "application/zip")


def _button(label: str, data: object, name: str, mime: str) -> None:
    st.download_button(
        label,
        data,
        file_name=name,
        mime=mime,
        icon=":material/download:",
        key=f"predict-download-{label.split(maxsplit=1)[0]}",
        type="tertiary",
        on_click="ignore",
    )
