"""Browse with mouse and keys."""

from __future__ import annotations

import re

import numpy as np
import pytest
from browser_helper import idle
from playwright.sync_api import expect

from fkd.keypoints import KAGGLE_15
from fkd.storage import open_dataset

pytestmark = pytest.mark.browser

GRID, FACE, CHART = ".face", ".face >> nth=0", ".view svg"


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
        assert KAGGLE_15.keypoints[k].label in dot.get_attribute("aria-label")


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


def add_filter(page, start: str) -> None:
    """Choose the filter whose words begin with ``start``; the menu closes by itself."""
    page.get_by_role("combobox", name="Filter").click()
    page.get_by_role("option", name=re.compile(f"^{re.escape(start)}")).click()
    expect(page.get_by_role("option")).to_have_count(0)


def selected(page, count: int) -> None:
    """Wait until the server and the grid say that so many of the images in view are chosen."""
    words = "Select faces" if not count else f"{count} image{'s' * (count > 1)} selected"
    page.get_by_text(words).first.wait_for()
    expect(page.locator(".chosen")).to_have_count(count)


def test_filters_count_close_and_are_taken_away_one_by_one(page, visit):
    visit("/browse?dataset=demo", GRID)
    add_filter(page, "has missing points (")
    url_has(page, "filter=incomplete")
    add_filter(page, "complete (")
    page.wait_for_selector("text=1,000 (100 %)")  # of one kind, either may hold
    page.get_by_role("button", name="has missing points").click()
    url_has(page, "filter=complete")
    assert "incomplete" not in page.url


def test_faces_are_chosen_with_the_mouse(page, visit):
    visit("/browse?dataset=demo&per_page=24", GRID)
    box = page.locator(".choose").nth(1)
    expect(box).to_have_css("opacity", "0")
    page.locator(".cell").nth(1).hover()
    expect(box).to_have_css("opacity", "1")
    box.click()
    selected(page, 1)
    page.locator(".face").nth(4).click(modifiers=["Shift"])
    selected(page, 4)
    page.locator(".face").nth(2).click(modifiers=["ControlOrMeta"])
    selected(page, 3)
    assert "image=" not in page.url  # no click has opened a face
    page.locator(".face").nth(6).click()
    page.wait_for_selector(CHART)
    page.keyboard.press("Escape")
    page.wait_for_selector(GRID)
    selected(page, 3)
    page.get_by_role("button", name="Clear selection").click()
    selected(page, 0)


def test_quick_clicks_are_all_counted(page, visit):
    visit("/browse?dataset=demo&per_page=24", GRID)
    for at in range(8):
        page.locator(".face").nth(at).click(modifiers=["ControlOrMeta"])
    selected(page, 8)
    idle(page)
    selected(page, 8)


def test_faces_are_chosen_with_the_keyboard(page, visit):
    visit("/browse?dataset=demo&per_page=24", GRID)
    page.locator(FACE).focus()
    page.keyboard.press("x")
    selected(page, 1)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("x")
    selected(page, 2)
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    selected(page, 4)
    assert "&page=" not in page.url  # the arrows walked in the grid
    page.keyboard.press("Escape")
    selected(page, 0)


def test_what_is_chosen_is_tagged_found_and_untagged(page, visit):
    visit("/browse?dataset=demo&per_page=24", GRID)
    for at in (0, 2):
        page.locator(".face").nth(at).click(modifiers=["ControlOrMeta"])
    selected(page, 2)
    page.get_by_placeholder("Your name").fill("Ann")
    page.get_by_placeholder("Your name").press("Enter")
    idle(page)
    page.get_by_role("button", name="Tag", exact=True).click()
    page.get_by_role("combobox", name="Tag").fill("blurred")
    page.get_by_role("combobox", name="Tag").press("Enter")
    page.get_by_role("button", name="Add tag").click()
    page.wait_for_selector("text=2 images tagged")
    page.keyboard.press("Escape")
    expect(page.locator(".face .tags")).to_have_text(["blurred", "blurred"])
    add_filter(page, "tag blurred (2)")
    page.wait_for_selector("text=2 (0.20 %)")
    page.get_by_role("button", name="Undo").click()
    page.wait_for_selector("text=Undone")


def test_a_view_is_saved_and_its_link_opens_it(page, visit):
    visit("/browse?dataset=demo&filter=complete&sort=brightness", GRID)
    page.get_by_role("button", name="Saved views").click()
    page.get_by_role("textbox", name="Save this view as").fill("Dark and complete")
    page.get_by_role("textbox", name="Save this view as").press("Enter")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("View “Dark and complete” saved").wait_for()
    visit("/browse?dataset=demo&page=1", GRID)
    page.get_by_role("button", name="Saved views").click()
    page.get_by_role("button", name="Dark and complete").click()
    url_has(page, "sort=brightness")
    url_has(page, "filter=complete")


@pytest.mark.parametrize("width", [1280, 1920])
def test_marks_of_the_smallest_faces_can_be_seen(page, visit, width):
    page.set_viewport_size({"width": width, "height": 800})
    visit("/browse?dataset=demo&per_page=192&size=0.8", GRID)
    dot = page.locator(".face circle").first.bounding_box()
    assert min(dot["width"], dot["height"]) >= 4


def test_one_face_is_predicted_by_itself_and_its_table_is_not_cut_off(page, visit):
    page.set_viewport_size({"width": 1280, "height": 800})
    visit("/browse?dataset=demo&image=2&model=bundled", CHART)
    page.locator(".view .ring").first.wait_for(state="attached", timeout=60_000)
    page.wait_for_selector("text=mean error on this image")
    idle(page)
    table = page.locator(".dvn-scroller").first
    table.wait_for(state="attached")
    assert table.evaluate("e => e.scrollWidth <= e.clientWidth")


def test_a_link_opens_the_same_view_again(page, visit, browser):
    visit("/browse?dataset=demo", GRID)
    add_filter(page, "complete (")
    page.wait_for_selector("text=of 1,000 images:")
    page.locator(".face").nth(3).click()
    page.wait_for_selector(CHART)
    heading = page.locator("h3").inner_text()
    other = browser.new_page()
    other.goto(page.url)
    other.wait_for_selector(CHART)
    assert other.locator("h3").inner_text() == heading
    assert page.get_by_text("Filtered by: complete").count() == 1
    other.close()


def test_hover_names_a_point_and_gives_its_place(page, visit, dataset):
    row = 1
    here = np.flatnonzero(~np.isnan(dataset.keypoints[row]).any(axis=1))
    visit(f"/browse?dataset=demo&image={row}", f"{CHART} circle")
    page.locator(f"{CHART} circle").first.hover()
    tip = page.locator(".tip")
    tip.wait_for()
    x, y = dataset.keypoints[row][here[0]]
    assert KAGGLE_15.keypoints[here[0]].label in tip.inner_text()
    assert f"{x:.1f}, {y:.1f}" in tip.inner_text()


def test_a_point_of_a_small_face_is_named_next_to_the_pointer(page, visit, dataset):
    visit("/browse?dataset=demo&per_page=96&show=points,names", GRID)
    assert page.locator(".name").count() == 0  # no name could be read at this size
    box = page.locator(".face").first.locator("circle").first.bounding_box()
    page.mouse.move(box["x"] - 3, box["y"] + box["height"] / 2)
    k = np.flatnonzero(~np.isnan(dataset.keypoints[0]).any(axis=1))[0]
    page.locator(".tip").wait_for()
    assert KAGGLE_15.keypoints[k].label in page.locator(".tip").inner_text()
    page.mouse.move(5, 5)
    page.locator(".tip").wait_for(state="hidden")
    page.locator(".face").first.click()
    page.wait_for_selector(f"{CHART} .name", state="attached")


def test_the_zoom_outlives_a_toggle_and_marks_stay_in_place(page, visit, dataset):
    visit("/browse?dataset=demo&image=2", CHART)
    frame = page.locator(".view").bounding_box()
    middle = frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2
    page.mouse.move(*middle)
    page.mouse.wheel(0, -600)
    box = page.locator(CHART).get_attribute("viewBox")
    assert box != "-0.5 -0.5 96 96"
    page.get_by_role("button", name="View", exact=True).click()
    page.get_by_role("button", name="edges").click()
    url_has(page, "show=points%2Cedges")
    idle(page)
    assert page.locator(CHART).get_attribute("viewBox") == box
    x, _, width, _ = map(float, box.split())
    # Where the pointer is, the same pixel stays under it.
    assert x + width / 2 == pytest.approx((KAGGLE_15.width - 1) / 2, abs=0.3)
    page.keyboard.press("Escape")
    page.locator(".view").dblclick()
    assert page.locator(CHART).get_attribute("viewBox") == "-0.5 -0.5 96 96"


def test_held_arrow_keys_do_not_stick(page, visit):
    visit("/browse?dataset=demo&image=0", CHART)
    for _ in range(12):
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(60)
    before = None
    while page.url != before:  # a slow machine is still at work on the keys
        before = page.url
        page.wait_for_timeout(1500)
        idle(page)
    reached = int(re.search(r"image=(\d+)", page.url)[1])
    page.keyboard.press("ArrowRight")
    url_has(page, f"image={reached + 1}")
    assert reached >= 3


def test_the_picture_downloads_as_shown(page, visit, tmp_path):
    import cv2

    visit("/browse?dataset=demo&image=3&show=points", CHART)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="PNG").click()
    path = tmp_path / "face.png"
    waiting.value.save_as(path)
    picture = cv2.imread(str(path))
    assert picture.shape == (8 * KAGGLE_15.height, 8 * KAGGLE_15.width, 3)
    assert (picture[..., 0] != picture[..., 2]).any()  # coloured dots on a grey face


def test_toggles_change_what_is_drawn(page, visit):
    visit("/browse?dataset=demo&filter=complete", GRID)
    assert page.locator(".face line").count() == 0
    page.get_by_role("button", name="View", exact=True).click()
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


@pytest.mark.parametrize("turn", ["key", "button"])
def test_a_turned_page_is_shown_from_its_top(page, visit, turn):
    visit("/browse?dataset=demo", GRID)
    button = page.get_by_role("button", name="Next page Shortcut")
    button.scroll_into_view_if_needed()
    expect(page.locator(FACE)).not_to_be_in_viewport()
    if turn == "key":
        page.keyboard.press("ArrowRight")
    else:
        button.click()
    url_has(page, "page=2")
    expect(page.locator(FACE)).to_be_in_viewport(ratio=1)


def test_the_grid_comes_back_to_the_face_last_looked_at(page, visit):
    visit("/browse?dataset=demo", GRID)
    page.locator(".face").nth(40).click()
    page.wait_for_selector(CHART)
    expect(page.locator("h3")).to_be_in_viewport(ratio=1)
    page.keyboard.press("ArrowRight")
    url_has(page, "image=41")
    idle(page)
    page.keyboard.press("Escape")
    face = page.get_by_role("button", name="Open 41")
    expect(face).to_be_focused()
    expect(face).to_be_in_viewport(ratio=1)
    page.keyboard.press("Enter")
    url_has(page, "image=41")


def test_from_a_face_far_on_the_grid_opens_on_its_page(page, visit):
    visit("/browse?dataset=demo&image=997", CHART)
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Open 997")).to_be_focused()
    url_has(page, "page=21")


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
