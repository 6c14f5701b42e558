"""Why a training failed, in one sentence for the user."""

from __future__ import annotations

import errno
import signal

from fkd.errors import UserError
from fkd.training.runs import Run


def in_words(error: BaseException, run: Run) -> str:
    """The sentence for ``error``, which ended ``run``; what nobody foresaw points to its log."""
    kept = kept_words(run)
    text = str(error)
    if isinstance(error, UserError):
        return f"{text} {kept}"
    if (isinstance(error, OSError) and error.errno == errno.ENOSPC) or "No space left" in text:
        return f"The disk is full. Free space, then resume. {kept}"
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return f"{OUT_OF_MEMORY} {kept}"
    if isinstance(error, KeyboardInterrupt):
        return f"The process was interrupted. {kept}"
    first = next(iter(text.splitlines()), "")[:200]
    what = type(error).__name__ + (f": {first}" if first else "")
    return f"Something unexpected went wrong ({what}); the log of the run has the details. {kept}"


OUT_OF_MEMORY = (
    "The training ran out of memory. Choose a smaller batch or a smaller model, or close other "
    "programs."
)


def kept_words(run: Run) -> str:
    """What of ``run`` is left, in words."""
    return "The last good checkpoint is kept." if run.last.is_file() else "No epoch was finished."


def exit_in_words(code: int, out_of_memory: bool, run: Run) -> str:
    """The sentence for a process that ended with ``code`` and could not speak for itself; empty
    if it was simply killed, which nobody can tell from a crash."""
    if code == -signal.SIGKILL:
        return f"{OUT_OF_MEMORY} {kept_words(run)}" if out_of_memory else ""
    if code == -signal.SIGABRT and "bad_alloc" in run.read_log(40):
        return f"{OUT_OF_MEMORY} {kept_words(run)}"
    if code == -signal.SIGTERM:
        return f"The process was told to end. {kept_words(run)}"
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    return (
        f"The training process ended with {how}; the log of the run has the details. "
        f"{kept_words(run)}"
    )
