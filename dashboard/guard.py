"""No traceback reaches a user: what goes wrong in a page or a callback becomes one sentence."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import streamlit as st
from streamlit import config

from dashboard.door import may_pass
from dashboard.words import plain
from fkd.errors import UserError, explain
from fkd.labels.database import database_url
from fkd.log import log_unexpected
from fkd.scratch import read_only
from fkd.settings import address, home, is_local

_FAILURES = "failures-of-callbacks"
_refusals: set[str] = set()
"""What was said on stderr already."""


def refuse_unsafe() -> None:
    """Show nothing but why, where the server takes in more than it should: whoever starts it with
    ``streamlit run`` may do so without our settings, or against them."""
    try:
        reason = _unsafe()
    except UserError as error:
        reason = str(error)
    if reason is None:
        return
    if reason not in _refusals:
        _refusals.add(reason)
        print(f"fkd: {reason}", file=sys.stderr, flush=True)
    st.error(plain(reason), icon=":material/error:")
    st.stop()


def _unsafe() -> str | None:
    """What is wrong with the options that are in force; None if nothing is."""
    if config.get_option("global.appTest"):  # no server; st.get_option would not know
        return None
    listens = str(st.get_option("server.address") or "0.0.0.0")
    if not is_local(listens) and listens != address():
        return (
            f"The dashboard was started to listen on {listens}, which would open it to other "
            f"machines. Start it with 'fkd dashboard'; if other machines should reach it, set "
            f"FKD_ADDRESS={listens} and list the host names in FKD_ALLOWED_HOSTS."
        )
    hosts = list(st.get_option("server.allowedHosts"))
    if not hosts or any(host.strip().rstrip(".") == "*" for host in hosts):
        return (
            "The dashboard was started to accept any host name (server.allowedHosts), which lets "
            "pages of other sites in. Start it with 'fkd dashboard', which accepts this machine "
            "and the hosts in FKD_ALLOWED_HOSTS."
        )
    for option in ("server.enableCORS", "server.enableXsrfProtection"):
        if not st.get_option(option):
            return (
                f"The dashboard was started with {option} turned off, which lets pages of other "
                "sites in. Turn it on, or start it with 'fkd dashboard'."
            )
    headers = st.context.headers
    # Streamlit itself lets pages of other servers on this machine open a connection.
    if not may_pass(headers.get("Host"), headers.get("Origin"), hosts):
        return "This connection was opened by a page of another site and is refused."
    return None


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


def tell_read_only() -> None:
    """Say once what does not work in a workspace that cannot be written; all else does."""
    if not read_only():
        return
    kept = database_url().get_backend_name() == "postgresql"
    st.info(
        f"Read-only: nothing{' but corrections' if kept else ''} can be saved, because the folder "
        f"`{str(home()).replace('`', '')}` is not writable.",
        icon=":material/lock:",
    )


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
