"""How long work reports itself: one callback, shared by the command line and the dashboard."""

from __future__ import annotations

import json
from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""``progress(stage, done, total)``: ``stage`` is a short phrase in the present participle
("reading training rows"), ``done`` and ``total`` count the same unit; ``total`` is 0 while it is
unknown. The callback may raise (``Cancelled``) to stop the work; workers must then clean up."""


def silent(stage: str, done: int, total: int) -> None:
    """The callback of a caller that does not look."""


def to_line(stage: str, done: int, total: int) -> str:
    """A report as one line of text, for a process that watches this one."""
    return json.dumps({"stage": stage, "done": done, "total": total})


def from_line(line: str) -> tuple[str, int, int] | None:
    """The report that ``to_line`` wrote; None for any other line."""
    try:
        report = json.loads(line)
        return str(report["stage"]), int(report["done"]), int(report["total"])
    except (ValueError, TypeError, KeyError, OverflowError):
        return None
