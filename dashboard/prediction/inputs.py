"""Where the photos come from: dropped files, the camera, images of the dataset."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboard import loaders
from dashboard.face_grid import Face, face_grid
from dashboard.guard import safely
from dashboard.prediction import view
from dashboard.prediction.view import View
from dashboard.prediction.work import Chosen
from dashboard.state import current_name
from dashboard.words import plain
from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.inference.decode import MAX_BYTES, MAX_PIXELS, WORDS, Photo
from fkd.inference.sources import Source, from_upload

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

_EXAMPLES = 8
_UPLOADS = "predict-uploads"
_CAMERA = "predict-camera"
_LISTED = "predict-listed"


def photos(shown: View) -> list[Chosen]:
    """The photos that the user has chosen by now, with everything to choose more; what to do first
    where there are none."""
    uploads = st.file_uploader(
        "Photos, or zip files of photos",
        accept_multiple_files=True,
        key=_UPLOADS,
        help=f"{WORDS}. Up to {MAX_BYTES >> 20} MB and {MAX_PIXELS // 1_000_000} million pixels "
        "each (fewer for WebP, AVIF and JPEG 2000). Photos stay in this server's memory while the "
        "page is open and are never written to disk.",
    )
    chosen = _of_uploads(uploads or [])
    row = st.container(horizontal=True, vertical_alignment="center", gap="medium")
    if row.toggle("Use the camera", key="predict-use-camera"):
        shot = st.camera_input("Camera", key=_CAMERA, label_visibility="collapsed", width=480)
        if shot is not None:
            data = shot.getvalue()
            source = next(from_upload("camera.jpg", data))
            chosen.append(Chosen(f"camera-{hashlib.sha256(data).hexdigest()[:16]}", source))
    name = current_name()
    dataset = loaders.dataset(name) if name is not None else None
    if dataset is not None and shown.example and (example := _example(dataset, shown.example)):
        chosen.append(example)
        row.button(
            f"Close {_title(shown.example)}",
            icon=":material/close:",
            type="tertiary",
            on_click=safely("closing the example", view.write, replace(shown, example="")),
        )
    offered = dataset is not None and _examples(dataset, shown, opened=not chosen)
    if not chosen:
        way = "drop photos of people above, take one with the camera"
        way += ", or choose an example." if offered else "."
        st.info(f"To find keypoints, {way}", icon=":material/add_a_photo:")
    return chosen


@dataclass(frozen=True)
class _Listed:
    """An uploaded file: the photos in it, and a sentence on whatever else a zip holds."""

    photos: tuple[Chosen, ...]
    unread: tuple[str, ...]


def _of_uploads(uploads: Sequence[UploadedFile]) -> list[Chosen]:
    """The photos in uploaded files, with a word on what else is in zips; what a zip holds is only
    looked up once."""
    before: dict[str, _Listed] = st.session_state.get(_LISTED, {})
    listed = {upload.file_id: before.get(upload.file_id) or _listed(upload) for upload in uploads}
    st.session_state[_LISTED] = listed
    for one in listed.values():
        for sentence in one.unread:
            st.caption(plain(sentence))
    return [photo for one in listed.values() for photo in one.photos]


def _listed(upload: UploadedFile) -> _Listed:
    unread: list[str] = []
    sources = from_upload(upload.name, upload.getvalue(), unread.append)
    photos = [Chosen(f"{upload.file_id}-{number}", each) for number, each in enumerate(sources)]
    return _Listed(tuple(photos), tuple(unread))


def _example(dataset: Dataset, word: str) -> Chosen | None:
    """The image of ``dataset`` that ``word`` names; None, with a word to the user, for none."""
    kind, _, number = word.partition("-")
    ids = {"test": dataset.test_image_ids, "row": dataset.rows}.get(kind)
    at: NDArray[np.intp] = np.zeros(0, np.intp)
    if ids is not None and number.isascii() and number.isdigit() and len(number) < 10:
        at = np.flatnonzero(np.asarray(ids) == int(number))
    if not len(at):
        st.warning(plain(f"Dataset {dataset.name} has no image {word}."))
        return None
    images = dataset.test_images if kind == "test" else dataset.images
    title = f"{dataset.name}, {_title(word)}"

    def load() -> Photo:
        try:
            gray = np.array(images[at[0]])
        except (OSError, ValueError) as error:
            raise UserError(f"{title} cannot be read ({error}).") from None
        return Photo(title, np.repeat(gray[..., None], 3, axis=2), gray)

    return Chosen(f"{dataset.content_hash[:16]}-{word}", Source(title, load))


def _title(word: str) -> str:
    return word.replace("test-", "test image ").replace("row-", "row ")


def _examples(dataset: Dataset, shown: View, *, opened: bool) -> bool:
    """Some images of the dataset to try; whether there are any."""
    kind, images, ids = "test", dataset.test_images, dataset.test_image_ids
    if not len(images):
        kind, images, ids = "row", dataset.images, dataset.rows
    if not len(images):
        return False
    at = np.unique(np.linspace(0, len(images) - 1, _EXAMPLES).round().astype(int))
    with st.expander(f"Examples from {plain(dataset.name)}", expanded=opened):
        face_grid(
            [
                Face(
                    id=f"{kind}-{ids[i]}",
                    title=_title(f"{kind}-{ids[i]}").capitalize(),
                    image=images[i],
                )
                for i in at
            ],
            dataset.schema,
            "predict-examples",
            lambda word: view.write(replace(shown, example=word)),
            columns=_EXAMPLES,
        )
    return True
