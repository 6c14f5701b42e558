"""Which runs the Train page shows, as it stands in the link: ``?run=compact-3,compact-1``."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

_RUN, _WORDS, _EPOCH = "run", "find", "epoch"
_HIDDEN, _SMOOTHING, _SETTINGS = "hide", "smooth", "settings"
MAX_SMOOTHING = 0.95
"""What the value before counts for, at most."""
MAX_SHOWN = 8
"""Runs shown at a time: as many as there are colours to tell apart."""


def shown() -> list[str]:
    """Names of the runs that the link asks for; the first is the one shown in full, the others
    are laid over its curves. None: the form and the list of runs."""
    asked = st.query_params.get(_RUN, "").split(",")
    return list(dict.fromkeys(name for name in asked if name))[:MAX_SHOWN]


def show(*names: str) -> None:
    """Show ``names`` from the next run on; without any, the list."""
    if names[:1] != tuple(shown()[:1]):
        show_epoch(None)
    if names:
        st.query_params[_RUN] = ",".join(dict.fromkeys(names))
    else:
        for parameter in (_RUN, _HIDDEN, _SMOOTHING, _SETTINGS):
            st.query_params.pop(parameter, None)


def hidden() -> set[str]:
    """Names of the runs shown that are left out of the charts."""
    return set(st.query_params.get(_HIDDEN, "").split(",")) & set(shown())


def hide(names: Iterable[str]) -> None:
    """Leave ``names`` out of the charts, and no others."""
    _put(_HIDDEN, ",".join(names))


def smoothing() -> float:
    """How much the curves are smoothed, from 0 to ``MAX_SMOOTHING``."""
    try:
        asked = float(st.query_params.get(_SMOOTHING, ""))
    except ValueError:
        return 0.0
    # NaN is neither.
    return round(min(asked, MAX_SMOOTHING), 2) if asked > 0 else 0.0


def smooth(weight: float) -> None:
    """Smooth the curves by ``weight``."""
    _put(_SMOOTHING, f"{weight:g}" if weight else "")


def all_settings() -> bool:
    """Whether all settings of the runs are compared, not only those that differ."""
    return st.query_params.get(_SETTINGS) == "all"


def show_all_settings(wanted: bool) -> None:
    """Compare all settings, or only those that differ."""
    _put(_SETTINGS, "all" if wanted else "")


def words() -> str:
    """What the list of runs is filtered by."""
    return st.query_params.get(_WORDS, "")[:200]


def look_for(text: str) -> None:
    """Filter the list of runs by ``text``."""
    _put(_WORDS, text)


def epoch() -> int | None:
    """The epoch whose predictions are shown; None for the latest."""
    asked = st.query_params.get(_EPOCH, "")
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 9 else None


def show_epoch(number: int | None) -> None:
    """Show the predictions after epoch ``number``; None for the latest."""
    _put(_EPOCH, "" if number is None else str(number))


def _put(parameter: str, text: str) -> None:
    if text:
        st.query_params[parameter] = text
    else:
        st.query_params.pop(parameter, None)


def query(name: str) -> dict[str, str]:
    """The link to one run, as query parameters."""
    return {_RUN: name}
