"""The title of the browser's tab, which tells how far a training is."""

from __future__ import annotations

from fkd.training.runs import Run
from fkd.training.status import QUEUED, Status

NAME = "fkd workbench"


def tab_title(page: str, active: list[tuple[Run, Status]]) -> str:
    """``Train · fkd workbench``, and in front of it how far the first of ``active`` is that
    does not wait: ``34 % compact-3``."""
    parts = [part for part in (page, NAME) if part]
    for run, status in active:
        if status.state != QUEUED:
            done = f"{100 * status.share:.0f} %" if status.trains else "…"
            return " · ".join([f"{done} {run.name}", *parts])
    return " · ".join(parts)
