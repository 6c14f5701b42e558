"""What is around every page: its title in the tab, and nothing that is fetched from elsewhere."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

TITLES = ("Data", "Browse", "Statistics", "Train", "Evaluate", "Predict", "Correct")


def test_every_page_names_itself_and_asks_only_this_machine(page, server, visit):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    visit("/?dataset=demo", "[data-testid=stSidebarNavLink]")
    for number, title in enumerate(TITLES):
        page.get_by_test_id("stSidebarNavLink").nth(number).click()
        page.wait_for_function("title => document.title === title", arg=f"{title} · fkd workbench")
    local = (server.url, server.url.replace("http", "ws", 1), "data:", "blob:")
    assert [url for url in asked if not url.startswith(local)] == []
