"""Data: bring files in, see what is wrong with them, take the good rows, remove."""

from __future__ import annotations

import pytest
from browser_helper import idle

from fkd.demo import DemoSpec, write_demo_files

pytestmark = pytest.mark.browser


def test_the_first_start_drew_the_demo(page, visit, server):
    visit("/", "text=drawn faces")
    assert "drawing the demo faces" in server.log()
    page.get_by_text("1,000", exact=True).wait_for()


def test_a_file_with_bad_rows_is_uploaded_and_its_good_rows_kept(page, visit, tmp_path):
    write_demo_files(tmp_path, DemoSpec(rows=20))
    path = tmp_path / "training.csv"
    lines = path.read_text().splitlines()
    lines[5] = "abc" + lines[5]
    path.write_text("\n".join(lines))

    visit("/", "text=Add a dataset")
    page.get_by_role("radio", name="Upload").click()
    page.wait_for_selector("text=Up to 500 MB")
    idle(page)
    page.get_by_label("Name", exact=True).fill("uploaded")
    page.locator("input[type=file]").first.set_input_files(path)
    page.get_by_text("training.csv", exact=True).wait_for()
    idle(page)
    page.get_by_role("button", name="Ingest", exact=True).click()
    page.wait_for_selector("text=1 bad row of 20")
    page.get_by_role("button", name="Ingest the good rows").click()
    page.wait_for_selector("text=uploaded is ready")
    page.wait_for_url("**dataset=uploaded**")

    page.locator(".st-key-remove-uploaded button").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    page.wait_for_selector("[data-testid=stDialog]", state="detached")
    page.wait_for_url(lambda url: "dataset=" in url and "dataset=uploaded" not in url)
    page.locator(".st-key-remove-uploaded").wait_for(state="detached")


def test_nothing_leaves_the_machine(page, visit, server):
    hosts = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    visit("/browse?dataset=demo&image=3", ".view svg")
    assert {h for h in hosts if h and not h.startswith("localhost")} == set()
