"""Labels out to files of other tools, and in from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from dashboard.datasets import strip
from dashboard.guard import safely
from dashboard.label_import import label_import
from dashboard.tasks import Task, start_alone
from dashboard.words import plain
from fkd.dataset import Dataset
from fkd.labels.formats import FORMATS
from fkd.labels.store import LabelStore
from fkd.private import make_folder
from fkd.progress import Progress
from fkd.scratch import instead_of
from fkd.settings import home

_OUT = "correct-export-task"


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
        make_folder(self.path.parent)
        self.path.unlink(missing_ok=True)
        lost = export(self.dataset, labels, self.format, self.path, progress).lost
        return " ".join(["is written.", *lost]).rstrip(".")


def exchange(dataset: Dataset, author: str) -> None:
    """The buttons for both."""
    with st.expander("Export and import", icon=":material/swap_vert:"):
        out, into = st.columns(2, gap="large")
        with out:
            _export(dataset)
        with into:
            label_import(dataset, author)


def _export(dataset: Dataset) -> None:
    chosen = st.selectbox(
        "Write labels and images as",
        list(FORMATS),
        format_func=lambda name: FORMATS[name].title,
        key="correct-export-format",
    )
    losses = FORMATS[chosen].losses
    st.caption(f"{FORMATS[chosen].layout}. " + (" ".join(losses) or "Holds every label as it is."))
    latest = LabelStore(dataset).head()
    version = st.number_input(
        "Version of the labels", 0, latest, latest, key=f"correct-export-version-{latest}"
    )
    path = instead_of(home() / "exports") / f"{dataset.name}-labels-{version}-{chosen}.zip"
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
