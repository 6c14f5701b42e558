"""Where things are kept and the limits that hold everywhere."""

from __future__ import annotations

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent

MAX_TABLE_BYTES = 64 << 30
"""Largest table read, unzipped: about two million rows of 96x96 images."""

MAX_EXPANSION = 200
"""Largest ratio of unzipped to zipped bytes; image tables in text reach about 4."""

MAX_UPLOAD_MB = 500
"""Largest upload, as ``server.maxUploadSize`` says too: uploads are held in memory. Larger files
are ingested by path."""


def home() -> Path:
    """Folder of everything the workbench stores (datasets, labels, runs, logs).

    ``FKD_HOME`` where it is set; in a checkout the git-ignored ``workspace/``; for an installed
    package ``~/.fkd``. The folder is not created here.
    """
    if chosen := os.environ.get("FKD_HOME"):
        return Path(chosen).expanduser().resolve()
    root = PACKAGE.parent
    if (root / "pyproject.toml").is_file():
        return root / "workspace"
    return Path.home() / ".fkd"


def max_trainings() -> int:
    """How many trainings may run at a time: ``FKD_TRAININGS``, otherwise one."""
    wanted = os.environ.get("FKD_TRAININGS", "1")
    return max(1, int(wanted)) if wanted.isascii() and wanted.isdigit() else 1
