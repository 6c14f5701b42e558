"""The errors a user can cause, each with one clear sentence: what is wrong, where, what to do."""

from __future__ import annotations

import errno
import unicodedata

_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_JOINER = "\u200d"
"""Joins the parts of an emoji."""


def printable(text: str) -> str:
    """``text``, parts of which come from outside, on one line: control characters, turns of the
    writing direction and what is no character at all are written as escapes."""
    if text.isprintable():
        return text
    return "".join(
        char.encode("unicode_escape").decode()
        if char != _JOINER and unicodedata.category(char) in _HIDDEN
        else char
        for char in text
    )


class UserError(Exception):
    """Something the user can put right. ``str(error)`` is one line, fit to be shown as it is,
    whatever names and other libraries' words are quoted in it."""

    def __str__(self) -> str:
        return printable(super().__str__())


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
