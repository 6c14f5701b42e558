"""A workspace that cannot be written, for programs started by a test: because its modes say so, or
because its disk is mounted so."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

_MOUNTED = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'


def close(home: Path) -> None:
    """Take the right to write from whatever lies in ``home``; ``prefix`` does the rest."""
    for path in (home, *home.rglob("*")):
        path.chmod(path.stat().st_mode & ~0o222)


def reopen(home: Path) -> None:
    for path in (home, *home.rglob("*")):
        path.chmod(path.stat().st_mode | 0o200)


def prefix(home: Path, kind: str) -> list[str]:
    """What a command begins with that is to find ``home`` read-only: by its ``"modes"``, once
    ``close`` has set them, or by its ``"mount"``. Skips the test where that cannot be had."""
    if kind == "modes":
        if os.geteuid():
            return []
        # root may write everywhere, unless that is taken from it
        taken = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--"]
        return _checked(taken, home)
    for unshare in (["unshare", "-m"], ["unshare", "-rm"]):
        command = [*unshare, "sh", "-c", _MOUNTED, str(home)]
        if not subprocess.run([*command, "true"], capture_output=True, check=False).returncode:
            return _checked(command, home)
    pytest.skip("nothing may be mounted here")


def _checked(command: list[str], home: Path) -> list[str]:
    if shutil.which(command[0]) is None:
        pytest.skip(f"no {command[0]} here")
    probe = [*command, "touch", str(home / "probe")]
    assert subprocess.run(probe, capture_output=True, check=False).returncode
    return command
