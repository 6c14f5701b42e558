"""From ``streamlit run`` to the first page in a browser, and what the pages import."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.data import Inputs
from benchmarks.processes import ROOT, environment, in_child
from benchmarks.report import Claim, Figure, Part, median

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ARGUMENTS = ("--no-sandbox", "--disable-gpu")
_APP = ROOT / "dashboard" / "app.py"
_LIMIT = Claim("below", 4)
_NONE = Claim("below", 1)
_PATIENCE = 60
"""Seconds until a server that does not answer counts as broken."""


def imported() -> dict[str, Any]:
    """Run every page, import every module of the dashboard; list what came along of TensorFlow."""
    import importlib
    import pkgutil

    from streamlit.testing.v1 import AppTest

    app = AppTest.from_file(str(_APP), default_timeout=_PATIENCE).run()
    # Predict needs it, and loads it in the background as soon as it is opened.
    pages = [page for page in (ROOT / "pages").glob("*.py") if page.name != "predict.py"]
    for page in sorted(pages):
        app.switch_page(str(page)).run()
        if app.exception or app.error:
            raise RuntimeError(f"{page.name} ended with an error")
    import dashboard

    for module in pkgutil.walk_packages(dashboard.__path__, "dashboard."):
        if module.name != "dashboard.app":
            importlib.import_module(module.name)
    tensorflow = [name for name in sys.modules if name.split(".")[0] in ("tensorflow", "keras")]
    return {"tensorflow": tensorflow}


def run(inputs: Inputs) -> Part:
    """Measure with the demo dataset; without a browser only the imports are looked at."""
    found = in_child("benchmarks.startup:imported", inputs.demo_home)
    what = "modules of TensorFlow that the pages before Predict import"
    figures = [Figure(what, len(found["tensorflow"]), "modules", _NONE)]
    browser = find_browser()
    if browser is None:
        notes = ["Left out for want of Chromium and Playwright: the time to the first page."]
        return Part("startup", figures, notes, found)
    notes = [
        f"Medians of {inputs.sizes.repeats}; fresh server processes, warm disk. The browser runs "
        "already, with an empty cache; the page counts as drawn when the first figure on the "
        "dataset's card is visible."
    ]
    times = _first_pages(browser, inputs.demo_home, inputs.sizes.repeats)
    figures += [
        Figure("`streamlit run` until the server answers", median(times["server"]), "s"),
        Figure("`streamlit run` until the first page is drawn", median(times["page"]), "s", _LIMIT),
    ]
    return Part("startup", figures, notes, {**found, "seconds": times})


def find_browser() -> str | None:
    """Path of Chromium; None without it, or without Playwright to steer it."""
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        return None
    return os.environ.get("FKD_CHROMIUM") or next(filter(None, map(shutil.which, _BROWSERS)), None)


def _first_pages(browser: str, home: Path, repeats: int) -> dict[str, list[float]]:
    """Seconds from the start of each server until it answers and until its page is drawn."""
    times: dict[str, list[float]] = {"server": [], "page": []}
    with launched(browser) as chromium:
        for _ in range(repeats):
            page = chromium.new_context().new_page()
            start = time.perf_counter()
            with served(home) as port:
                times["server"].append(time.perf_counter() - start)
                page.goto(f"http://localhost:{port}/", wait_until="commit")
                # The first figure of the card, which comes later than its heading.
                page.get_by_test_id("stMetricValue").first.wait_for(timeout=1e3 * _PATIENCE)
                times["page"].append(time.perf_counter() - start)
                page.context.close()
    return times


@contextmanager
def launched(browser: str) -> Iterator[Any]:
    """Chromium at the path ``browser``, steered by Playwright."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=list(_ARGUMENTS))
        yield chromium
        chromium.close()


@contextmanager
def served(home: Path) -> Iterator[int]:
    """A server of the dashboard as soon as it takes connections; gives its port."""
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "streamlit", "run", str(_APP), "--server.headless", "true"]
    server = subprocess.Popen(
        [*command, "--server.port", str(port)],
        cwd=ROOT,
        env=environment(home),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _await_port(port, server)
        yield port
    finally:
        server.terminate()
        server.wait()


def _await_port(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while server.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("localhost", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.01)
    raise RuntimeError("the server of the dashboard did not start")
