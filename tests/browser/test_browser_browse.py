"""Browse with mouse and keys."""

from __future__ import annotations

import re

import numpy as np
import pytest

from fkd.keypoints import KAGGLE_15
from fkd.storage import open_dataset

pytestmark = pytest.mark.browser

GRID, FACE, CHART = ".face", ".face >> nth=0", ".js-plotly-plot"


@pytest.fixture
def dataset(server):
    return open_dataset(server.home / "datasets" / "demo")


def url_has(page, text: str) -> None:
    page.wait_for_url(re.compile(re.escape(text)))


def test_marks_sit_on_the_pixels_they_name(page, visit, dataset):
    visit("/browse?dataset=demo&per_page=24&show=points", GRID)
    face = page.locator(".face").nth(2)
    image = face.locator("img").bounding_box()
    here = np.flatnonzero(~np.isnan(dataset.keypoints[2]).any(axis=1))
    assert face.locator("circle").count() == len(here)
    scale = image["width"] / KAGGLE_15.width
    for dot, k in zip(face.locator("circle").all(), here, strict=True):
        box = dot.bounding_box()
        # The picture's left edge is half a pixel before index 0.
        x = (box["x"] + box["width"] / 2 - image["x"]) / scale - 0.5
        y = (box["y"] + box["height"] / 2 - image["y"]) / scale - 0.5
        assert (x, y) == pytest.approx(tuple(dataset.keypoints[2][k]), abs=0.05)
        assert dot.get_attribute("fill") == KAGGLE_15.keypoints[k].color
        assert KAGGLE_15.keypoints[k].label in dot.locator("title").text_content()


def test_a_click_opens_a_face_and_keys_walk_on(page, visit):
    visit("/browse?dataset=demo&sort=brightness&order=desc", GRID)
    titles = page.locator(".face .title").all_inner_texts()
    page.locator(".face").nth(1).click()
    page.wait_for_selector(CHART)
    assert page.locator("h3").inner_text().startswith(f"Row {titles[1]}")
    url_has(page, f"image={titles[1]}")
    page.keyboard.press("ArrowRight")
    url_has(page, f"image={titles[2]}")
    page.keyboard.press("ArrowLeft")
    url_has(page, f"image={titles[1]}")
    page.keyboard.press("Home")
    url_has(page, f"image={titles[0]}")
    page.keyboard.press("End")
    page.wait_for_selector("text=1,000 of 1,000")
    page.keyboard.press("Escape")
    page.wait_for_selector(GRID)
    assert "image=" not in page.url


def test_a_link_opens_the_same_view_again(page, visit, browser):
    visit("/browse?dataset=demo", GRID)
    page.locator("[data-testid=stMultiSelect] input").click()
    page.get_by_role("option", name="complete", exact=True).click()
    page.keyboard.press("Escape")
    page.wait_for_selector("text=of 1,000 images: complete")
    page.locator(".face").nth(3).click()
    page.wait_for_selector(CHART)
    heading = page.locator("h3").inner_text()
    other = browser.new_page()
    other.goto(page.url)
    other.wait_for_selector(CHART)
    assert other.locator("h3").inner_text() == heading
    assert ": complete" in heading
    other.close()


def test_hover_names_a_point_and_gives_its_place(page, visit, dataset):
    row = int(dataset.manifest["rows"] > 0)
    here = np.flatnonzero(~np.isnan(dataset.keypoints[row]).any(axis=1))
    visit(f"/browse?dataset=demo&image={row}", f"{CHART} .scatterlayer .point")
    page.locator(f"{CHART} .scatterlayer .point").first.hover(force=True)
    page.wait_for_selector(".hoverlayer .hovertext")
    text = page.locator(".hoverlayer .hovertext").text_content()
    point = dataset.keypoints[row][here[0]]
    assert KAGGLE_15.keypoints[here[0]].label in text
    assert f"x {point[0]:.2f}, y {point[1]:.2f} px" in text


def test_toggles_change_what_is_drawn(page, visit):
    visit("/browse?dataset=demo&filter=complete", GRID)
    assert page.locator(".face line").count() == 0
    page.get_by_role("button", name="View").click()
    page.get_by_role("button", name="edges").click()
    page.wait_for_selector(".face line", state="attached")
    url_has(page, "show=points%2Cedges")
    page.get_by_role("button", name="points", exact=True).click()
    page.wait_for_selector(".face circle", state="detached")


def test_arrow_keys_do_not_fire_while_typing(page, visit):
    visit("/browse?dataset=demo&image=7", CHART)
    page.keyboard.press("Escape")
    page.wait_for_selector(GRID)
    box = page.get_by_label("Go to row")
    box.fill("12")
    box.press("ArrowLeft")
    box.press("ArrowRight")
    assert "page=2" not in page.url
    box.press("Enter")
    page.wait_for_selector(CHART)
    url_has(page, "image=12")


def test_pages_turn_by_key(page, visit):
    visit("/browse?dataset=demo", GRID)
    first = page.locator(".face .title").first.inner_text()
    page.keyboard.press("ArrowRight")
    url_has(page, "page=2")
    page.wait_for_function(f"document.querySelector('.face .title')?.textContent !== '{first}'")


def test_dark_and_light_both_have_readable_captions(browser, server):
    colors = {}
    for scheme in ("light", "dark"):
        page = browser.new_page(color_scheme=scheme)
        page.goto(f"{server.url}/browse?dataset=demo")
        page.wait_for_selector(GRID)
        colors[scheme] = [
            page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor"),
            page.locator(".caption").first.evaluate("e => getComputedStyle(e).color"),
        ]
        page.close()
    for background, text in colors.values():
        assert abs(lightness(background) - lightness(text)) > 0.5
    assert lightness(colors["dark"][0]) < 0.2
    assert lightness(colors["light"][0]) > 0.8


def lightness(color: str) -> float:
    r, g, b = (int(c) for c in re.findall(r"\d+", color)[:3])
    return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255
