"""Labels out to files of other tools, and in from them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboard.datasets import strip
from dashboard.guard import safely
from dashboard.label_import import label_import
from dashboard.tasks import Task, start_alone
from dashboard.words import compact, plain
from fkd.dataset import Dataset
from fkd.labels.formats import FORMATS
from fkd.labels.store import LabelStore
from fkd.private import make_folder
from fkd.progress import Progress
from fkd.scratch import instead_of
from fkd.settings import home


@dataclass(frozen=True)
class Exporting:
    """Writing the labels at ``version``, of all images or of those with the source rows ``rows``,
    to the file ``path``."""

    dataset: Dataset
    version: int
    format: str
    path: Path
    rows: NDArray[np.int64] | None = None

    def __call__(self, progress: Progress) -> str:
        from fkd.labels.at import labels_at
        from fkd.labels.exchange import export
        from fkd.labels.tags import with_tags

        store = LabelStore(self.dataset)
        labels = with_tags(labels_at(store, self.version), store)
        if self.rows is not None:
            labels = labels.take(np.isin(labels.rows, self.rows))
        make_folder(self.path.parent)
        self.path.unlink(missing_ok=True)
        lost = export(self.dataset, labels, self.format, self.path, progress).lost
        return " ".join(["is written.", *lost]).rstrip(".")


def exchange(dataset: Dataset, author: str) -> None:
    """The buttons for both."""
    with st.expander("Export and import", icon=":material/swap_vert:"):
        out, into = st.columns(2, gap="large")
        with out:
            export_form(dataset, "correct-export")
        with into:
            label_import(dataset, author)


def export_form(dataset: Dataset, key: str, rows: NDArray[np.int64] | None = None) -> None:
    """The form that writes the labels and images of ``dataset``, all or those with the source rows
    ``rows``, to a file and offers it for download. ``key`` tells it from others."""
    chosen = st.selectbox(
        "Write labels and images as",
        list(FORMATS),
        format_func=lambda name: FORMATS[name].title,
        key=f"{key}-format",
    )
    losses = FORMATS[chosen].losses
    st.caption(f"{FORMATS[chosen].layout}. " + (" ".join(losses) or "Holds every label as it is."))
    latest = LabelStore(dataset).head()
    version = st.number_input(
        "Version of the labels", 0, latest, latest, key=f"{key}-version-{latest}"
    )
    some = "" if rows is None else f"-{len(rows)}-images-{_digest(rows)}"
    path = instead_of(home() / "exports") / f"{dataset.name}{some}-labels-{version}-{chosen}.zip"
    work = Exporting(dataset, int(version), chosen, path, rows)
    what = "Export" if rows is None else f"Export {compact(len(rows))} images"
    st.button(
        what, key=f"{key}-start", on_click=_starter("exporting", f"{key}-task", path.name, work)
    )
    task = _told(f"{key}-task")
    if task is not None and task.state == "done" and isinstance(task.work, Exporting):
        made = task.work.path
        if made == path and made.is_file():  # and not of what was chosen before
            st.download_button(
                f"Download {made.name}",
                made.read_bytes,
                key=f"{key}-download",
                file_name=made.name,
                mime="application/zip",
                icon=":material/download:",
                type="primary",
                on_click="ignore",
            )


def _digest(rows: NDArray[np.int64]) -> str:
    """Tells files of other rows apart."""
    return hashlib.sha256(rows.astype("<i8").tobytes()).hexdigest()[:8]


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
