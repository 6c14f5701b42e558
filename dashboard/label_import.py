"""Labels of other tools: read, shown beside the labels that are there, and saved once somebody has
agreed. The Correct page brings them in for its dataset or a new one, the Data page for a new one.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import state
from dashboard.datasets import strip
from dashboard.guard import safely
from dashboard.tasks import Task, start_alone
from dashboard.words import plain
from fkd.dataset import Dataset
from fkd.labels.formats import FORMATS
from fkd.private import make_folder
from fkd.progress import Progress
from fkd.registry import check_name
from fkd.settings import home

if TYPE_CHECKING:
    from fkd.formats.visibility import Visibility
    from fkd.labels.importing import ImportPlan

_READ, _SAVED = "import-read-task", "import-save-task"
_SUFFIXES = ["zip", "csv", "json", "gz", "bz2", "xz", "parquet", "tar"]
_HERE, _NEW = "this dataset", "a new dataset"
_UPLOAD, _PATH = "Upload", "On this computer"

_VISIBILITIES: dict[Visibility, str] = {
    "auto": "recognize by itself",
    "coco": "0 missing, 1 occluded, 2 visible",
    "binary": "0 missing, above it visible",
}


_READ_FROM = {
    "coco": "A folder, zip or JSON file of CVAT, Label Studio, FiftyOne or another tool, with its "
    "pictures where there are any.",
    "yolo-pose": "A folder or zip with labels, images and data.yaml, as Ultralytics has them.",
    "pts": "A folder or zip with a .pts file for each picture; points in the order of the dataset.",
    "kaggle": "training.csv, plain or packed, or Parquet; rows are matched by their images.",
}


@dataclass(eq=False)
class Reading:
    """Reading labels and finding out what they would change; ``plan`` is there afterwards.

    Attributes:
        dataset: which they are for; None for a new one called ``name``.
        path: the file or folder.
        source: what it is called.
        folder: what goes when it was read, as an upload; None for files that stay.
    """

    dataset: Dataset | None
    name: str
    format: str
    visibility: Visibility
    path: Path
    source: str
    folder: Path | None = None
    plan: ImportPlan | None = field(default=None, init=False)

    def __call__(self, progress: Progress) -> str:
        from fkd.keypoints import KAGGLE_15
        from fkd.labels.at import labels_at
        from fkd.labels.exchange import read
        from fkd.labels.importing import plan_dataset, plan_import
        from fkd.labels.store import LabelStore

        schema = KAGGLE_15 if self.dataset is None else self.dataset.schema
        try:
            imported = read(self.path, self.format, schema, progress, visibility=self.visibility)
        finally:
            if self.folder is not None:
                shutil.rmtree(self.folder, ignore_errors=True)
        progress("comparing with the labels", 0, 0)
        if self.dataset is None:
            self.plan = plan_dataset(self.name, imported, self.format, self.source)
        else:
            current = labels_at(LabelStore(self.dataset))
            self.plan = plan_import(imported, self.dataset, current, self.format, self.source)
        return "is read"


@dataclass(frozen=True)
class Saving:
    """Saving what ``reading`` has read, by ``author``."""

    reading: Reading
    author: str

    def __call__(self, progress: Progress) -> str:
        from fkd.labels.importing import save_dataset, save_import
        from fkd.measures import measure

        plan = self.reading.plan
        assert plan is not None
        if self.reading.dataset is not None:
            said = save_import(plan, self.reading.dataset, self.author)
            return f"is imported: {said or 'it says what the labels say'}"
        dataset, _ = save_dataset(self.reading.name, plan, self.author, progress)
        measure(dataset, progress)
        return f"is imported as dataset {self.reading.name}"


def label_import(dataset: Dataset | None, author: str) -> None:
    """The form, what was read, and how saving it ended: for ``dataset`` or a new one; without
    ``dataset``, for a new one."""
    left, right = st.columns(2)
    with left:
        form = st.selectbox(
            "Read labels from",
            list(_READ_FROM),
            format_func=lambda name: FORMATS[name].title,
            key="import-format",
        )
    visibility: Visibility = "auto"
    if form in ("coco", "yolo-pose"):
        visibility = right.selectbox(
            "Visibility in the files",
            list(_VISIBILITIES),
            format_func=lambda name: _VISIBILITIES[name],
            key="import-visibility",
            help="Some tools write 1 for every labelled point. By itself, that is recognized where "
            "no point has a 2.",
        )
    st.caption(_READ_FROM[form])
    with st.container(horizontal=True, gap="large"):
        name = _target(dataset)
        place = st.segmented_control(
            "From", [_UPLOAD, _PATH], default=_UPLOAD, required=True, key="import-from"
        )
    begin = _source(place == _PATH, lambda path, source, folder: Reading(
        dataset if name is None else None, name or "", form, visibility, path, source, folder
    ))  # fmt: skip
    st.button("Read and compare", disabled=begin is None, on_click=begin, key="import-read")
    _told(dataset, author)


def _target(dataset: Dataset | None) -> str | None:
    """The name of the new dataset that the labels are for; None for ``dataset``."""
    into = _NEW
    if dataset is not None:
        into = st.segmented_control(
            "For", [_HERE, _NEW], default=_HERE, required=True, key="import-into"
        )
    if into == _HERE:
        return None
    return str(
        st.text_input(
            "Name of the new dataset",
            "labels",
            max_chars=64,
            key="import-name",
            help="Images must come with the labels: it is made of both.",
        ).strip()
    )


def _source(
    by_path: bool, reading: Callable[[Path, str, Path | None], Reading]
) -> Callable[[], None] | None:
    """What begins to read the chosen file or folder; None where none is chosen."""
    if by_path:
        text = st.text_input(
            "Folder, zip or file", placeholder="/data/project-1.zip", key="import-path"
        ).strip()
        path = Path(text).expanduser()
        return _starter(lambda: reading(path, path.name or text, None)) if text else None
    file = st.file_uploader("File", type=_SUFFIXES, key="import-file")
    if file is None:
        return None

    def upload() -> Reading:
        root = make_folder(home() / "uploads")
        folder = Path(tempfile.mkdtemp(prefix="import-", dir=root))
        # Nothing of the name but its suffixes: it comes from outside.
        suffix = "".join(s for s in Path(file.name).suffixes[-2:] if s[1:].lower() in _SUFFIXES)
        path = folder / f"labels{suffix.lower()}"
        path.write_bytes(file.getbuffer())
        return reading(path, file.name[:80], folder)

    return _starter(upload)


def _starter(make: Callable[[], Reading]) -> Callable[[], None]:
    def begin() -> None:
        reading = make()
        if reading.dataset is None:
            check_name(reading.name)
        st.session_state.pop(_SAVED, None)
        st.session_state[_READ] = start_alone("Import", reading.source, reading)

    return safely("importing", begin)


def _told(dataset: Dataset | None, author: str) -> None:
    """How far reading is; what was read; how saving it ended."""
    saved: Task | None = st.session_state.get(_SAVED)
    if saved is not None:
        _ended(saved)
        return
    task: Task | None = st.session_state.get(_READ)
    if task is None or not isinstance(task.work, Reading):
        return
    reading = task.work
    if reading.dataset is not None and (dataset is None or reading.dataset.name != dataset.name):
        return  # of the dataset that was open before
    if task.state == "running":
        strip.wait_for(task)
    elif reading.plan is None or task.state != "done":
        st.error(plain(task.message), icon=":material/error:")
    else:
        _preview(reading, reading.plan, author)


def _preview(reading: Reading, plan: ImportPlan, author: str) -> None:
    """What the import would do, and the buttons to do it or not."""
    with st.container(border=True):
        for line in plan.lines():
            st.markdown(plain(line))
        for reason in plan.reasons:
            st.warning(plain(reason), icon=":material/warning:")
        if reading.dataset is not None and not plan.edits:
            st.info("The files say what the labels say: nothing to do.", icon=":material/check:")
        with st.container(horizontal=True):
            if reading.dataset is None or plan.edits:
                st.button(
                    "Import all the same" if plan.reasons else "Import",
                    type="secondary" if plan.reasons else "primary",
                    key="import-save",
                    disabled=not author,
                    help=None if author else "Say who you are first.",
                    on_click=safely("importing", _save, reading, author),
                )
            st.button("Discard", key="import-discard", on_click=_forget)


def _save(reading: Reading, author: str) -> None:
    _forget()
    st.session_state[_SAVED] = start_alone("Import", reading.source, Saving(reading, author))


def _forget() -> None:
    st.session_state.pop(_READ, None)


def _ended(task: Task) -> None:
    if task.state == "running":
        strip.wait_for(task)
        return
    if task.state != "done":
        st.error(plain(task.message), icon=":material/error:")
        return
    st.success(plain(task.message), icon=":material/check:")
    work = task.work
    if isinstance(work, Saving) and work.reading.dataset is None:
        name = work.reading.name
        st.button(f"Open {name}", key="import-open", on_click=lambda: state.open_next(name))
