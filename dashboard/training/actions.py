"""What can be done with a run: stop, cancel, resume, rename, note, download, delete."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import streamlit as st

from dashboard import routes
from dashboard.guard import safely
from dashboard.training import view
from dashboard.training.listing import Listed
from dashboard.words import compact, plain
from fkd.formats.safe_csv import file_table
from fkd.training.launcher import resume
from fkd.training.runs import MAX_NOTE, Run
from fkd.training.status import FINISHED, STOPPING


def buttons(one: Listed) -> None:
    """The buttons that the run's state allows."""
    run, status = one.run, one.status
    if status.active:
        asked = run.stop_requested or run.cancel_requested or status.state == STOPPING
        st.button(
            "Stopping ..." if asked else "Stop early",
            icon=":material/stop:",
            disabled=asked,
            help="Ends the training within seconds and keeps the weights; it can be resumed.",
            on_click=safely(f"stopping {run.name}", run.request_stop),
        )
        if st.button(
            "Cancel",
            icon=":material/block:",
            disabled=run.cancel_requested,
            help="Ends the training and discards the weights; asks first.",
        ):
            _confirm_cancel(run)
    if run.resumable:
        st.button(
            "Resume",
            icon=":material/play_arrow:",
            type="primary",
            on_click=safely(f"resuming {run.name}", resume, run),
        )
    if run.best.is_file() and st.button(
        "Evaluate",
        icon=":material/target:",
        type="primary" if status.state == FINISHED else "secondary",
        help="Evaluates its best epoch, beside the first run that it is compared with.",
    ):
        other = next((name for name in view.shown() if name != run.name), "")
        routes.evaluate(run.name, other, one.config.dataset)
    _edit(one)
    _downloads(run)
    if not status.active and st.button(
        "", icon=":material/delete:", help="Delete this run; asks first", key="delete-run"
    ):
        confirm_delete(run, _left_behind(one))


def broken(run: Run, reason: str) -> None:
    """A run that cannot be read: why, and the way to be rid of it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.error(plain(reason), icon=":material/broken_image:")
        if st.button("Delete", key=f"delete-{run.name}", icon=":material/delete:"):
            confirm_delete(run, "with everything in its folder")


def _left_behind(one: Listed) -> str:
    best = one.status.best
    if not one.run.best.is_file():
        return "with its history and log; it has no weights"
    if best is None:
        return "with its weights, its history and its log"
    return (
        f"with its weights ({best[1]:.3g} px at epoch {best[0]}), its history of "
        f"{compact(one.status.epoch)} epochs and its log"
    )


@st.dialog("Delete this run?")
def confirm_delete(run: Run, what: str) -> None:
    """Ask, then delete ``run``."""
    st.markdown(f"**{plain(run.name)}** is deleted {plain(what)}. This cannot be undone.")

    def delete() -> None:
        run.delete()
        view.show(*(name for name in view.shown() if name != run.name))

    _answer("Keep it", "Delete", ":material/delete:", safely(f"deleting {run.name}", delete))


@st.dialog("Cancel this training?")
def _confirm_cancel(run: Run) -> None:
    st.markdown(
        f"**{plain(run.name)}** ends and its weights are discarded. "
        "*Stop early* ends it too, but keeps them."
    )
    _answer(
        "Keep training",
        "Cancel and discard the weights",
        ":material/block:",
        safely(f"cancelling {run.name}", lambda: run.request_stop(cancel=True)),
    )


def _answer(no: str, yes: str, icon: str, act: Callable[[], None]) -> None:
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button(no):
            st.rerun()
        if st.button(yes, type="primary", icon=icon, on_click=act):
            st.rerun()


def _edit(one: Listed) -> None:
    run = one.run
    with st.popover("Edit", icon=":material/edit:"):
        st.session_state.setdefault(f"note-of-{run.name}", run.note)
        st.text_area(
            "Note",
            key=f"note-of-{run.name}",
            max_chars=MAX_NOTE,
            placeholder="What this run tried, and the result",
            on_change=safely(
                f"the note of {run.name}",
                lambda: run.write_note(st.session_state[f"note-of-{run.name}"]),
            ),
        )
        name = st.text_input(
            "Name",
            run.name,
            key=f"name-of-{run.name}",
            max_chars=64,
            disabled=one.status.active,
        )

        def rename() -> None:
            run.rename(name)
            view.show(name, *view.shown()[1:])

        st.button(
            "Rename",
            disabled=one.status.active or name == run.name,
            help="A run can be renamed once it has ended." if one.status.active else None,
            on_click=safely(f"renaming {run.name}", rename),
        )


def _content(path: Path) -> bytes:
    """A file as it is downloaded: no cell of a table is one that a spreadsheet would run."""
    return file_table(path) if path.suffix == ".csv" else path.read_bytes()


def _downloads(run: Run) -> None:
    files = [
        ("Weights of the best epoch", run.best, ".keras", "application/octet-stream"),
        ("Configuration", run.folder / "config.json", "-config.json", "application/json"),
        ("History (CSV)", run.folder / "metrics.csv", "-metrics.csv", "text/csv"),
        ("Log", run.log, "-log.txt", "text/plain"),
    ]
    with st.popover("Download", icon=":material/download:"):
        for label, path, ending, mime in files:
            st.download_button(
                label,
                partial(_content, path) if path.is_file() else b"",
                file_name=f"{run.name}{ending}",
                mime=mime,
                disabled=not path.is_file(),
                type="tertiary",
                icon=":material/download:",
                on_click="ignore",
                key=f"download{ending}",
            )
