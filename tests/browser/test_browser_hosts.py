"""A page of another site, its name made to lead to this machine; servers that were started open."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from kaggle_helper import ROOT
from serving_helper import serving

pytestmark = pytest.mark.browser

APP = str(ROOT / "dashboard" / "app.py")
STREAMLIT = ("-m", "streamlit", "run", APP, "--server.headless", "true", "--server.port", "{port}")


@pytest.fixture(scope="module")
def rebound(playwright, chromium):
    """A browser in which evil.test is this machine: what DNS rebinding comes to."""
    arguments = ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP evil.test 127.0.0.1"]
    browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
    yield browser
    browser.close()


@pytest.fixture
def tab(rebound):
    context = rebound.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture
def home(tmp_path, tiny_drawn):
    home = tmp_path / "served"
    shutil.copytree(tiny_drawn, home / "datasets" / "tiny")
    return home


@contextmanager
def site(page: str):
    """Another site, with one page."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://evil.test:{server.server_port}/"
        server.shutdown()


def test_a_page_of_another_site_gets_nothing(tab, home):
    with serving(home) as dashboard:
        answer = tab.goto(f"http://evil.test:{dashboard.port}/")
        assert answer.status == 403
        opened = """port => new Promise(done => {
            const socket = new WebSocket(`ws://evil.test:${port}/_stcore/stream`, ["streamlit"]);
            socket.onopen = () => done("open");
            socket.onerror = () => done("refused");
        })"""
        assert tab.evaluate(opened, dashboard.port) == "refused"
        # Nor by the name of this machine.
        crossing = opened.replace("evil.test", "localhost")
        assert tab.evaluate(crossing, dashboard.port) == "refused"
        fetched = """port => fetch(`http://localhost:${port}/_stcore/host-config`).then(
            () => "read", () => "refused")"""
        assert tab.evaluate(fetched, dashboard.port) == "refused"


def test_a_page_of_another_site_cannot_show_it_in_a_frame(tab, home):
    with (
        serving(home) as dashboard,
        site(f'<iframe src="http://localhost:{dashboard.port}/"></iframe>') as address,
    ):
        tab.goto(address)
        tab.wait_for_function("window.frames.length == 1")
        tab.wait_for_timeout(2000)
        assert tab.frames[1].query_selector("[data-testid=stApp]") is None


def test_it_works_under_its_own_name(tab, home):
    with serving(home) as dashboard:
        tab.goto(f"http://127.0.0.1:{dashboard.port}/")
        tab.get_by_text("tiny").first.wait_for()
        assert "Traceback" not in dashboard.said


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--server.address", "0.0.0.0"), "FKD_ADDRESS=0.0.0.0"),
        (("--server.allowedHosts", "*"), "accept any host name"),
        (("--server.enableCORS", "false"), "server.enableCORS turned off"),
        (("--server.enableXsrfProtection", "false"), "server.enableXsrfProtection turned off"),
    ],
)
def test_a_server_that_was_started_open_shows_nothing_but_why(tab, home, flags, said):
    with serving(home, (*STREAMLIT, *flags), folder=home) as dashboard:
        tab.goto(f"http://localhost:{dashboard.port}/")
        alert = tab.get_by_test_id("stAlert")
        alert.wait_for()
        assert said in alert.inner_text()
        tab.wait_for_timeout(500)
        assert tab.get_by_test_id("stAlert").count() == 1
        assert tab.get_by_text("tiny").count() == 0
        assert tab.get_by_test_id("stSidebarNavLink").count() == 0
        assert said in dashboard.said
        assert "Traceback" not in dashboard.said


def test_streamlit_run_serves_others_where_a_setting_says_so(tab, home):
    flags = ("--server.address", "0.0.0.0")
    with serving(home, (*STREAMLIT, *flags), FKD_ADDRESS="0.0.0.0", folder=home) as dashboard:
        tab.goto(f"http://localhost:{dashboard.port}/")
        tab.get_by_text("tiny").first.wait_for()


def test_streamlit_run_keeps_its_look_without_a_link(tab, home):
    with serving(home, STREAMLIT, folder=home) as dashboard:
        tab.goto(f"http://localhost:{dashboard.port}/")
        tab.get_by_text("tiny").first.wait_for()
        colour = "getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"
        assert tab.evaluate(colour) == "rgb(251, 251, 249)"
