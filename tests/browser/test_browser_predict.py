"""A person drops photos, looks at the points, draws a box, takes a picture, downloads."""

from __future__ import annotations

import io
import json
import zipfile

import cv2
import numpy as np
import pytest
from browser_helper import idle
from inference_helper import scene
from playwright.sync_api import expect

from fkd.inference.frame import Frame
from fkd.keypoints import KAGGLE_15

pytestmark = pytest.mark.browser

VIEW, RING, SQUARE = ".st-key-photo-frame .view", ".st-key-photo-frame .ring", ".frame-line"
SLOW = 120_000
"""TensorFlow takes its time to start where others use the processor too (ms)."""


def png(gray: np.ndarray) -> bytes:
    return cv2.imencode(".png", gray)[1].tobytes()


def drop(page, *files: tuple[str, bytes]) -> None:
    page.set_input_files(
        "[data-testid=stFileUploader] input[type=file]",
        [{"name": name, "mimeType": "image/png", "buffer": data} for name, data in files],
    )


def downloaded(page, label: str) -> bytes:
    with page.expect_download() as waiting:
        page.get_by_role("button", name=label, exact=True).click()
    return waiting.value.path().read_bytes()


def points_of(data: bytes) -> np.ndarray:
    [photo] = json.loads(data)
    [face] = photo["faces"]
    return np.array([[p["x"], p["y"]] for p in face["keypoints"].values()])


def test_a_turned_face_is_found_named_and_downloaded(page, visit):
    photo, [exact] = scene((1, Frame(330, 220, 220, 25)))
    visit("/predict", "[data-testid=stFileUploader]")
    drop(page, ("me.png", png(photo.gray)))
    page.locator(RING).first.wait_for(state="attached", timeout=SLOW)
    idle(page)
    expect(page.locator(RING)).to_have_count(len(KAGGLE_15))
    assert page.locator(f"{VIEW} polygon{SQUARE}").count() == 1
    page.locator(RING).nth(0).hover(force=True)
    page.get_by_text("left eye center predicted").wait_for()
    found = points_of(downloaded(page, "Points (JSON)"))
    assert np.hypot(*(found - exact).T).mean() < 7
    picture = cv2.imdecode(
        np.frombuffer(downloaded(page, "Picture (PNG)"), np.uint8), cv2.IMREAD_COLOR
    )
    assert picture.shape == (480, 640, 3)
    assert downloaded(page, "Points (CSV)").startswith(b"file,face,keypoint,x,y,confidence")
    page.get_by_role("button", name="Points", exact=True).click()
    expect(page.locator(RING)).to_have_count(0)


def radii(page) -> list[float]:
    """Those of the rings, in px of the screen, from line to line."""
    return page.locator(RING).evaluate_all(
        """rings => rings.map((ring) => ring.r.baseVal.value * ring.getScreenCTM().a)"""
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 1920])
def test_marks_have_a_size_on_the_screen_at_any_zoom_of_any_photo(browser, server, width, scheme):
    """And a click on a face zooms there, with a way back."""
    small = scene((1, Frame(330, 220, 220)))[0].gray
    large = cv2.resize(
        scene((1, Frame(480, 250, 90)), (3, Frame(130, 150, 80)))[0].gray, None, fx=6, fy=6
    )
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.goto(server.url + "/predict")
    page.wait_for_selector("[data-testid=stFileUploader]")
    idle(page)
    drop(page, ("large.png", png(large)), ("small.png", png(small)))
    page.get_by_text("3 faces on 2 photos").wait_for(timeout=SLOW)
    idle(page)
    expect(page.locator(RING)).to_have_count(2 * len(KAGGLE_15))
    assert all(3 <= radius <= 4 for radius in radii(page))
    back = page.get_by_role("button", name="Whole photo")
    assert not back.is_visible()
    page.get_by_role("button", name="Open Face 2").click()
    back.wait_for()
    idle(page)
    assert all(3 <= radius <= 4 for radius in radii(page))
    view = page.locator(VIEW).bounding_box()
    face = page.locator(f"{VIEW} polygon.frame-line.chosen").bounding_box()
    middle = (face["x"] + face["width"] / 2, face["y"] + face["height"] / 2)
    assert middle == pytest.approx(
        (view["x"] + view["width"] / 2, view["y"] + view["height"] / 2), abs=view["width"] / 20
    )
    assert face["height"] > view["height"] / 2
    assert page.locator(f"{VIEW} image").count() == 2  # the whole, and sharp around the face
    back.click()
    assert not back.is_visible()
    assert all(3 <= radius <= 4 for radius in radii(page))
    page.get_by_role("button", name="Next photo").click()
    page.get_by_text("Photo 2 of 2").wait_for()
    expect(page.locator(RING)).to_have_count(len(KAGGLE_15))
    assert all(3 <= radius <= 4 for radius in radii(page))
    assert not back.is_visible()
    context.close()


def test_two_people_drop_photos_at_once(page, visit, browser, server):
    places = [Frame(330, 220, 220), Frame(250, 260, 180, 10)]
    photos = [scene((number, frame)) for number, frame in zip((1, 3), places, strict=True)]
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    other = context.new_page()
    visit("/predict", "[data-testid=stFileUploader]")
    other.goto(server.url + "/predict")
    other.wait_for_selector("[data-testid=stFileUploader]")
    idle(other)
    both = (page, other)
    for tab, (photo, _) in zip(both, photos, strict=True):
        drop(tab, ("me.png", png(photo.gray)))  # the same name, another picture
    for tab, (_, [exact]) in zip(both, photos, strict=True):
        tab.locator(RING).first.wait_for(state="attached", timeout=SLOW)
        idle(tab)
        expect(tab.locator(RING)).to_have_count(len(KAGGLE_15))
        assert np.hypot(*(points_of(downloaded(tab, "Points (JSON)")) - exact).T).mean() < 7
    context.close()


def test_where_nothing_is_found_a_box_by_hand_does(page, visit):
    photo, _ = scene((2, Frame(300, 240, 200, 75)))
    visit("/predict", "[data-testid=stFileUploader]")
    drop(page, ("odd.png", png(photo.gray)))
    page.get_by_text("No face was found").wait_for(timeout=SLOW)
    page.get_by_role("paragraph").filter(has_text="Draw a box").first.click()
    page.locator(f"{VIEW}.drawing").wait_for()
    idle(page)
    box = page.locator(VIEW).bounding_box()
    scale = box["width"] / photo.width
    page.mouse.move(box["x"] + 180 * scale, box["y"] + 120 * scale)
    page.mouse.down()
    page.mouse.move(box["x"] + 300 * scale, box["y"] + 240 * scale)
    page.mouse.move(box["x"] + 420 * scale, box["y"] + 360 * scale)
    page.mouse.up()
    page.locator(RING).first.wait_for(state="attached", timeout=SLOW)
    idle(page)
    expect(page.locator(RING)).to_have_count(len(KAGGLE_15))
    page.get_by_role("button", name="Remove face").click()
    page.get_by_text("No face was found").wait_for()


def test_a_batch_with_a_broken_file(page, visit):
    several, _ = scene((1, Frame(480, 250, 190)), (3, Frame(130, 150, 150)))
    one, _ = scene((1, Frame(330, 220, 220)))
    none = np.full((200, 300), 90, np.uint8)
    visit("/predict", "[data-testid=stFileUploader]")
    drop(
        page,
        ("several.png", png(several.gray)),
        ("<b>bad</b>.png", b"no photo at all"),
        ("one.png", png(one.gray)),
        ("none.png", png(none)),
    )
    page.get_by_text("Photo 1 of 4", exact=True).wait_for(timeout=SLOW)
    counts = "3 faces on 2 photos; no face on 1 photo; 1 photo could not be read"
    page.get_by_text(counts).wait_for(timeout=SLOW)
    idle(page)
    expect(page.locator(RING)).to_have_count(2 * len(KAGGLE_15))
    page.get_by_role("button", name="Next photo").click()
    page.get_by_text("<b>bad</b>.png is not an image").first.wait_for()
    idle(page)
    page.keyboard.press("ArrowRight")
    page.get_by_text("Photo 3 of 4").wait_for()
    expect(page.locator(RING)).to_have_count(len(KAGGLE_15))
    idle(page)
    with zipfile.ZipFile(io.BytesIO(downloaded(page, "All pictures and points (zip)"))) as archive:
        names = archive.namelist()
        results = json.loads(archive.read("keypoints.json"))
    assert [name for name in names if name.endswith(".png")] == [
        "0001-several.png",
        "0003-one.png",
        "0004-none.png",
    ]
    assert [len(result.get("faces", ())) for result in results] == [2, 0, 1, 0]


def test_an_example_and_its_link(page, visit, drawn):
    drawn("judged2", rows=12, seed=6)
    visit("/predict?dataset=judged2", "text=Examples from judged2")
    page.locator(".face").first.click()
    page.locator(RING).first.wait_for(state="attached", timeout=SLOW)
    idle(page)
    assert "example=" in page.url
    page.goto(page.url)
    page.locator(RING).first.wait_for(state="attached", timeout=SLOW)
    expect(page.locator(RING)).to_have_count(len(KAGGLE_15))


def test_the_camera_takes_a_picture(page, visit):
    """Chromium's stand-in for a camera shows a moving pattern, and no face."""
    visit("/predict", "[data-testid=stFileUploader]")
    page.get_by_text("Use the camera", exact=True).click()
    page.wait_for_function("() => document.querySelector('video')?.readyState === 4")
    page.get_by_role("button", name="Take Photo").click()
    page.get_by_text("camera.jpg").wait_for(timeout=SLOW)
    idle(page)
    assert page.locator(VIEW).count() == 1
