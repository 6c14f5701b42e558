"""The strip that shows background work: progress, time left, stop; then how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard import state
from dashboard.datasets import beside
from dashboard.datasets.jobs import IngestJob
from dashboard.guard import failed, guard
from dashboard.tasks import Task, tasks
from dashboard.widgets import show_table
from dashboard.words import compact, duration, plain
from fkd.formats.report import Report
from fkd.ingest import IngestRefused
from fkd.keypoints import KAGGLE_15

if TYPE_CHECKING:
    import pandas as pd

_MINE, _BEGUN = "tasks_started_here", "tasks_of_forms_here"


def follow(task: Task) -> None:
    """Open the task's dataset in this browser once it is done. Until then it is shown below the
    form that began it: there somebody looks."""
    st.session_state.setdefault(_MINE, []).append(task)
    st.session_state.setdefault(_BEGUN, []).append(task)


def task_strip(*, of_form: bool = False) -> None:
    """Show the running and the ended tasks, those apart that a form here began; with ``of_form``
    just those. Refreshes itself while any is running."""
    if not tasks().list():
        return
    running = _any_running()
    st.fragment(_strip, run_every=0.4 if running else None)(running, of_form)


def _of_form(task: Task) -> bool:
    """Whether ``task`` stands below the form: begun there, and not done."""
    return task.state != "done" and task in st.session_state.get(_BEGUN, ())


def wait_for(task: Task) -> None:
    """Show one running task; when it has ended, in whatever way, the page is drawn anew, and its
    success needs no further word."""
    st.fragment(_wait, run_every=0.4)(task)


def _wait(task: Task) -> None:
    with guard("background work"):
        if task.state == "done":
            tasks().dismiss(task)
        if task.state != "running":
            st.rerun()
        _running(task, f"awaited-{task.subject}")


def _any_running() -> bool:
    return any(task.state == "running" for task in tasks().list())


def _strip(refreshing: bool, of_form: bool) -> None:
    with guard("background work"):  # a fragment that draws itself anew has none around it
        if failed() or (not refreshing and _any_running()):
            st.rerun()  # a button of the strip began a task: it has to refresh itself now
        _draw(of_form)


def _draw(of_form: bool) -> None:
    ended = False
    mine = st.session_state.setdefault(_MINE, [])
    for number, task in reversed(list(enumerate(tasks().list()))):
        if _of_form(task) != of_form:
            continue
        if task.state == "running":
            _running(task, str(number))
        else:
            _ended(task, number)
        if task.state == "done" and task in mine:
            state.open_next(task.subject)
            mine.remove(task)
            ended = True
        elif task.state != "running" and task in mine:
            mine.remove(task)
            ended = True
    if ended:
        st.rerun()


def _running(task: Task, key: str) -> None:
    left = task.seconds_left
    text = f"**{plain(task.label)}**: {plain(task.stage)}"
    if task.total:
        text += f", {task.share:.0%}"
    if left is not None:
        text += f", {duration(left)} left"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(task.share, text=text)
        stopping = task.stop.is_set()
        st.button(
            "Stopping ..." if stopping else "Stop",
            key=f"stop-{key}",
            icon=":material/stop:",
            disabled=stopping,
            on_click=task.stop.set,
        )


def _ended(task: Task, number: int) -> None:
    def dismiss() -> None:
        tasks().dismiss(task)

    with st.container(horizontal=True, vertical_alignment="center"):
        if task.state == "done":
            st.success(plain(task.message), icon=":material/check_circle:")
        elif task.state == "stopped":
            st.info(plain(task.message), icon=":material/stop_circle:")
        else:
            st.error(plain(f"{task.label}: {task.message}"), icon=":material/error:")
        st.button(
            "Dismiss",
            key=f"dismiss-{number}",
            icon=":material/close:",
            type="tertiary",
            on_click=dismiss,
        )
    if isinstance(task.error, IngestRefused):
        _validation(task, number, task.error, dismiss)


def _validation(task: Task, number: int, error: IngestRefused, dismiss: object) -> None:
    """Every problem as a table, and the way on where leaving the bad rows out would do. Of a file
    that is wrong as a whole, the sentence has said all; which columns there should be is folded
    away."""
    if error.curable or any(p.row is not None for r in error.reports for p in r.problems):
        _problem_table(task, number, error)
    else:
        columns = (*KAGGLE_15.coordinate_names, "Image")
        with st.expander(f"The {len(columns)} columns of a training table"):
            st.caption(plain(", ".join(columns)))
    job = task.work
    if error.curable and isinstance(job, IngestJob):

        def keep_good_rows() -> None:
            follow(job.without_bad_rows().start())
            tasks().dismiss(task)

        bad = sum(len(report.bad_rows) for report in error.reports)
        ones = "1 bad one" if bad == 1 else f"{compact(bad)} bad ones"
        st.button(
            f"Ingest the good rows, leave out {ones}",
            key=f"good-rows-{number}",
            on_click=beside.doing(f"good-rows-{task.subject}", task.label, keep_good_rows),
        )
        beside.tell(f"good-rows-{task.subject}")


def _problem_table(task: Task, number: int, error: IngestRefused) -> None:
    import pandas as pd  # only here: the first page is drawn sooner without it

    frame = pd.concat([_problems(report) for report in error.reports], ignore_index=True)
    show_table(
        frame,
        f"{task.subject}-problems-{number}",
        height=min(400, 38 + 35 * len(frame)),
        column_config={
            "row": st.column_config.NumberColumn(width=70),
            "line": st.column_config.NumberColumn(width=70),
            "reason": st.column_config.TextColumn(width="large"),
        },
    )
    listed = sum(len(report.problems) for report in error.reports)
    every = sum(len(report) for report in error.reports)
    if every > listed:
        st.caption(f"The first {compact(listed)} of {compact(every)} problems.")


def _problems(report: Report) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(
        [(p.file, p.row, p.line, p.column, p.reason) for p in report.problems],
        columns=["file", "row", "line", "column", "reason"],
    ).astype({"row": "Int64", "line": "Int64"})
