"""Correct as a person uses it: points dragged and placed, keys, undo, two people on one image."""

from __future__ import annotations

import math
import re
import subprocess
import sys

import pytest
from browser_helper import ROOT, idle
from correct_helper import (
    LIST,
    active,
    begin,
    cell,
    click,
    drag,
    near,
    place_in_list,
    place_of,
    press,
    ready,
    spot,
    under_the_mouse,
    zoom,
)
from playwright.sync_api import expect

from fkd.labels.point import Edit, PointLabel
from fkd.labels.reviews import reviews
from fkd.labels.states import Origin, State
from fkd.labels.store import LabelStore

pytestmark = pytest.mark.browser


@pytest.fixture
def faces(drawn, request):
    """Drawn faces, most of which lack points, with labels that no other test has changed."""
    name = re.sub(r"\W|_", "-", request.node.name.removeprefix("test_"))[-60:].strip("-")
    return LabelStore(drawn(name, rows=12, seed=5))


@pytest.fixture
def incomplete(faces):
    """The first row with points that are there and points that are missing."""
    import numpy as np

    here = np.isfinite(faces.dataset.keypoints).all(axis=2).sum(axis=1)
    return int(np.flatnonzero((here > 2) & (here < len(faces.dataset.schema)))[0])


@pytest.fixture
def complete(faces):
    """The first row with all points."""
    import numpy as np

    return int(np.flatnonzero(np.isfinite(faces.dataset.keypoints).all(axis=(1, 2)))[0])


def test_a_point_is_dragged_and_saved(page, server, faces, incomplete):
    begin(page, server, faces, incomplete)
    x, y = place_of(faces, incomplete, 0)
    drag(page, (x, y), (x + 5, y - 3))
    expect(page.get_by_text("unsaved edits", exact=True)).to_be_visible()
    assert faces.head() == 0  # nothing is a label before it is saved
    press(page, "Enter")
    expect(page.locator("h3").first).to_contain_text(f"Row {incomplete + 1}")
    assert math.dist(place_of(faces, incomplete, 0), (x + 5, y - 3)) < 0.2
    (version,) = faces.versions()
    assert (version.author, version.kind) == ("Ann", "save")
    assert [c.keypoint for c in faces.changes()] == [faces.dataset.schema.names[0]]
    assert reviews(faces)[incomplete].state == "done"


def test_what_is_dragged_just_before_the_key_is_saved_with_it(page, server, faces, incomplete):
    begin(page, server, faces, incomplete)
    x, y = place_of(faces, incomplete, 0)
    page.mouse.move(*spot(page, x, y))
    page.mouse.down()
    page.mouse.move(*spot(page, x + 4, y + 4), steps=4)
    page.mouse.up()
    page.keyboard.press("Enter")  # at once: the page has not heard of the drag yet
    expect(page.locator("h3").first).to_contain_text(f"Row {incomplete + 1}")
    idle(page)
    assert math.dist(place_of(faces, incomplete, 0), (x + 4, y + 4)) < 0.2


def test_missing_points_are_placed_one_after_the_other(page, server, faces, incomplete):
    begin(page, server, faces, incomplete)
    labels = faces.labels_of(incomplete)[1]
    first, second, third = [k for k, label in enumerate(labels) if not label.state.placed][:3]
    names = [k.label for k in faces.dataset.schema.keypoints]
    named = page.locator(".st-key-correct-points .naming")
    expect(named).to_contain_text(names[first])
    click(page, 5, 90)
    expect(named).to_contain_text(names[second])
    assert near(page, first, (5, 90))
    press(page, "s")
    expect(named).to_contain_text(names[third])
    press(page, "x")
    assert cell(page, third, "state") == "absent"
    assert cell(page, second, "state") == "missing"
    press(page, "Enter")
    saved = faces.labels_of(incomplete)[1]
    assert [saved[k].state for k in (first, second, third)] == [
        State.VISIBLE,
        State.MISSING,
        State.ABSENT,
    ]


def test_a_chosen_point_moves_where_one_clicks_by_keys_and_by_numbers(
    page, server, faces, incomplete
):
    begin(page, server, faces, incomplete)
    x, y = place_of(faces, incomplete, 0)
    click(page, x, y)
    click(page, 80, 10)
    assert near(page, 0, (80, 10))
    before = float(page.get_by_label("x, px").input_value())
    press(page, "Shift+ArrowRight")
    expect(page.get_by_label("x, px")).to_have_value(f"{before + 0.25:.2f}")
    page.get_by_label("y, px").fill("12.5")
    page.get_by_label("y, px").press("Enter")
    idle(page)
    assert near(page, 0, (80.25, 12.5))
    for _ in range(3):
        page.keyboard.press("z")  # faster than the page answers
    expect(page.get_by_text("unsaved edits", exact=True)).to_have_count(0)
    idle(page)
    assert place_in_list(page, 0) == (round(x, 1), round(y, 1))


def test_several_points_move_together(page, server, faces, incomplete):
    begin(page, server, faces, incomplete)
    places = [label.place for label in faces.labels_of(incomplete)[1]]
    eyes = faces.dataset.schema.eye_centers
    (ax, ay), (bx, by) = (places[k] for k in eyes)
    drag(page, (min(ax, bx) - 4, min(ay, by) - 5), (max(ax, bx) + 4, max(ay, by) + 4))
    drag(page, (ax, ay), (ax + 2, ay + 3))
    press(page, "Enter")
    after = [label.place for label in faces.labels_of(incomplete)[1]]
    for k in eyes:
        assert math.dist(after[k], (places[k][0] + 2, places[k][1] + 3)) < 0.3
    others = [k for k, place in enumerate(places) if place and place[1] > max(ay, by) + 8]
    assert others
    assert [after[k] for k in others] == [places[k] for k in others]


def test_undo_after_saving_and_on_another_day(page, server, faces, incomplete):
    begin(page, server, faces, incomplete)
    x, y = place_of(faces, incomplete, 0)
    drag(page, (x, y), (x + 6, y))
    press(page, "Enter")
    assert faces.head() == 1
    page.reload()  # the browser has kept the name
    ready(page)
    press(page, "b")
    expect(page.locator("h3").first).to_contain_text(f"Row {incomplete} ")
    press(page, "z")
    assert place_of(faces, incomplete, 0) == (x, y)
    press(page, "Shift+Z")
    assert math.dist(place_of(faces, incomplete, 0), (x + 6, y)) < 0.2
    assert [v.kind for v in faces.versions()] == ["save", "undo", "redo"]


def test_an_unsaved_edit_is_there_when_one_comes_back(page, server, faces, incomplete):
    begin(page, server, faces, incomplete)
    x, y = place_of(faces, incomplete, 0)
    drag(page, (x, y), (x - 4, y + 2))
    press(page, "ArrowRight")
    expect(page.locator("h3").first).to_contain_text(f"Row {incomplete + 1}")
    page.goto(f"{server.url}/correct?dataset={faces.dataset.name}&row={incomplete}&queue=all")
    ready(page)
    expect(page.get_by_text("unsaved edits", exact=True)).to_be_visible()
    assert near(page, 0, (x - 4, y + 2))
    assert faces.head() == 0


def test_two_people_on_one_image(page, browser, server, faces, incomplete):
    begin(page, server, faces, incomplete)
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    other = context.new_page()
    begin(other, server, faces, incomplete, name="Ben")
    x, y = place_of(faces, incomplete, 0)
    drag(page, (x, y), (x + 5, y))
    press(page, "Enter")
    drag(other, (x, y), (x, y + 5))
    press(other, "Enter")
    expect(other.get_by_text("Ann changed row")).to_be_visible()
    assert math.dist(place_of(faces, incomplete, 0), (x + 5, y)) < 0.2
    other.get_by_role("button", name="Keep mine").click()
    idle(other)
    assert math.dist(place_of(faces, incomplete, 0), (x, y + 5)) < 0.2
    assert [v.author for v in faces.versions()] == ["Ann", "Ben"]
    context.close()


def test_suggested_points_are_accepted(page, server, faces, incomplete):
    done = subprocess.run(
        [sys.executable, "-m", "fkd", "evaluate", "bundled", "--dataset", faces.dataset.name],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    begin(page, server, faces, incomplete)
    before = faces.labels_of(incomplete)[1]
    missing = [k for k, label in enumerate(before) if not label.state.placed]
    assert cell(page, missing[0], "state") == "suggested"
    press(page, "a")
    assert faces.head() == 0
    press(page, "Enter")
    after = faces.labels_of(incomplete)[1]
    assert {after[k].origin for k in missing} == {Origin.PREDICTION}
    assert {after[k].source for k in missing} == {"bundled"}
    assert [after[k] for k in range(len(after)) if k not in missing] == [
        before[k] for k in range(len(before)) if k not in missing
    ]


def test_keys_do_not_fire_while_somebody_types(page, server, faces, incomplete):
    begin(page, server, faces, incomplete)
    x, y = place_of(faces, incomplete, 0)
    click(page, x, y)
    field = page.get_by_label("x, px")
    field.focus()
    field.press("x")
    field.press("n")
    idle(page)
    expect(page.locator("h3").first).to_contain_text(f"Row {incomplete} ")
    assert place_in_list(page, 0) == (round(x, 1), round(y, 1))


def test_the_keys_are_listed(page, server, faces, incomplete):
    begin(page, server, faces, incomplete)
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_contain_text("Next likely label error")


MARKS = ".st-key-correct-frame .marks"
PAINTED = """() => {
  const node = [...document.querySelectorAll('.st-key-correct-frame *')].find((n) => n.shadowRoot);
  const canvas = node.shadowRoot.querySelector('.dc-canvas.lower-canvas');
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  return data.some((value) => value);
}"""


@pytest.mark.parametrize("size", [(1280, 720), (1440, 900), (1920, 1080)])
def test_everything_is_in_the_window(page, server, faces, incomplete, size):
    width, height = size
    page.set_viewport_size({"width": width, "height": height})
    begin(page, server, faces, incomplete)
    parts = [".st-key-correct-top", ".st-key-correct-toolbar", ".st-key-correct-frame .dc-scroll",
             ".st-key-correct-frame .zoom", ".st-key-correct-actions"]  # fmt: skip
    shown = [page.locator(part) for part in parts] + page.locator(f"{LIST} .line").all()
    assert len(shown) == len(parts) + len(faces.dataset.schema)
    for part in shown:
        box = part.bounding_box()
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= height
        assert box["x"] + box["width"] <= width
    face = page.locator(parts[2]).bounding_box()
    assert face["height"] == pytest.approx(face["width"], abs=1)
    assert face["height"] > 0.68 * height  # and it uses the room that there is
    buttons = page.locator(".st-key-correct-toolbar button:visible").all()
    tops = [button.bounding_box()["y"] for button in buttons]
    assert max(tops) - min(tops) < 6  # one row


def test_the_toolbar_is_named_in_words(page, server, faces, incomplete):
    begin(page, server, faces, incomplete)
    for name in ("Undo", "Redo", "Previous", "Next", "Accept all", "Hide marks", "Skip image"):
        expect(page.get_by_role("button", name=name, exact=True)).to_be_visible()
    heads = page.locator(f"{LIST} .head span").all_inner_texts()
    assert heads == ["Key", "Point", "State", "x", "y", "Off"]


def turn(page, place, steps):
    """Turn the wheel over ``place``, away from oneself."""
    page.mouse.move(*spot(page, *place))
    for _ in range(steps):
        page.mouse.wheel(0, -100)
    page.wait_for_timeout(150)


def test_the_wheel_zooms_where_the_mouse_is_and_the_face_can_be_moved(
    page, server, faces, incomplete
):
    begin(page, server, faces, incomplete)
    assert zoom(page) == 100
    before = [round(px) for px in spot(page, 30, 40)]  # a mouse is at whole px
    under = under_the_mouse(page, *before)
    turn(page, under, 10)
    assert zoom(page) == pytest.approx(100 * math.exp(1.5), abs=1)
    assert under_the_mouse(page, *before) == pytest.approx(under, abs=0.02)
    assert page.locator(f"{MARKS} .dot").first.bounding_box()["width"] < 12
    assert not page.evaluate(PAINTED)  # the canvas' own circles, which grow, are not seen
    head = faces.labels_of(incomplete)[1]
    for button, key in (("middle", None), ("left", "Space")):
        start = spot(page, 30, 40)
        page.mouse.move(*before)
        if key:
            page.keyboard.down(key)
        page.mouse.down(button=button)
        page.mouse.move(before[0] + 40, before[1] - 30, steps=4)
        page.mouse.up(button=button)
        if key:
            page.keyboard.up(key)
        assert spot(page, 30, 40) == pytest.approx((start[0] + 40, start[1] - 30), abs=0.5)
    idle(page)
    expect(page.get_by_text("unsaved edits", exact=True)).to_have_count(0)  # nothing was placed
    page.keyboard.press("Home")
    assert zoom(page) == 100
    page.get_by_role("button", name="Zoom in (+)").click()
    assert zoom(page) == 150
    page.keyboard.press("-")
    assert zoom(page) == 100
    assert faces.labels_of(incomplete)[1] == head


def test_what_is_placed_and_dragged_at_four_times_is_exact(page, server, faces, incomplete):
    begin(page, server, faces, incomplete)
    x, y = place_of(faces, incomplete, 0)
    choose = [k for k, p in enumerate(faces.labels_of(incomplete)[1]) if p.state.placed][1]
    page.locator(f"{LIST} .line").nth(choose).click()
    idle(page)
    turn(page, (50, 50), 10)
    assert zoom(page) > 400
    click(page, 51.3, 49.6)
    page.keyboard.press("Home")
    turn(page, (x, y), 10)
    drag(page, (x, y), (x + 1.7, y - 0.9))
    press(page, "Enter")
    assert math.dist(place_of(faces, incomplete, choose), (51.3, 49.6)) < 0.1
    assert math.dist(place_of(faces, incomplete, 0), (x + 1.7, y - 0.9)) < 0.1


def test_the_list_and_the_face_show_what_the_mouse_is_at(page, server, faces, incomplete):
    begin(page, server, faces, incomplete)
    x, y = place_of(faces, incomplete, 0)
    line = page.locator(f"{LIST} .line").first
    ring = page.locator(f'{MARKS} .around[data-k="0"]')
    line.hover()
    expect(ring).to_have_count(1)
    page.mouse.move(5, 5)
    expect(ring).to_have_count(0)
    page.mouse.move(*spot(page, x, y))
    expect(line).to_have_class(re.compile("hovered"))
    page.mouse.move(5, 5)
    expect(line).not_to_have_class(re.compile("hovered"))


def test_keys_choose_points(page, server, faces, incomplete):
    begin(page, server, faces, incomplete)
    count = len(faces.dataset.schema)
    for k in (0, 4, 9, 10, count - 1):
        press(page, cell(page, k, "key").lower())
        assert active(page) == k
    press(page, "Tab")
    assert active(page) == 0
    press(page, "Shift+Tab")
    assert active(page) == count - 1
    for _ in range(4):
        page.keyboard.press("Tab")  # faster than the page answers
    idle(page)
    page.wait_for_timeout(500)
    assert active(page) == 3
    page.keyboard.press("Escape")  # gives Tab back to the browser
    page.keyboard.press("Tab")
    idle(page)
    assert active(page) == 3


def test_undo_and_redo_with_ctrl(page, server, faces, incomplete):
    begin(page, server, faces, incomplete)
    x, y = place_of(faces, incomplete, 0)
    drag(page, (x, y), (x + 5, y))
    moved = place_in_list(page, 0)
    for key, wanted in (("Control+z", False), ("Control+Shift+Z", True),
                        ("Control+z", False), ("Control+y", True)):  # fmt: skip
        press(page, key)
        assert (place_in_list(page, 0) == moved) is wanted


def test_edges_follow_a_point_while_it_is_dragged(page, server, faces, complete):
    begin(page, server, faces, complete)
    labels = faces.labels_of(complete)[1]
    a, _ = faces.dataset.schema.edges[0]
    expect(page.locator(f"{MARKS} .edge")).to_have_count(0)
    press(page, "e")
    edges = page.locator(f"{MARKS} .edge")
    ends = "lines => lines.map(l => ['x1', 'y1'].map(name => +l.getAttribute(name)))"
    x, y = labels[a].place
    assert [round(x, 1), round(y, 1)] in [
        [round(v, 1) for v in e] for e in edges.evaluate_all(ends)
    ]
    page.mouse.move(*spot(page, x, y))
    page.mouse.down()
    page.mouse.move(*spot(page, x + 6, y + 4), steps=5)
    page.wait_for_timeout(100)
    during = edges.evaluate_all(ends)  # the mouse is still down
    page.mouse.up()
    assert min(math.dist(end, (x + 6, y + 4)) for end in during) < 0.3


def test_no_frame_appears_when_a_key_follows_a_click(page, server, faces, incomplete):
    """The page itself had the focus after a click on the face, and with a key showed so."""
    begin(page, server, faces, incomplete)
    click(page, 5, 5)
    page.locator("h3").first.click()
    for key in ("h", "h", "Tab"):
        press(page, key)
        assert page.evaluate("document.querySelectorAll(':focus-visible').length") == 0


def test_single_key_shortcuts_can_be_turned_off(page, server, faces, incomplete):
    begin(page, server, faces, incomplete)
    page.get_by_role("button", name="View", exact=True).click()
    page.get_by_text("Single-key shortcuts").click()
    idle(page)
    page.keyboard.press("Escape")
    idle(page)
    for _ in range(2):
        was = active(page)
        for key in ("x", "n", "3", "Tab"):
            press(page, key)
        assert active(page) == was
        expect(page.get_by_text("unsaved edits", exact=True)).to_have_count(0)
        expect(page.locator("h3").first).to_contain_text(f"Row {incomplete} ")
        page.reload()  # the browser has kept it
        ready(page)
    press(page, "ArrowRight")
    expect(page.locator("h3").first).to_contain_text(f"Row {incomplete + 1}")


def test_points_outside_the_image_are_shown_and_taken_back(page, server, faces, incomplete):
    faces.save([Edit(incomplete, 0, PointLabel(State.VISIBLE, -12, 40, Origin.IMPORTED))], "Ben")
    begin(page, server, faces, incomplete)
    arrow = page.locator(f'{MARKS} .outside[data-k="0"]')
    face, box = page.locator(MARKS).bounding_box(), arrow.bounding_box()
    assert abs(box["x"] - face["x"]) < 5
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    idle(page)
    assert active(page) == 0
    page.get_by_role("button", name="Bring 1 point back into the image").click()
    idle(page)
    expect(arrow).to_have_count(0)
    press(page, "Enter")
    assert place_of(faces, incomplete, 0) == (-0.5, 40)


def test_a_save_runs_the_page_once(page, server, faces, incomplete):
    """The canvas told what it was told, and the page ran a second time for each face."""
    begin(page, server, faces, incomplete)
    press(page, "Enter")
    page.evaluate(
        """() => {
          window.runs = 0;
          const app = document.querySelector('[data-testid=stApp]');
          new MutationObserver(() => { window.runs += app.dataset.testScriptState === 'running'; })
            .observe(app, { attributes: true, attributeFilter: ['data-test-script-state'] });
        }"""
    )
    press(page, "Enter")
    page.wait_for_timeout(800)
    assert page.evaluate("window.runs") == 1


def test_keys_are_left_to_sliders_and_to_other_pages(page, server, faces, incomplete):
    begin(page, server, faces, incomplete)
    page.get_by_role("button", name="View", exact=True).click()
    slider = page.get_by_role("slider").first
    slider.focus()
    before = slider.input_value()
    press(page, "ArrowRight")
    assert slider.input_value() != before
    expect(page.locator("h3").first).to_contain_text(f"Row {incomplete} ")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Data", exact=True).click()
    page.wait_for_selector(".st-key-correct-frame", state="detached")
    idle(page)
    page.evaluate(
        "addEventListener('keydown', (event) => { window.taken = event.defaultPrevented; })"
    )
    for key in ("Tab", "x", "3"):
        page.keyboard.press(key)
        assert page.evaluate("window.taken") is False
