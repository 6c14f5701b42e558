"""From opening the Predict page of a server that has just started to the points on a photo."""

from __future__ import annotations

import resource
import shutil
import time
from pathlib import Path

from benchmarks.data import Inputs
from benchmarks.processes import in_child
from benchmarks.report import Claim, Figure, Part, median
from benchmarks.startup import find_browser, launched, served

_LIMIT = Claim("below", 8)
_RING = ".st-key-photo-frame .ring"
_INPUT = "[data-testid=stFileUploader] input[type=file]"
_PATIENCE_MS = 120_000


def write_photo(path: str) -> None:
    """A JPEG of 1280x960 px with one drawn face, at ``path``."""
    from benchmarks.speed import jpeg

    Path(path).write_bytes(jpeg("demo", 1, (1280, 960)))


def run(inputs: Inputs) -> Part:
    """Measure with a fresh server each time; nothing without a browser."""
    browser = find_browser()
    if browser is None:
        notes = ["Left out for want of Chromium and Playwright."]
        return Part("opening", [], notes)
    photo = inputs.folder / "photo.jpg"
    in_child("benchmarks.first_prediction:write_photo", inputs.demo_home, path=str(photo))
    ways: dict[str, dict[str, list[float]]] = {}
    for way in ("first", "again"):
        times = ways[way] = {"page": [], "points": [], "processor": []}
        for number in range(inputs.sizes.repeats):
            if way == "first" or not number:
                for kept in ("predictions", "cache"):
                    shutil.rmtree(inputs.demo_home / kept, ignore_errors=True)
            if way == "again" and not number:
                _open(browser, inputs.demo_home, photo)  # what is compiled is kept from now on
            found = _open(browser, inputs.demo_home, photo)
            for what, seconds in zip(times, found, strict=True):
                times[what].append(seconds)
    figures = [
        Figure("opening Predict until it takes photos", median(ways["again"]["page"]), "s"),
        Figure(
            "opening Predict, photo given at once, until its points are drawn",
            median(ways["again"]["points"]),
            "s",
            _LIMIT,
        ),
        Figure(
            "the same with a model that was never opened before",
            median(ways["first"]["points"]),
            "s",
            _LIMIT,
        ),
        Figure(
            "processor time of the server for that, from its start",
            median(ways["first"]["processor"]),
            "s",
        ),
        Figure(
            "the same with a model that was opened before", median(ways["again"]["processor"]), "s"
        ),
    ]
    notes = [
        f"Medians of {inputs.sizes.repeats}; each time a fresh server, which no page was asked of "
        "before, and a browser with an empty cache. The photo is given as soon as the page has a "
        "place for it.",
    ]
    return Part("opening", figures, notes, ways)


def _open(browser: str, home: Path, photo: Path) -> tuple[float, float, float]:
    """Seconds from opening the page until it takes photos, and until the points are drawn;
    seconds that the server took of a processor in its whole life."""
    with launched(browser) as chromium:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        with served(home) as port:
            page = chromium.new_context().new_page()
            start = time.perf_counter()
            page.goto(f"http://localhost:{port}/predict", wait_until="commit")
            page.locator(_INPUT).wait_for(state="attached", timeout=_PATIENCE_MS)
            ready = time.perf_counter() - start
            page.set_input_files(_INPUT, photo)
            page.locator(_RING).first.wait_for(state="attached", timeout=_PATIENCE_MS)
            points = time.perf_counter() - start
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    taken = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return ready, points, taken
