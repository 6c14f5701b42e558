"""A real server, a real Chromium: what a person does with mouse and keys."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

_ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


@pytest.fixture(scope="session")
def chromium():
    """Path of the browser; without one the tests are skipped, or fail where one is required."""
    found = os.environ.get("FKD_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found:
        return found
    reason = "no Chromium found (install Debian's 'chromium', or name one in FKD_CHROMIUM)"
    if os.environ.get("FKD_REQUIRE_BROWSER") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def browser(chromium):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(_ARGUMENTS))
        yield browser
        browser.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return int(probe.getsockname()[1])


class Server:
    """The dashboard in a process of its own, started as a user does."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        command = [sys.executable, "-m", "fkd", "dashboard", "--headless"]
        self._process = subprocess.Popen(
            [*command, "--port", str(self.port)],
            cwd=ROOT,
            env={**os.environ, "FKD_HOME": str(home)},
            stdout=(home / "server.log").open("w"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        for _ in range(600):
            assert self._process.poll() is None, self.log()
            try:
                urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=1)
                return
            except OSError:
                time.sleep(0.1)
        raise AssertionError(f"the server did not start: {self.log()}")

    def log(self) -> str:
        return (self.home / "server.log").read_text()

    def stop(self) -> None:
        os.killpg(self._process.pid, 15)
        self._process.wait(20)


@pytest.fixture(scope="session")
def server(chromium, tmp_path_factory):
    """A server on an empty workspace: it draws the demo dataset by itself."""
    server = Server(tmp_path_factory.mktemp("browser-home"))
    yield server
    server.stop()


@pytest.fixture
def page(browser, server):
    """A fresh tab. A test that leaves errors in its console or the log has failed."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(20_000)
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    shown = page.locator("[data-testid=stException]").all_inner_texts()
    context.close()
    assert not errors
    assert not shown
    assert not (server.home / "logs" / "fkd.log").exists(), server.log()


@pytest.fixture
def visit(page, server):
    """Open a path of the dashboard and wait until it has drawn what the selector names."""

    def visit(path: str, until: str) -> None:
        page.goto(server.url + path)
        page.wait_for_selector(until)
        idle(page)

    return visit


def idle(page) -> None:
    """Wait until Streamlit has finished its run."""
    page.wait_for_timeout(150)
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
