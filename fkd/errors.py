"""The errors a user can cause, each with one clear sentence: what is wrong, where, what to do."""

from __future__ import annotations


class UserError(Exception):
    """Something the user can put right. ``str(error)`` is one line, fit to be shown as it is."""


class Cancelled(UserError):
    """A long task was stopped on request; nothing of it is left behind."""
