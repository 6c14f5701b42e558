"""How long work reports itself: one callback, shared by the command line and the dashboard."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""``progress(stage, done, total)``: ``stage`` is a short phrase in the present participle
("reading training rows"), ``done`` and ``total`` count the same unit; ``total`` is 0 while it is
unknown. The callback may raise (``Cancelled``) to stop the work; workers must then clean up."""


def silent(stage: str, done: int, total: int) -> None:
    """The callback of a caller that does not look."""
