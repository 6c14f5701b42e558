"""What a person does on the Correct page, in the words of its tests."""

from __future__ import annotations

import math

from browser_helper import idle

ZOOM = 8
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


def words(page, k):
    """What the list says of keypoint ``k``: its name, its place, its distance."""
    return page.locator(f"{LIST} .line").nth(k).inner_text().split("\n")


def spot(page, x, y):
    """Where px ``x``, ``y`` of the face is on the screen."""
    box = page.locator(".st-key-correct-frame canvas.upper-canvas").bounding_box()
    return box["x"] + (x + 0.5) * ZOOM, box["y"] + (y + 0.5) * ZOOM


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


def near(words, place):
    """Whether the list's ``words`` say ``place``, as exactly as a screen's px allow."""
    return math.dist(map(float, words.split()), place) < 0.2


def place_of(faces, row, k):
    return faces.labels_of(row)[1][k].place
