"""What a person does on the Correct page, in the words of its tests."""

from __future__ import annotations

import math

from browser_helper import idle

from fkd.keypoints import KAGGLE_15

SIZE = KAGGLE_15.width

LIST = ".st-key-correct-points"


def begin(page, server, faces, row, name="Ann"):
    page.goto(f"{server.url}/correct?dataset={faces.dataset.name}&row={row}&queue=all")
    page.get_by_label("Your name").fill(name)
    page.get_by_role("button", name="Begin").click()
    ready(page)


def ready(page):
    page.wait_for_selector(".st-key-correct-frame canvas.upper-canvas")
    # From here on points can be dragged.
    page.wait_for_selector('.st-key-correct-frame [aria-label="Edit"][aria-pressed="true"]',
                           state="attached")  # fmt: skip
    idle(page)


def cell(page, k, name):
    """What the list says of keypoint ``k`` in the column ``name``: key, name, state, x, y, off."""
    return page.locator(f"{LIST} .line").nth(k).locator(f".{name}").inner_text()


def place_in_list(page, k):
    """Where keypoint ``k`` is, by the list."""
    return float(cell(page, k, "x")), float(cell(page, k, "y"))


def spot(page, x, y):
    """Where px ``x``, ``y`` of the face is on the screen, however far it is zoomed in."""
    box = page.locator(".st-key-correct-frame canvas.upper-canvas").bounding_box()
    px = box["width"] / SIZE
    return box["x"] + (x + 0.5) * px, box["y"] + (y + 0.5) * px


def under_the_mouse(page, x, y):
    """Which place of the face is at ``x``, ``y`` px of the screen."""
    box = page.locator(".st-key-correct-frame canvas.upper-canvas").bounding_box()
    px = box["width"] / SIZE
    return (x - box["x"]) / px - 0.5, (y - box["y"]) / px - 0.5


def drag(page, start, end):
    page.mouse.move(*spot(page, *start))
    page.mouse.down()
    page.mouse.move(*spot(page, (start[0] + end[0]) / 2, (start[1] + end[1]) / 2), steps=3)
    page.mouse.move(*spot(page, *end), steps=3)
    page.mouse.up()
    idle(page)


def click(page, x, y):
    page.mouse.click(*spot(page, x, y))
    idle(page)


def press(page, key):
    page.keyboard.press(key)
    idle(page)


def near(page, k, place):
    """Whether the list has keypoint ``k`` at ``place``, as exactly as a screen's px allow."""
    return math.dist(place_in_list(page, k), place) < 0.25


def zoom(page):
    """By how much the face is enlarged, in percent."""
    return int(page.locator(".st-key-correct-frame .zoom").inner_text().split()[1])


def active(page):
    """Number of the keypoint that the list has as the chosen one."""
    pressed = page.locator(f"{LIST} .line").evaluate_all(
        "lines => lines.map(line => line.getAttribute('aria-pressed'))"
    )
    return pressed.index("true")


def place_of(faces, row, k):
    return faces.labels_of(row)[1][k].place
