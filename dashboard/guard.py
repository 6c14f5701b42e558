"""No traceback reaches a user: what goes wrong in a page or a callback becomes one sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import streamlit as st

from dashboard.words import plain
from fkd.errors import UserError, explain
from fkd.log import log_unexpected

_FAILURES = "failures-of-callbacks"


@contextmanager
def guard(where: str) -> Iterator[None]:
    """Show an error as one sentence. What nobody foresaw goes to the log, which is named."""
    try:
        yield
    except Exception as error:
        _show(in_words(where, error))


def safely(where: str, callback: Callable[..., object], *arguments: Any) -> Callable[[], None]:
    """``callback(*arguments)`` as a widget takes it. A callback runs before the page and outside
    of its guard: the error it raises is kept, for ``tell_failures`` of the run that follows."""

    def call() -> None:
        try:
            callback(*arguments)
        except Exception as error:
            st.session_state.setdefault(_FAILURES, []).append(in_words(where, error))

    return call


def failed() -> bool:
    """Whether a callback has failed and that has not been told yet. A fragment that draws itself
    anew all the time leaves the telling to a run of the page, where it stays."""
    return bool(st.session_state.get(_FAILURES))


def tell_failures() -> None:
    """Show what went wrong in callbacks since the last run."""
    for failure in st.session_state.pop(_FAILURES, []):
        _show(failure)


def in_words(where: str, error: Exception) -> str:
    """What to say of ``error``; unless the user can put it right, the log has more."""
    if isinstance(error, UserError):
        return str(error)
    path = log_unexpected(where, error)
    if isinstance(error, OSError):
        return f"{explain(error).rstrip('.')}. Details are in {path}."
    return (
        f"Something unexpected went wrong ({type(error).__name__}). Try again; details are in "
        f"{path}."
    )


def _show(failure: str) -> None:
    st.error(plain(failure), icon=":material/error:")
