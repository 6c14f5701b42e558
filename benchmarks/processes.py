"""Work in fresh interpreters, and what it costs in memory. Needs Linux (``/proc``)."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
_POLL_SECONDS = 0.02


class ChildError(RuntimeError):
    """A measurement ended with an error; the text is what it wrote."""


def in_child(function: str, /, home: Path, **arguments: Any) -> dict[str, Any]:
    """Call ``function`` (``"module:name"`` in this package) in a fresh interpreter.

    ``home`` is where it finds and keeps datasets; ``arguments`` and the dict it returns go
    through JSON. ``peak_anonymous`` is added to the latter: the most anonymous memory the process
    was seen with, in bytes.

    Raises:
        ChildError: if it fails.
    """
    command = [sys.executable, "-m", "benchmarks.processes", function, json.dumps(arguments)]
    child = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        out, err, peak = _follow(child)
    except BaseException:
        child.kill()
        child.wait()
        raise
    if child.returncode:
        raise ChildError(f"{function} failed:\n{err}")
    result: dict[str, Any] = json.loads(out.splitlines()[-1])
    return {**result, "peak_anonymous": peak}


def _follow(child: subprocess.Popen[str]) -> tuple[str, str, int]:
    """What ``child`` writes until it ends, and its most anonymous memory on the way."""
    peak = 0
    while True:
        # Looked at from outside: a thread inside would wait for the interpreter's lock just when
        # memory is taken.
        peak = max(peak, _status(child.pid).get("RssAnon", 0))
        try:
            return *child.communicate(timeout=_POLL_SECONDS), peak
        except subprocess.TimeoutExpired:
            continue


def environment(home: Path) -> dict[str, str]:
    """The environment of a process whose datasets lie in ``home``."""
    return {**os.environ, "FKD_HOME": str(home)}


def _status(process: int | str) -> dict[str, int]:
    """The figures in bytes of ``/proc/PID/status``; none of a process that has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return {}
    fields = (line.split() for line in lines if line.endswith(" kB"))
    return {name.rstrip(":"): int(value) << 10 for name, value, _ in fields}


class Peak:
    """The most memory this process holds from here on, beyond what it holds now.

    Resident memory (VmHWM), so pages of mapped files count as long as they are in memory.
    """

    # Not getrusage's ru_maxrss: a new process inherits its parent's.
    def __init__(self) -> None:
        Path("/proc/self/clear_refs").write_text("5")  # the peak so far is forgotten
        self._base = _status("self")
        self.base_anonymous = self._base["RssAnon"]

    def above_base(self) -> int:
        """Bytes."""
        return _status("self")["VmHWM"] - self._base["VmRSS"]


def resident() -> dict[str, int]:
    """What this process holds now, in bytes: ``anonymous`` memory, and ``mapped`` pages of files,
    which the system takes back when it needs them."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()[1:]
    sizes = {name: int(value) << 10 for name, value, _ in (line.split() for line in lines)}
    return {"anonymous": sizes["Anonymous:"], "mapped": sizes["Rss:"] - sizes["Anonymous:"]}


def warm(path: Path) -> None:
    """Have the system read ``path``, a file or folder, into its cache, as far as it fits."""
    for file in _files(path):
        with file.open("rb") as stream:
            while stream.read(1 << 24):
                pass


def chill(path: Path) -> None:
    """Have the system drop ``path``, a file or folder, from its cache, but for what is mapped."""
    for file in _files(path):
        with file.open("rb") as stream:
            os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]


def main() -> None:
    """The child's side of ``in_child``."""
    where, name = sys.argv[1].split(":")
    result = getattr(importlib.import_module(where), name)(**json.loads(sys.argv[2]))
    print(json.dumps(result or {}))


if __name__ == "__main__":
    main()
