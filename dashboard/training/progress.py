"""How far a run is, in words, numbers and curves."""

from __future__ import annotations

import time
from dataclasses import asdict

import pandas as pd
import streamlit as st

from dashboard import loaders
from dashboard.line_chart import line_chart
from dashboard.links import linked_choice
from dashboard.training import curves, times, view
from dashboard.training.listing import Listed, past
from dashboard.training.states import look
from dashboard.widgets import download_table
from dashboard.words import compact, duration, plain
from fkd.training import status as states
from fkd.training.estimate import Span, remaining, usual_stage, usual_start

_RMSE = (
    "Root of the mean squared difference between predicted and labelled coordinates, over every "
    "labelled point of the validation images. In px of the faces as they are stored."
)
_DOES = {
    states.STARTING: "Starting the process",
    states.LOADING: "Loading TensorFlow",
    states.PREPARING: "Loading the data",
    states.COMPILING: "Compiling the model",
    states.TRAINING: "First batches",
}
"""What is said of each stage of the start."""


def show(one: Listed) -> None:
    """State, progress and the numbers of one run."""
    status = one.status
    if status.state == states.QUEUED and states.STARTING not in status.began:
        waits = plain(status.stage or "starting")
        st.progress(0.0, text=f"**Queued**: {waits}, {duration(time.time() - one.run.queued_at)}")
    elif status.active and not _begun(one):
        _start(one)
    elif status.active:
        st.progress(status.share, text=_doing(one))
        _numbers(one)
    else:
        _ended(one)
        if status.epoch:
            _numbers(one)


def _begun(one: Listed) -> bool:
    """Whether there is a curve, and this start of the run has added to it."""
    return one.status.trains and len(loaders.run_history(one.run)) > 1


def _start(one: Listed) -> None:
    """What a training does before its curve begins, with one clock."""
    status = one.status
    before = past(one.config.model, one.images, exclude=one.name)
    ran = time.time() - status.began.get(states.STARTING, one.run.queued_at)
    stopping = status.state == states.STOPPING
    head = "**Stopping**" if stopping else f"**Starting**: {duration(ran)}"
    if not stopping:
        usual = times.in_words(Span(usual_start(before), usual_start(before)))
        head += f" :gray[(the curve usually begins after {usual})]"
    st.markdown(f":material/hourglass_top: {head}")
    took = status.stage_seconds()
    lines = []
    for stage, words in _DOES.items():
        if stage in took:
            lines.append(f":material/check: {words} :gray[{duration(took[stage])}]")
        elif stage in status.began:
            usual = usual_stage(before, stage)
            known = f" :gray[(usually {duration(usual)})]" if usual else ""
            lines.append(f":material/arrow_right: **{words}**{known}")
        else:
            lines.append(f":gray[:material/circle: {words}]")
    st.markdown("  \n".join(lines))


def _doing(one: Listed) -> str:
    status = one.status
    now = min(status.epoch + 1, status.epochs)
    doing = "stopping" if status.state == states.STOPPING else status.stage or status.state
    return f"**Epoch {now} of {status.epochs}**: {plain(doing)}"


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
        st.info(plain(f"{words} {_cut_short(one)}{on}"), icon=icon)
    elif status.state == states.CANCELLED:
        st.info(plain(words), icon=icon)
    elif status.reason:
        st.success(plain(words), icon=icon)


def _cut_short(one: Listed) -> str:
    """What is said of a run that was stopped within its first epoch."""
    rows = loaders.run_history(one.run)
    if one.status.epoch or not rows:
        return ""
    done, steps = rows[-1].step, one.status.steps
    return (
        f"It had done about {compact(done)} of the {compact(steps)} batches of its first epoch, "
        "too few to judge it by. "
    )


def _numbers(one: Listed) -> None:
    status, patience = one.status, one.config.patience
    cells = st.columns(6)
    best = status.best
    cells[0].metric("Best RMSE", f"{best[1]:.3g} px" if best else "–", help=_RMSE)
    cells[1].metric(
        "Best epoch",
        best[0] if best else "–",
        help="The weights that are kept are those of this epoch.",
    )
    cells[2].metric(
        "Epochs since best",
        f"{status.plateau} of {patience}" if patience else status.plateau,
        help=f"Early stopping ends the training after {patience}."
        if patience
        else "Early stopping is off: all epochs are trained.",
    )
    speed = status.images_per_second
    cells[3].metric("Speed", f"{speed:.0f} images/s" if speed else "–")
    cells[4].metric(
        "Training time",
        duration(status.elapsed) if status.elapsed else "–",
        help="Since the model began to compile, over all parts of the run.",
    )
    if status.active:
        left = remaining(loaders.run_history(one.run), status.steps, status.epochs)
        cells[5].metric(
            "Left",
            times.in_words(left) if left else "–",
            help="By the time that its latest epochs took.",
        )
    else:
        cells[5].metric("Epochs done", f"{status.epoch} of {status.epochs}")


def charts(found: list[Listed]) -> None:
    """Error and loss of the runs over the epochs; those that are hidden keep their colour."""
    hidden = view.hidden()
    courses = [
        curves.Course(
            one.name,
            loaders.run_history(one.run),
            one.status.best[0] if one.status.best else 0,
            color,
        )
        for one, color in zip(found, curves.COLORS, strict=False)
    ]
    if not any(len(course.rows) > 1 for course in courses):
        if any(
            course.rows and not one.status.active
            for course, one in zip(courses, found, strict=False)
        ):
            st.caption("There is no curve: the run ended within its first batches.")
        return
    courses = [course for course in courses if course.name not in hidden]
    with st.container(horizontal=True, vertical_alignment="center", gap="large"):
        scale = linked_choice(
            st.segmented_control,
            "Scale",
            {"log": "Logarithmic", "linear": "Linear"},
            "scale",
            label_visibility="collapsed",
        )
        smoothing = view.smoothing()
        _smoothing(smoothing)
    if not courses:
        st.caption("All runs are hidden. Show one of them above.")
        return
    for place, what in zip(st.columns(2, gap="medium"), (curves.ERROR, curves.LOSS), strict=True):
        with place:
            unit = f" ({what.unit.strip()})" if what.unit else ""
            st.markdown(f"#### {what.title}{unit}")
            line_chart(
                curves.lines(courses, what, smoothing),
                f"course-{what.title.lower()}",
                marks=curves.best_marks(courses, what),
                legend=curves.legend(courses),
                x_title="epoch",
                unit=what.unit,
                log=scale == "log",
                height=320,
                summary=_summary(courses, what),
            )
    _download(courses)


def _download(courses: list[curves.Course]) -> None:
    """The history of the runs drawn, one below the other."""
    rows = [{"run": course.name, **asdict(row)} for course in courses for row in course.rows]
    download_table(pd.DataFrame(rows), "history")


def _smoothing(now: float) -> None:
    st.session_state["smoothing"] = now
    st.slider(
        "Smoothing",
        0.0,
        view.MAX_SMOOTHING,
        step=0.05,
        key="smoothing",
        width=260,
        help="Each value is averaged with those before it, which count for less the further back "
        "they are. The values themselves stay visible as pale lines.",
        on_change=lambda: view.smooth(st.session_state["smoothing"]),
    )


def _summary(courses: list[curves.Course], what: curves.Quantity) -> str:
    names = ", ".join(course.name for course in courses)
    return f"{what.title} of {names} over the epochs, in training and validation"
