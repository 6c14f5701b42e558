"""How fast labels are put right: ``python -m benchmarks.correction [--quick] [--faces FOLDER]``.

A scripted annotator works in headless Chromium: it saves face after face by key, moves a point that
has slipped, accepts drafts. Needs Debian's ``chromium`` and playwright.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.data import Inputs
from benchmarks.processes import in_child
from benchmarks.report import Claim, Figure, Part, p95
from benchmarks.runner import measure
from fkd.keypoints import KAGGLE_15

_FRAME = ".st-key-correct-frame"
_NAME = "usual"
_WIDTH = KAGGLE_15.width

_WATCH = """() => {
  const host = [...document.querySelectorAll('.st-key-correct-frame *')]
    .find((node) => node.shadowRoot && node.shadowRoot.querySelector('.dc-root'));
  const root = host.shadowRoot;
  const under = root.querySelector('.dc-background-canvas');
  const look = () => [...under.getContext('2d').getImageData(300, 300, 40, 40).data].join();
  const drawn = () => root.querySelectorAll('.marks .dot, .marks .suggested').length
    >= Object.keys(root.stage.face.marks).length;
  window.watch = () => {
    const [begin, serial, before] = [performance.now(), root.stage.serial, look()];
    window.took = null;
    const wait = () => {
      if (root.stage.serial !== serial && look() !== before && drawn())
        window.took = performance.now() - begin;
      else requestAnimationFrame(wait);
    };
    wait();
  };
}"""
"""From a call of ``watch`` until another face and all of its points are painted."""


@contextmanager
def _server(home: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "fkd", "dashboard", "--headless", "--port", str(port)]
    process = subprocess.Popen(
        command,
        env={**os.environ, "FKD_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    url = f"http://localhost:{port}"
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{url}/_stcore/health", timeout=1)
                break
            except OSError:
                time.sleep(0.1)
        yield url
    finally:
        os.killpg(process.pid, 15)
        process.wait(20)


@contextmanager
def _page(url: str) -> Iterator[Any]:
    """Correct, open on the first row."""
    from playwright.sync_api import sync_playwright

    chromium = os.environ.get("FKD_CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        raise RuntimeError("no Chromium found: install Debian's 'chromium'")
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-quic"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(60_000)
        page.goto(f"{url}/correct?dataset={_NAME}&row=0&queue=all")
        page.get_by_label("Your name").fill("script")
        page.get_by_role("button", name="Begin").click()
        page.wait_for_selector(
            f'{_FRAME} [aria-label="Edit"][aria-pressed="true"]', state="attached"
        )
        _settled(page)
        yield page
        browser.close()


def _settled(page: Any) -> None:
    page.wait_for_timeout(300)
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")


def predict(name: str) -> dict[str, Any]:
    """Let the bundled model predict the dataset, for drafts."""
    from fkd.evaluation.predictions import predict as predicted
    from fkd.models.sources import trained_model
    from fkd.registry import open_named

    return {"images": len(predicted(trained_model("bundled"), open_named(name)))}


def saved(name: str) -> dict[str, Any]:
    """How many labels were changed, of how many images, as which kinds."""
    from fkd.labels.store import LabelStore
    from fkd.registry import open_named

    store = LabelStore(open_named(name))
    changes = store.changes()
    return {
        "versions": store.head(),
        "rows": len({change.row for change in changes}),
        "accepted": sum(change.new.origin == 1 for change in changes),
    }


def faces(inputs: Inputs) -> Part:
    """From the key for "save and next" to the next face, drawn with its points; and the actions
    that a fix takes."""
    count = 8 if inputs.sizes.repeats < 2 else 60
    home = inputs.usual_home
    in_child("benchmarks.correction:predict", home, name=_NAME)
    with _server(home) as url, _page(url) as page:
        page.evaluate(_WATCH)
        annotator = Annotator(page)
        unchanged, accepted, moved = [], [], []
        for _ in range(count):
            unchanged.append(annotator.save_and_next())
        for _ in range(count):
            annotator.accept()
            accepted.append(annotator.save_and_next())
        for _ in range(count // 2):
            annotator.drag()
            moved.append(annotator.save_and_next())
    found = in_child("benchmarks.correction:saved", home, name=_NAME)
    if found["rows"] < count // 2 or not found["accepted"]:
        raise RuntimeError(f"the script did not save what it should have: {found}")
    limit = Claim("below", 500)
    times = {
        name: [took for took, _ in done]
        for name, done in (("plain", unchanged), ("accepted", accepted), ("moved", moved))
    }
    everything = sorted(took for some in times.values() for took in some)
    fix = max(actions for _, actions in moved)
    place = max(actions for _, actions in accepted) - 1  # the last one is the way on
    return Part(
        "correction",
        [
            Figure("save and next, to the next face drawn, p95", p95(times["plain"]), "ms", limit),
            Figure("the same with drafts accepted, p95", p95(times["accepted"]), "ms", limit),
            Figure("the same with a point moved, p95", p95(times["moved"]), "ms", limit),
            Figure("median of all", everything[len(everything) // 2], "ms"),
            Figure("actions that fix a slipped point and go on", fix, "actions", Claim("below", 3)),
            Figure(
                "actions that place missing points from drafts", place, "actions", Claim("below", 2)
            ),
            Figure("images saved", found["rows"], "images"),
        ],
        [
            f"Headless Chromium, {count} faces each. Drawn: the face and all of its points are "
            "painted, points can be dragged. A drag, a click and a key are an action each; that "
            "they do what they should is checked by what was saved.",
        ],
    )


class Annotator:
    """The script at the mouse and the keys; ``actions`` counts what it did since the last face."""

    def __init__(self, page: Any) -> None:
        self.page, self.actions = page, 0

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)
        self.actions += 1

    def save_and_next(self) -> tuple[float, int]:
        """Go on to the next face: the time in ms, and the actions that this face took."""
        self.page.evaluate("watch()")
        self.press("Enter")
        took = float(self.page.wait_for_function("() => window.took").json_value())
        _settled(self.page)
        actions, self.actions = self.actions, 0
        return took, actions

    def accept(self) -> None:
        """Take all drafts."""
        self.press("a")
        _settled(self.page)

    def drag(self) -> None:
        """Move the first point that is there by two px."""
        box = self.page.locator(f"{_FRAME} canvas.upper-canvas").bounding_box()
        lines = self.page.locator(".st-key-correct-points .line.visible")
        spot = [float(lines.first.locator(f".{axis}").inner_text()) for axis in "xy"]
        px = box["width"] / _WIDTH
        x, y = (px * (v + 0.5) for v in spot)
        mouse = self.page.mouse
        mouse.move(box["x"] + x, box["y"] + y)
        mouse.down()
        mouse.move(box["x"] + x + 2 * px, box["y"] + y + 2 * px, steps=3)
        mouse.up()
        self.actions += 1
        _settled(self.page)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and report; returns the exit code."""
    return measure("correction", __doc__, {"faces": faces}, argv)


if __name__ == "__main__":
    sys.exit(main())
