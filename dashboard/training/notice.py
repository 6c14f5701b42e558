"""Notices of the browser at the end of a training, asked for with a button."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit.components.v2 import component

from fkd.errors import UserError
from fkd.training.runs import Run, open_run
from fkd.training.status import Status

_SEEN = "trainings-seen"
"""Names of the runs that this session has seen active."""

_notice = component(
    "fkd_notice",
    html='<button type="button" hidden></button>',
    css="""
button {
  padding: 2px 8px; border-radius: 5px; border: 1px solid var(--st-border-color);
  font: inherit; font-size: 13px; cursor: pointer;
  color: var(--st-text-color); background: transparent;
}
button[aria-pressed="true"] { border-color: var(--st-primary-color); }
button:disabled { cursor: default; }
button:focus-visible { outline: 2px solid var(--st-primary-color); }
[hidden] { display: none; }
""",
    js=(Path(__file__).parent / "notice.js").read_text(),
)


def notices(active: list[tuple[Run, Status]]) -> None:
    """Offer notices while something is ``active``, and give the browser what has ended since."""
    seen: set[str] = st.session_state.setdefault(_SEEN, set())
    now = {run.name for run, _ in active}
    ended = [told for name in sorted(seen - now) if (told := _told(name))]
    if not now and not ended:
        return
    # What has ended is told again with every run: the browser tells each once.
    st.session_state[_SEEN] = seen | now
    _notice(key="training-notice", data={"offered": bool(now), "ended": ended})


def _told(name: str) -> dict[str, str] | None:
    """What is said of the end of a run; None where there is nothing to say."""
    try:
        status = open_run(name).status
    except UserError:
        return None
    if status.active:
        return None
    body = status.reason or f"{status.epoch} of {status.epochs} epochs."
    if status.best:
        body = f"Best RMSE {status.best[1]:.3g} px at epoch {status.best[0]}. {body}"
    key = f"{name}-{status.state}-{status.epoch}-{round(status.heartbeat)}"
    return {"key": key, "title": f"{name}: {status.state}", "body": body[:300]}
