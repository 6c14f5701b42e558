"""The log of what should not have happened; messages to the user name it."""

from __future__ import annotations

import logging
import threading
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from fkd.private import make_file, make_folder
from fkd.settings import home

_LOCK = threading.Lock()


class _OwnLog(RotatingFileHandler):
    """A log that its owner alone reads: it may quote names and paths."""

    def _open(self) -> TextIOWrapper:
        make_file(Path(self.baseFilename))
        return super()._open()


def log_unexpected(where: str, error: BaseException) -> Path | str:
    """Append ``error`` with its traceback to the log; return where that is, as messages name it.

    The log is ``FKD_HOME/logs/fkd.log``, kept below 3 MB. If it cannot be written, the record
    goes to stderr.
    """
    place: Path | str
    path = place = home() / "logs" / "fkd.log"
    handler: logging.Handler
    try:
        make_folder(path.parent)
        handler = _OwnLog(path, maxBytes=1_000_000, backupCount=2)
    except OSError:
        handler, place = logging.StreamHandler(), "the program's output"
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger = logging.getLogger("fkd.unexpected")
    logger.propagate = False
    with _LOCK:  # another thread's handler must not get this record too
        logger.addHandler(handler)
        try:
            logger.error(where, exc_info=error)
        finally:
            logger.removeHandler(handler)
            handler.close()
    return place
