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
    status.QUEUED: Look("gray", "hourglass_top", "Waits for its turn; starts by itself."),
    status.RUNNING: Look("blue", "play_arrow", "Trains in a process of its own."),
    status.STOPPING: Look("orange", "stop", "Ends at the next batch and keeps its weights."),
    status.STOPPED: Look("violet", "pause", "Ended early by you; its weights are kept."),
    status.FINISHED: Look("green", "check", "Ended by itself."),
    status.CANCELLED: Look("gray", "block", "Ended by you; its weights were discarded."),
    status.FAILED: Look("red", "error", "Ended by a fault that it could name."),
    status.CRASHED: Look("red", "heart_broken", "Its process is gone without a word."),
}
_UNKNOWN = Look("gray", "help", "")


def look(state: str) -> Look:
    return LOOKS.get(state, _UNKNOWN)


def badge(state: str) -> str:
    """The state as a coloured badge, in Markdown."""
    seen = look(state)
    return f":{seen.color}-badge[:material/{seen.icon}: {state}]"
