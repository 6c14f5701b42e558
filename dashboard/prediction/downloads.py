"""What was found, as files: pictures, JSON, CSV, all of it in one zip."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.prediction.work import Chosen
from fkd.formats.safe_csv import frame_table
from fkd.inference.drawing import annotated, png
from fkd.inference.results import PhotoFaces, to_csv

if TYPE_CHECKING:
    import pandas as pd


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


def crops(result: PhotoFaces) -> bytes:
    """A zip with each face as the model saw it, as PNG."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for number, face in enumerate(result.faces, 1):
            archive.writestr(f"face-{number}.png", png(face.crop))
    return stream.getvalue()


def file_stem(name: str) -> str:
    """``name`` of a photo, whatever path or suffix it has, as part of a file's name."""
    return re.sub(r"[^\w-]+", "_", name.rpartition(".")[0] or name).strip("_")[-80:] or "photo"


def of_photo(chosen: Chosen, result: PhotoFaces) -> None:
    """The picture of one photo, with its boxes and points."""
    name = f"{file_stem(result.name)}-keypoints.png"
    _button("Picture (PNG)", lambda: picture(chosen, result), name, "image/png")


def of_faces(result: PhotoFaces) -> None:
    """What the model saw of each face."""
    name = f"{file_stem(result.name)}-faces.zip"
    _button("Faces (zip)", lambda: crops(result), name, "application/zip")


def of_points(result: PhotoFaces) -> None:
    """The points of one photo."""
    stem = f"{file_stem(result.name)}-keypoints"
    with st.container(horizontal=True):
        _button("Points (CSV)", lambda: to_csv([result]), f"{stem}.csv", "text/csv")
        _button("Points (JSON)", lambda: as_json([result]), f"{stem}.json", "application/json")


def of_list(frame: pd.DataFrame) -> None:
    """The list of photos, as it is shown."""
    _button("List (CSV)", lambda: frame_table(frame, index=False), "photos.csv", "text/csv")


def of_all(photos: Sequence[tuple[Chosen, PhotoFaces]]) -> None:
    """Pictures and points of all photos."""
    _button(
        "All pictures and points (zip)",
        lambda: everything(photos),
        "keypoints.zip",
        "application/zip",
    )


def _button(label: str, data: Callable[[], bytes], name: str, mime: str) -> None:
    st.download_button(
        label,
        data,
        file_name=name,
        mime=mime,
        icon=":material/download:",
        key=f"predict-download-{label}",
        type="tertiary",
        on_click="ignore",
    )
