"""Correct as a person uses it: points dragged and placed, keys, undo, two people on one image."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest
from browser_helper import ROOT, idle
from correct_helper import (
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
)
from playwright.sync_api import expect

from fkd.labels.reviews import reviews
from fkd.labels.states import Origin, State
from fkd.labels.store import LabelStore

pytestmark = pytest.mark.browser


@pytest.fixture
def faces(drawn, request):
    """Drawn faces, most of which lack points, with labels that no other test has changed."""
    name = request.node.name.removeprefix("test_")[:60].replace("_", "-")
    return LabelStore(drawn(name, rows=12, seed=5))


@pytest.fixture
def incomplete(faces):
    """The first row with points that are there and points that are missing."""
    import numpy as np

    here = np.isfinite(faces.dataset.keypoints).all(axis=2).sum(axis=1)
    return int(np.flatnonzero((here > 2) & (here < len(faces.dataset.schema)))[0])


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
    expect(page.get_by_role("dialog")).to_contain_text("Next likely label error")
