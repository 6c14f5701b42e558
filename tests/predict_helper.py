"""The Predict page in Streamlit's AppTest, and files to drop on it."""

from __future__ import annotations

import struct
import time
import zlib
from pathlib import Path

import cv2
import numpy as np
from streamlit.testing.v1 import AppTest

APP = str(Path(__file__).resolve().parents[1] / "dashboard" / "app.py")


def opened() -> AppTest:
    """The page as it opens."""
    app = AppTest.from_file(APP, default_timeout=60).run()
    return app.switch_page("../pages/predict.py").run()


def settled(app: AppTest) -> AppTest:
    """The page once everything on it is predicted."""
    for _ in range(400):
        if not app.get("progress"):
            return app
        time.sleep(0.3)
        app.run()
    raise AssertionError("still predicting")


def drop(app: AppTest, *files: tuple[str, bytes]) -> AppTest:
    """The page after ``files``, name and content each, were dropped on it."""
    widget = app.get("file_uploader")[0]
    for name, data in files:
        widget.upload(name, data)
    return settled(app.run())


def found(app: AppTest) -> dict[str, object]:
    """What was found, by the name of the photo."""
    return {r.name: r for r in app.session_state["predict-desk"].found.values()}


def words(app: AppTest) -> str:
    return "\n".join(str(e.value) for e in [*app.error, *app.warning, *app.info, *app.caption])


def png(gray: np.ndarray) -> bytes:
    return cv2.imencode(".png", gray)[1].tobytes()


def huge_png(side: int) -> bytes:
    """A valid PNG of a few kilobytes with ``side`` x ``side`` pixels, all black."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    data = zlib.compress(bytes(1000))
    parts = chunk(b"IHDR", header), chunk(b"IDAT", data), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)
