"""A dataset that the command line brought in is measured when it is first looked at."""

from __future__ import annotations

from itertools import count

import pytest
from filelock import FileLock

from fkd.demo import DemoSpec, make_demo
from fkd.registry import remove

pytestmark = pytest.mark.browser

SEEDS = count(100)


@pytest.fixture
def unmeasured(server, monkeypatch):
    """A dataset without measures, and the lock that keeps the server from making them."""
    monkeypatch.setenv("FKD_HOME", str(server.home))
    # Other faces each time: the server remembers the measures of those it has seen.
    dataset, _ = make_demo("unmeasured", DemoSpec(rows=60, seed=next(SEEDS)))
    lock = FileLock(dataset.folder / ".measures.lock")
    with lock:
        yield lock
    remove("unmeasured")


def test_the_page_goes_on_by_itself(page, visit, unmeasured):
    visit("/statistics?dataset=unmeasured&page=1", "text=waiting for another process")
    assert page.locator(".js-plotly-plot .bars").count() == 0
    unmeasured.release()
    page.wait_for_selector(".js-plotly-plot .bars")
    assert "dataset=unmeasured" in page.url
    page.get_by_role("link", name="Data").click()
    page.wait_for_selector("text=Add a dataset")
    assert page.get_by_text("is measured").count() == 0


def test_browse_shows_faces_at_once_and_sorts_them_when_they_are_measured(page, visit, unmeasured):
    visit("/browse?dataset=unmeasured&sort=brightness", "text=waiting for another process")
    page.wait_for_selector(".face")
    assert page.locator(".face .note").count() == 0
    page.locator(".face").first.click()
    page.wait_for_selector(".view svg")
    page.keyboard.press("Escape")
    page.wait_for_selector(".face")
    unmeasured.release()
    page.wait_for_selector(".face .note")
    notes = [float(note) for note in page.locator(".face .note").all_inner_texts()]
    assert notes == sorted(notes)
    assert page.get_by_text("waiting for another process").count() == 0


def test_stopped_in_one_browser_it_is_continued_in_another(page, visit, unmeasured, browser):
    visit("/browse?dataset=unmeasured&image=7", "text=waiting for another process")
    other = browser.new_page()
    other.goto(page.url)
    other.wait_for_selector("text=waiting for another process")
    page.get_by_role("button", name="Stop").click()
    for here in (page, other):
        here.wait_for_selector("text=Measuring unmeasured was stopped")
    unmeasured.release()
    other.get_by_role("button", name="Measure again").click()
    other.wait_for_selector(".view svg")  # what the link asked for
    page.reload()
    page.wait_for_selector(".view svg")
    other.close()
