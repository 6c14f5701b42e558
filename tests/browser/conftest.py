"""A real server, a real Chromium: what a person does with mouse and keys."""

from __future__ import annotations

import os
import shutil

import pytest
from browser_helper import Server, idle

from fkd.dataset import Dataset
from fkd.demo import DemoSpec, make_demo
from fkd.measures import measure

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

_ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"),
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
def playwright():
    """What steers browsers: there can be one of it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(playwright, chromium):
    browser = playwright.chromium.launch(executable_path=chromium, args=list(_ARGUMENTS))
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def server(chromium, tmp_path_factory):
    """A server on an empty workspace: it draws the demo dataset by itself."""
    server = Server(tmp_path_factory.mktemp("browser-home"))
    yield server
    server.stop()


@pytest.fixture
def drawn(server, monkeypatch):
    """Draws and measures a small dataset in the server's workspace, which the test shares."""
    monkeypatch.setenv("FKD_HOME", str(server.home))

    def drawn(name: str, **spec: int) -> Dataset:
        dataset, _ = make_demo(name, DemoSpec(**spec))
        measure(dataset)
        return dataset

    return drawn


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
    log = server.home / "logs" / "fkd.log"
    assert not log.exists(), log.read_text()


@pytest.fixture
def visit(page, server):
    """Open a path of the dashboard and wait until it has drawn what the selector names."""

    def visit(path: str, until: str) -> None:
        page.goto(server.url + path)
        page.wait_for_selector(until)
        idle(page)

    return visit
