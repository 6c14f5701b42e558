"""A verb of the command line, run in a process of its own: for work that needs TensorFlow, which
the dashboard's process never loads."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from threading import Thread
from typing import IO

from fkd.errors import UserError
from fkd.progress import Progress, from_line
from fkd.settings import PACKAGE, home

_POLL_S, _PATIENCE_S = 0.1, 3.0


def environment() -> dict[str, str]:
    """That of this process, in which a child finds this package and the same workspace wherever
    it is started."""
    path = os.environ.get("PYTHONPATH")
    places = [str(PACKAGE.parent), *([path] if path else [])]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(places),
        "FKD_HOME": str(home()),
    }


def run_verb(arguments: Sequence[str], progress: Progress) -> None:
    """Run ``python -m fkd ARGUMENTS``, a verb that takes ``--progress lines``, until it ends.

    ``progress`` is called with what the child reports, and a few times a second besides; where it
    raises, the child is ended first.

    Raises:
        UserError: what the child said, if it could not do its work.
    """
    child = subprocess.Popen(
        [sys.executable, "-m", "fkd", *arguments, "--progress", "lines"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        env=environment(),
    )
    assert child.stderr is not None
    listener = _Listener(child.stderr)
    listener.start()
    try:
        while child.poll() is None:
            progress(*listener.report)
            time.sleep(_POLL_S)
    finally:
        _end(child)
        listener.join(_PATIENCE_S)
    if child.returncode:
        raise UserError(_reason(child.returncode, listener.said))


class _Listener(Thread):
    """Reads what a child writes, so that it never waits for a reader."""

    def __init__(self, stream: IO[str]) -> None:
        super().__init__(daemon=True)
        self._stream = stream
        self.report = ("starting", 0, 0)
        self.said = ""

    def run(self) -> None:
        with self._stream:
            for line in self._stream:
                if report := from_line(line):
                    self.report = report
                elif line.startswith("fkd: "):
                    self.said = line.removeprefix("fkd: ").strip()


def _end(child: subprocess.Popen[str]) -> None:
    if child.poll() is not None:
        return
    child.terminate()
    try:
        child.wait(_PATIENCE_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _reason(code: int, said: str) -> str:
    if said:
        return said
    if code == -signal.SIGKILL:
        return "The process was killed, perhaps for want of memory; close other programs and retry."
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    return f"The process ended unexpectedly ({how}); try again."
