"""Labels out to files of other tools, and in from them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from dashboard.datasets import strip
from dashboard.guard import safely
from dashboard.tasks import Task, start_alone
from dashboard.words import compact, plain
from fkd.dataset import Dataset
from fkd.labels.formats import FORMATS
from fkd.labels.store import LabelStore
from fkd.progress import Progress
from fkd.settings import home

_OUT, _IN = "correct-export-task", "correct-import-task"
_SUFFIXES = ["zip", "csv", "json"]


@dataclass(frozen=True)
class Exporting:
    """Writing the labels at ``version`` to the file ``path``."""

    dataset: Dataset
    version: int
    format: str
    path: Path

    def __call__(self, progress: Progress) -> str:
        from fkd.labels.at import labels_at
        from fkd.labels.exchange import export

        labels = labels_at(LabelStore(self.dataset), self.version)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.unlink(missing_ok=True)
        lost = export(self.dataset, labels, self.format, self.path, progress).lost
        return " ".join(["is written.", *lost]).rstrip(".")


@dataclass(frozen=True)
class Importing:
    """Reading labels for ``dataset`` from an uploaded file, which is removed afterwards."""

    dataset: Dataset
    format: str
    path: Path
    name: str
    author: str

    def __call__(self, progress: Progress) -> str:
        from fkd.labels.exchange import read
        from fkd.labels.importing import save_imported

        try:
            imported = read(self.path, self.format, self.dataset.schema, progress)
            said = save_imported(self.dataset, imported, self.format, self.name, self.author)
        finally:
            shutil.rmtree(self.path.parent, ignore_errors=True)
        return f"is read: {said or 'it says what the labels say'}"


def exchange(dataset: Dataset, author: str) -> None:
    """The buttons for both."""
    with st.expander("Export and import", icon=":material/swap_vert:"):
        out, into = st.columns(2, gap="large")
        with out:
            _export(dataset)
        with into:
            _import(dataset, author)


def _format(label: str, key: str) -> str:
    chosen = st.selectbox(
        label, list(FORMATS), format_func=lambda name: FORMATS[name].title, key=key
    )
    losses = FORMATS[chosen].losses
    st.caption(f"{FORMATS[chosen].layout}. " + (" ".join(losses) or "Holds every label as it is."))
    return str(chosen)


def _export(dataset: Dataset) -> None:
    chosen = _format("Write labels and images as", "correct-export-format")
    latest = LabelStore(dataset).head()
    version = st.number_input(
        "Version of the labels", 0, latest, latest, key=f"correct-export-version-{latest}"
    )
    path = home() / "exports" / f"{dataset.name}-labels-{version}-{chosen}.zip"
    work = Exporting(dataset, int(version), chosen, path)
    st.button("Export", on_click=_starter("exporting", _OUT, path.name, work))
    task = _told(_OUT)
    if task is not None and task.state == "done" and isinstance(task.work, Exporting):
        made = task.work.path
        if made.is_file():
            st.download_button(
                f"Download {made.name}",
                made.read_bytes,
                file_name=made.name,
                mime="application/zip",
                icon=":material/download:",
                type="primary",
                on_click="ignore",
            )


def _import(dataset: Dataset, author: str) -> None:
    chosen = _format("Read labels from", "correct-import-format")
    file = st.file_uploader("File", type=_SUFFIXES, key="correct-import-file")

    def begin() -> None:
        if file is None:
            return
        folder = Path(tempfile.mkdtemp(prefix="fkd-import-"))
        # Nothing of the name but its suffix: it comes from outside.
        path = folder / f"labels{Path(file.name).suffix.lower()}"
        path.write_bytes(file.getbuffer())
        work = Importing(dataset, chosen, path, file.name[:80], author)
        _starter("importing", _IN, file.name[:80], work)()

    st.button(
        "Import",
        disabled=file is None,
        help=f"For the {compact(len(dataset))} images of this dataset, as a new version of the "
        "labels. New datasets with images come in by `fkd import`.",
        on_click=begin,
    )
    _told(_IN)


def _starter(
    what: str, key: str, subject: str, work: Callable[[Progress], str]
) -> Callable[[], None]:
    return safely(
        what, lambda: st.session_state.update({key: start_alone(what.title(), subject, work)})
    )


def _told(key: str) -> Task | None:
    """Show the task under ``key``: how far it is, or how it ended."""
    task: Task | None = st.session_state.get(key)
    if task is None:
        return None
    if task.state == "running":
        strip.wait_for(task)
    elif task.state == "done":
        st.success(plain(task.message), icon=":material/check:")
    else:
        st.error(plain(task.message), icon=":material/error:")
    return task
