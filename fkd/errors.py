"""The errors a user can cause, each with one clear sentence: what is wrong, where, what to do."""

from __future__ import annotations

import errno


class UserError(Exception):
    """Something the user can put right. ``str(error)`` is one line, fit to be shown as it is."""


class Cancelled(UserError):
    """A long task was stopped on request; nothing of it is left behind."""


def explain(error: Exception) -> str:
    """One line for ``error``, whether it is a user's error or the operating system's."""
    if not isinstance(error, OSError):
        return str(error)
    where = f": {error.filename}" if error.filename else ""
    if error.errno == errno.ENOSPC:
        return f"The disk is full{where}. Free space and try again; nothing is left half-written."
    return f"{error.strerror or error}{where}"
