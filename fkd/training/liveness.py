"""Whether a process still lives, told without trusting the clock or a number alone.

A clock can jump and the number of a process is given again. What cannot be mistaken for something
else is a number together with when that process started, on one start of one system. Linux tells
all of it below ``/proc``; elsewhere nothing is known here, and heartbeats have to tell.
"""

from __future__ import annotations

import os
import time
from functools import lru_cache
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_SPACE = Path("/proc/self/ns/pid")
_DEAD = ("Z", "X", "x")
"""States of a process that has ended and that nobody has asked about yet."""


@lru_cache(maxsize=1)
def system() -> str:
    """What names this start of this computer, and the container whose processes are counted
    together; empty where there is no telling."""
    try:
        return f"{_BOOT.read_text().strip()}/{os.readlink(_SPACE)}"
    except OSError:
        return ""


def tick() -> float:
    """Seconds since the system started. No clock that somebody sets moves it, and all processes
    of one ``system()`` see the same."""
    return time.monotonic()


def started(pid: int) -> int | None:
    """When the process ``pid`` of this system started, in clock ticks since the system did: 0 if
    there is no such process, None where there is no telling."""
    try:
        words = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return 0 if words[0].decode() in _DEAD else int(words[19])
    except (FileNotFoundError, ProcessLookupError):
        return 0 if system() and not _is_hidden(pid) else None
    except (OSError, ValueError, IndexError):
        return None


def _is_hidden(pid: int) -> bool:
    """Whether the process is there all the same: systems can hide those of other users."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True
