"""How each state of a run looks, the same in headings, tables and the sidebar."""

from __future__ import annotations

from dataclasses import dataclass

from fkd.training import status


@dataclass(frozen=True)
class Look:
    """``color`` as Streamlit's badges and tables name it, ``icon`` a Material one, and what the
    state means."""

    color: str
    icon: str
    means: str


LOOKS = {
    status.QUEUED: Look("gray", "hourglass_top", "Waits in the queue; starts automatically."),
    status.RUNNING: Look("blue", "play_arrow", "Trains in the background."),
    status.STOPPING: Look("orange", "stop", "Ends within seconds."),
    status.STOPPED: Look("violet", "pause", "Stopped early; the weights are kept."),
    status.FINISHED: Look("green", "check", "All epochs are done, or early stopping ended it."),
    status.CANCELLED: Look("gray", "block", "Cancelled; the weights were discarded."),
    status.FAILED: Look("red", "error", "Ended by an error."),
    status.CRASHED: Look("red", "heart_broken", "Its process ended unexpectedly."),
}
_UNKNOWN = Look("gray", "help", "")


def look(state: str) -> Look:
    return LOOKS.get(state, _UNKNOWN)


def badge(state: str) -> str:
    """The state as a coloured badge, in Markdown."""
    seen = look(state)
    return f":{seen.color}-badge[:material/{seen.icon}: {state}]"
