"""What axe-core finds on the pages, in both themes: contrast, names of controls and pictures."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from correct_helper import ready

pytestmark = pytest.mark.browser

PAGES = {
    "": "text=Datasets",
    "browse": ".face img",
    "statistics": ".js-plotly-plot",
    "train": "text=Start training",
    "evaluate": "text=bundled",
    "predict": "[data-testid=stFileUploader]",
    "correct": "[data-testid=stForm]",
}
RULES = {"runOnly": ["wcag2a", "wcag2aa"]}


@pytest.fixture(params=["light", "dark"])
def page(request, browser):
    context = browser.new_context(
        viewport={"width": 1280, "height": 800}, color_scheme=request.param
    )
    page = context.new_page()
    page.set_default_timeout(20_000)
    yield page
    context.close()


@pytest.mark.parametrize("name", PAGES)
def test_everybody_can_read_and_name_what_is_there(name, page, visit):
    visit(f"/{name}?dataset=demo", PAGES[name])
    check(page)


def test_the_canvas_too(page, visit):
    visit("/correct?dataset=demo&queue=all", PAGES["correct"])
    page.get_by_label("Your name").fill("Ann")
    page.get_by_role("button", name="Begin").click()
    ready(page)
    check(page)


def check(page) -> None:
    page.wait_for_timeout(500)  # what fades in has its colours
    found = Axe().run(page, options=RULES).response["violations"]
    told = [
        f"{rule['id']}: {node['failureSummary']} {node['html'][:160]}"
        for rule in found
        for node in rule["nodes"]
    ]
    assert not told, "\n".join(told)
