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
from fkd.errors import Cancelled, UserError
from fkd.formats.source import TABLE_SUFFIXES
from fkd.labels.formats import FORMATS, VISIBILITIES, Visibility
from fkd.private import make_folder
from fkd.progress import Progress
from fkd.settings import home
from fkd.words import listed

if TYPE_CHECKING:
    from fkd.formats.faces import Imported
    from fkd.labels.importing import ImportPlan

_READ, _SAVED, _REFUSED = "import-read-task", "import-save-task", "import-refused"
_SUFFIXES = (*TABLE_SUFFIXES, "json")
_HERE, _NEW = "This dataset", "A new dataset"
_UPLOAD, _PATH = "Upload", "On this computer"

_READ_FROM = {
    "coco": "A folder, zip or JSON file from CVAT, Label Studio, FiftyOne or another tool, with "
    "the images if there are any.",
    "yolo-pose": "A folder or zip with labels, images and data.yaml, laid out as for Ultralytics.",
    "pts": "A folder or zip with a .pts file for each image; points in the order of the dataset.",
    "kaggle": "training.csv, plain or compressed, or as Parquet; rows are matched by their images.",
}


@dataclass(eq=False)
class Reading:
    """Reading labels and finding out what they would change; ``imported`` and ``plan`` are there
    afterwards. Called once more, it compares what it has read with the labels as they are then.

    Attributes:
        place: the dataset that was open when it began; None where none was.
        dataset: which they are for; None for a new one called ``name``.
        path: the file or folder.
        source: what it is called.
        folder: what goes when it was read, as an upload; None for files that stay.
    """

    place: str | None
    dataset: Dataset | None
    name: str
    format: str
    visibility: Visibility
    path: Path
    source: str
    folder: Path | None = None
    imported: Imported | None = field(default=None, init=False)
    plan: ImportPlan | None = field(default=None, init=False)

    def __call__(self, progress: Progress) -> str:
        from fkd.labels.at import labels_at
        from fkd.labels.importing import plan_dataset, plan_import
        from fkd.labels.store import LabelStore

        self.plan = None
        if self.imported is None:
            self.imported = self._read(progress)
        progress("comparing with the labels", 0, 0)
        about = self.format, self.source
        if self.dataset is None:
            self.plan = plan_dataset(self.name, self.imported, *about)
        else:
            current = labels_at(LabelStore(self.dataset))
            self.plan = plan_import(self.imported, self.dataset, current, *about, progress)
        return "is read"

    def _read(self, progress: Progress) -> Imported:
        from fkd.keypoints import KAGGLE_15
        from fkd.labels.exchange import read

        schema = KAGGLE_15 if self.dataset is None else self.dataset.schema
        try:
            return read(self.path, self.format, schema, progress, visibility=self.visibility)
        finally:
            if self.folder is not None:
                shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(frozen=True)
class Saving:
    """Saving what ``reading`` has read, by ``author``."""

    reading: Reading
    author: str

    def __call__(self, progress: Progress) -> str:
        from fkd.labels.importing import save_dataset, save_import
        from fkd.labels.store import Conflict
        from fkd.measures import measure

        plan = self.reading.plan
        assert plan is not None
        if self.reading.dataset is not None:
            try:
                said = save_import(plan, self.reading.dataset, self.author)
            except Conflict as error:
                raise UserError(
                    f"{listed(error.authors)} changed labels of these images meanwhile, so nothing "
                    "was imported. Compare again, then import."
                ) from None
            return f"is imported: {said or 'no label changed'}"
        dataset, _ = save_dataset(self.reading.name, plan, self.author, progress)
        said = f"is imported as dataset {self.reading.name}"
        try:
            measure(dataset, progress)
        except Cancelled:
            return f"{said}; measuring was stopped, Browse offers to do it"
        return said


def label_import(dataset: Dataset | None, author: str) -> None:
    """The form, what was read, and how saving it ended: for ``dataset`` or a new one; without
    ``dataset``, for a new one."""
    left, right = st.columns(2)
    with left:
        form = st.selectbox(
            "Format",
            list(_READ_FROM),
            format_func=lambda name: FORMATS[name].title,
            key="import-format",
        )
    visibility: Visibility = "auto"
    if FORMATS[form].visibility:
        visibility = right.selectbox(
            "Visibility",
            list(VISIBILITIES),
            format_func=lambda name: f"{name}: {VISIBILITIES[name]}",
            key="import-visibility",
            help="What the files say of each point. Some tools write 1 for every labelled point: "
            "auto takes 1 for visible if no point has a 2, otherwise for occluded.",
        )
    st.caption(_READ_FROM[form])
    with st.container(horizontal=True, gap="large"):
        name = _target(dataset)
        place = st.segmented_control(
            "From", [_UPLOAD, _PATH], default=_UPLOAD, required=True, key="import-from"
        )
    here = None if dataset is None else dataset.name

    def begin(path: Path, source: str, folder: Path | None = None) -> None:
        target = dataset if name is None else None
        _start(Reading(here, target, name or "", form, visibility, path, source, folder))

    source = _source(place == _PATH, begin)
    st.button(
        "Read and compare",
        disabled=source is None,
        on_click=safely("importing", _begin, here, name, source),
        key="import-read",
    )
    *asked, refused = st.session_state.get(_REFUSED, (here, name, ""))
    if refused and asked == [here, name]:
        st.error(plain(refused), icon=":material/error:")
    _told(here, author)


def _target(dataset: Dataset | None) -> str | None:
    """The name of the new dataset that the labels are for; None for ``dataset``."""
    into = _NEW
    if dataset is not None:
        into = st.segmented_control(
            "Import into", [_HERE, _NEW], default=_HERE, required=True, key="import-into"
        )
    if into == _HERE:
        return None
    return str(
        st.text_input(
            "Name of the new dataset",
            "labels",
            max_chars=64,
            key="import-name",
            help="The files must hold the images too.",
        ).strip()
    )


def _source(by_path: bool, begin: Callable[..., None]) -> Callable[[], None] | None:
    """What calls ``begin(path, source, folder)`` with the chosen file or folder, see ``Reading``;
    None where none is chosen."""
    if by_path:
        text = st.text_input(
            "Folder, zip or file", placeholder="/data/project-1.zip", key="import-path"
        ).strip()
        path = Path(text).expanduser()
        return (lambda: begin(path, path.name or text)) if text else None
    file = st.file_uploader("File", type=_SUFFIXES, key="import-file")
    if file is None:
        return None

    def upload() -> None:
        root = make_folder(home() / "uploads")
        folder = Path(tempfile.mkdtemp(prefix="import-", dir=root))
        # Nothing of the name but its suffixes: it comes from outside.
        suffix = "".join(s for s in Path(file.name).suffixes[-2:] if s[1:].lower() in _SUFFIXES)
        path = folder / f"labels{suffix.lower()}"
        path.write_bytes(file.getbuffer())
        begin(path, file.name[:80], folder)

    return upload


def _begin(place: str | None, name: str | None, source: Callable[[], None]) -> None:
    """Read what ``source`` begins with, for a new dataset ``name`` if that can be one."""
    from fkd.labels.importing import check_new

    st.session_state.pop(_REFUSED, None)
    try:
        if name is not None:
            check_new(name)
        source()
    except UserError as error:
        st.session_state[_REFUSED] = place, name, str(error)


def _start(reading: Reading) -> None:
    st.session_state.pop(_SAVED, None)
    st.session_state[_READ] = start_alone("Import", reading.source, reading)


def _told(place: str | None, author: str) -> None:
    """How far reading is; what was read; how saving it ended. Of what began at another ``place``,
    nothing."""
    task: Task | None = st.session_state.get(_READ)
    if task is None or not isinstance(task.work, Reading):
        return
    reading = task.work
    saved: Task | None = st.session_state.get(_SAVED)
    if reading.place != place:
        if saved is not None and saved.state == "done":
            _forget()
    elif saved is not None and saved.state in ("running", "done"):
        _saved(saved, reading)
    elif task.state == "running":
        strip.wait_for(task)
    elif reading.plan is None or task.state != "done":
        st.error(plain(task.message), icon=":material/error:")
    else:
        _preview(reading, reading.plan, author, saved)


def _preview(reading: Reading, plan: ImportPlan, author: str, failed: Task | None) -> None:
    """What the import would do, and the buttons to do it or not. Where saving it ``failed``, it is
    compared with the labels once more first: they may be others by now."""
    from fkd.labels.importing import NOTHING_TO_IMPORT

    with st.container(border=True):
        for line in plan.lines():
            st.markdown(plain(line))
        for reason in plan.reasons:
            st.warning(plain(reason), icon=":material/warning:")
        if reading.dataset is not None and plan.changes_nothing:
            st.info(NOTHING_TO_IMPORT, icon=":material/check:")
        if failed is not None:
            st.error(plain(failed.message), icon=":material/error:")
        with st.container(horizontal=True):
            if failed is not None:
                st.button(
                    "Compare again",
                    type="primary",
                    key="import-again",
                    on_click=safely("importing", _start, reading),
                )
            elif reading.dataset is None or not plan.changes_nothing:
                st.button(
                    "Import anyway" if plan.reasons else "Import",
                    type="secondary" if plan.reasons else "primary",
                    key="import-save",
                    disabled=not author,
                    help=None if author else "Enter your name first.",
                    on_click=safely("importing", _save, reading, author),
                )
            st.button("Discard", key="import-discard", on_click=_forget)


def _save(reading: Reading, author: str) -> None:
    st.session_state[_SAVED] = start_alone("Import", reading.source, Saving(reading, author))


def _forget() -> None:
    for key in (_READ, _SAVED):
        st.session_state.pop(key, None)


def _saved(task: Task, reading: Reading) -> None:
    """How far saving is, or what it has saved."""
    if task.state == "running":
        strip.wait_for(task)
        return
    st.success(plain(task.message), icon=":material/check:")
    with st.container(horizontal=True):
        if reading.dataset is None:
            name = reading.name
            st.button(f"Open {name}", key="import-open", on_click=lambda: state.open_next(name))
        st.button("Dismiss", type="tertiary", key="import-dismiss", on_click=_forget)
