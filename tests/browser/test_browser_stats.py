"""Statistics: charts lead into Browse, tables download."""

from __future__ import annotations

import csv
import re
import tomllib

import pytest
from browser_helper import ROOT
from table_helper import tables_cut_off

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


def bars(chart) -> list[tuple[float, float, float]]:
    """The bars of a chart: the middle of what is seen of each, and how high that is. On a
    logarithmic axis a bar goes on far below the chart: it ends at nought, minus infinity."""
    area = chart.locator(".nsewdrag").first.bounding_box()
    floor, seen = area["y"] + area["height"], []
    for bar in chart.locator(".barlayer .point path").all():
        box = bar.bounding_box()
        top, bottom = max(box["y"], area["y"]), min(box["y"] + box["height"], floor)
        if bottom - top > 1:
            seen.append((box["x"] + box["width"] / 2, (top + bottom) / 2, bottom - top))
    return seen


@pytest.mark.parametrize("which", [max, min])
@pytest.mark.parametrize("section", ["quality", "suspects"])
def test_a_bar_of_a_histogram_leads_to_just_its_images(page, visit, section, which):
    visit(f"/statistics?dataset=demo&section={section}", BARS)
    chart = page.locator(".js-plotly-plot").first
    x, y, _ = which(bars(chart), key=lambda bar: bar[2])
    page.mouse.move(x, y)
    text = chart.locator(".hoverlayer .hovertext").first.text_content()
    count = re.search(r": ([\d,]+)", text)[1]
    page.mouse.click(x, y)
    page.wait_for_selector(".face")
    page.get_by_text(re.compile(rf"^{count} \(")).wait_for()


def test_sections_stand_in_the_link(page, visit):
    visit("/statistics?dataset=demo&section=quality", "text=Darkest")
    page.get_by_role("radio", name="Positions").click()
    page.wait_for_url(re.compile("section=positions"))
    page.reload()
    page.wait_for_selector("text=On the mean face")


def test_a_picture_opens_in_browse(page, visit):
    visit("/statistics?dataset=demo&section=quality", ".face")
    title = page.locator(".face .title").first.inner_text()
    page.locator(".face").first.click()
    page.wait_for_url(re.compile(f"image={title}"))
    assert page.locator("h3").inner_text().startswith(f"Row {title}")


def test_tables_download_as_csv(page, visit, tmp_path):
    visit("/statistics?dataset=demo", ".st-key-download-demo-missing")
    with page.expect_download() as waiting:
        page.locator(".st-key-download-demo-missing button").click()
    path = tmp_path / "table.csv"
    waiting.value.save_as(path)
    rows = list(csv.DictReader(path.open()))
    assert [r["keypoint"] for r in rows] == [k.label for k in KAGGLE_15.keypoints]
    assert all(int(r["labelled"]) + int(r["missing"]) == 1000 for r in rows)


@pytest.mark.parametrize(
    ("section", "tables"), [("missing", 2), ("positions", 1), ("suspects", 1), ("quality", 1)]
)
def test_tables_fit_beside_the_sidebar(page, visit, section, tables):
    """Nothing of a table is cut off at the right on a small screen."""
    page.set_viewport_size({"width": 1280, "height": 800})
    visit(f"/statistics?dataset=demo&section={section}", "[data-testid=stMain] h4")
    assert tables_cut_off(page, tables) == []
    if section == "positions":
        page.get_by_text("By label source").click()
        assert tables_cut_off(page, tables) == []
    page.set_viewport_size({"width": 700, "height": 800})
    assert tables_cut_off(page, tables) or section == "quality"  # it would be seen


def test_a_charts_words_can_be_read_in_both_themes(browser, server):
    """Axes are written in the theme's own text colour, and follow when it changes."""
    themes = tomllib.loads((ROOT / ".streamlit/config.toml").read_text())["theme"]
    for theme in ("light", "dark"):
        color = themes[theme]["textColor"]
        page = browser.new_page(color_scheme=theme)
        page.goto(f"{server.url}/statistics?dataset=demo")
        page.wait_for_selector(BARS)
        for text in (".xtick text", ".ytick text", ".xtitle"):
            fill = page.locator(text).first.evaluate("e => getComputedStyle(e).fill")
            assert fill == f"rgb({', '.join(str(int(color[i : i + 2], 16)) for i in (1, 3, 5))})"
        page.close()
