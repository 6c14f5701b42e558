"""How far a run is, in words, numbers and curves."""

from __future__ import annotations

import time

import streamlit as st

from dashboard import loaders
from dashboard.line_chart import line_chart
from dashboard.links import linked_choice
from dashboard.training import curves
from dashboard.training.listing import Listed
from dashboard.training.states import look
from dashboard.words import about, duration, plain
from fkd.training import status as states

_RMSE = (
    "Root of the mean squared difference between predicted and labelled coordinates, over every "
    "labelled point of the validation images. In px of the faces as they are stored."
)


def show(one: Listed) -> None:
    """State, progress and the numbers of one run."""
    status = one.status
    if status.active:
        st.progress(status.share, text=_doing(one))
    else:
        _ended(one)
    _numbers(one)


def _doing(one: Listed) -> str:
    status = one.status
    # Until the first batch nothing else moves: the seconds show that it lives.
    since = f", {duration(time.time() - one.run.queued_at)}"
    if status.state == states.QUEUED:
        return f"**Queued**: {plain(status.stage or 'starting')}{since}"
    text = f"**Epoch {min(status.epoch + 1, status.epochs)} of {status.epochs}**"
    text += f": {plain(status.stage or status.state)}"
    return text if status.epoch or status.step else text + since


def _ended(one: Listed) -> None:
    """How it ended and the way on."""
    status, seen = one.status, look(one.status.state)
    words = status.reason or seen.means
    icon = f":material/{seen.icon}:"
    if status.state in {states.FAILED, states.CRASHED}:
        on = (
            f"Resume goes on after epoch {status.epoch}."
            if one.run.last.is_file()
            else "Resume begins anew."
        )
        st.error(plain(f"{words} {on}"), icon=icon)
    elif status.state == states.STOPPED:
        on = "Resume goes on from there." if one.run.last.is_file() else "Resume begins anew."
        st.info(plain(f"{words} {on}"), icon=icon)
    elif status.state == states.CANCELLED:
        st.info(plain(words), icon=icon)
    elif status.reason:
        st.success(plain(words), icon=icon)


def _numbers(one: Listed) -> None:
    status, patience = one.status, one.config.patience
    cells = st.columns(6)
    best = "–" if status.best_rmse_px is None else f"{status.best_rmse_px:.3g} px"
    cells[0].metric("Best RMSE", best, help=_RMSE)
    cells[1].metric(
        "Best epoch",
        status.best_epoch or "–",
        help="Its weights are the ones kept in best.keras.",
    )
    cells[2].metric(
        "Epochs in plateau",
        f"{status.plateau} of {patience}" if patience else status.plateau,
        help="Epochs since the best one. "
        + (
            f"After {patience} the training ends by itself."
            if patience
            else "Early stopping is off: all epochs are trained."
        ),
    )
    cells[3].metric(
        "Speed",
        f"{status.images_per_second:.0f} images/s" if status.images_per_second else "–",
    )
    cells[4].metric("Elapsed", duration(status.elapsed) if status.elapsed else "–")
    if status.active:
        left = status.seconds_left
        cells[5].metric("Left", "–" if left is None else about(left), help="At the pace so far")
    else:
        cells[5].metric("Epochs done", f"{status.epoch} of {status.epochs}")


def charts(found: list[Listed]) -> None:
    """Error and loss of the runs over the epochs."""
    courses = [
        curves.Course(one.name, loaders.run_history(one.run), one.status.best_epoch)
        for one in found
    ]
    if not any(course.rows for course in courses):
        st.caption("The curves begin with the first batches.")
        return
    scale = linked_choice(
        st.segmented_control,
        "Scale",
        {"log": "Logarithmic", "linear": "Linear"},
        "scale",
        label_visibility="collapsed",
    )
    for place, what in zip(st.columns(2, gap="medium"), (curves.ERROR, curves.LOSS), strict=True):
        with place:
            unit = f" in{what.unit}" if what.unit else ""
            st.markdown(f"#### {what.title}{unit}")
            line_chart(
                curves.lines(courses, what),
                f"course-{what.title.lower()}",
                marks=curves.best_marks(courses, what),
                legend=curves.legend(courses),
                x_title="epoch",
                unit=what.unit,
                log=scale == "log",
                height=320,
                summary=_summary(found, what),
            )


def _summary(found: list[Listed], what: curves.Quantity) -> str:
    names = ", ".join(one.name for one in found)
    return f"{what.title} of {names} over the epochs, in training and validation"
