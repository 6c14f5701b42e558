"""Statistics: charts lead into Browse, tables download."""

from __future__ import annotations

import csv
import re

import pytest

from fkd.keypoints import KAGGLE_15

pytestmark = pytest.mark.browser

BARS = ".js-plotly-plot .barlayer .point path"


def test_a_bar_leads_to_browse_and_back_stays_back(page, visit):
    visit("/statistics?dataset=demo", BARS)
    page.locator(BARS).nth(3).click(force=True)
    page.wait_for_selector(".face")
    page.wait_for_url(re.compile(f"lacking={KAGGLE_15.names[3]}"))
    page.go_back()
    page.wait_for_selector(BARS)
    page.wait_for_timeout(1500)
    assert "/statistics" in page.url


def test_a_bar_of_a_histogram_leads_to_just_its_images(page, visit):
    visit("/statistics?dataset=demo&section=quality", BARS)
    bars = page.locator(".js-plotly-plot").first.locator(".barlayer .point path")
    heights = [bar.bounding_box()["height"] for bar in bars.all()]
    bars.nth(heights.index(max(heights))).hover(force=True)
    text = page.locator(".hoverlayer .hovertext").first.text_content()
    count = re.search(r": ([\d,]+)", text)[1]
    bars.nth(heights.index(max(heights))).click(force=True)
    page.wait_for_selector(".face")
    page.get_by_text(re.compile(rf"^{count} \(")).wait_for()


def test_sections_stand_in_the_link(page, visit):
    visit("/statistics?dataset=demo&section=quality", "text=Darkest")
    page.get_by_role("radio", name="Positions").click()
    page.wait_for_url(re.compile("section=positions"))
    page.reload()
    page.wait_for_selector("text=Over the mean face")


def test_a_picture_opens_in_browse(page, visit):
    visit("/statistics?dataset=demo&section=quality", ".face")
    title = page.locator(".face .title").first.inner_text()
    page.locator(".face").first.click()
    page.wait_for_url(re.compile(f"image={title}"))
    assert page.locator("h3").inner_text().startswith(f"Row {title}")


def test_tables_download_as_csv(page, visit, tmp_path):
    visit("/statistics?dataset=demo", "[data-testid=stDownloadButton]")
    with page.expect_download() as waiting:
        page.locator("[data-testid=stDownloadButton] button").first.click()
    path = tmp_path / "table.csv"
    waiting.value.save_as(path)
    rows = list(csv.DictReader(path.open()))
    assert [r["keypoint"] for r in rows] == [k.label for k in KAGGLE_15.keypoints]
    assert all(int(r["labelled"]) + int(r["missing"]) == 1000 for r in rows)
