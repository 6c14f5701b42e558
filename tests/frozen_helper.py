"""A database server that is frozen: there, to all appearances, and silent."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.postgres import Server


def processes(server: Server) -> list[int]:
    """The server's first process, and those that it has started."""
    first = int((server.folder / "data" / "postmaster.pid").read_text().split()[0])
    return [first, *_children(first)]


def _children(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                after_name = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(after_name[1]) == parent:
                    found.append(int(entry.name))
    return found


@contextmanager
def frozen(server: Server, only: list[int] | None = None) -> Iterator[None]:
    """All processes of ``server``, or ``only`` some, do nothing as long as the block lasts."""
    stopped = processes(server) if only is None else only
    for pid in stopped:
        _send(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        # Connections that were given up: the server would wait a minute for what they say.
        gc.collect()
        for pid in stopped:
            _send(pid, signal.SIGCONT)


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # the server's helpers come and go
        os.kill(pid, number)
