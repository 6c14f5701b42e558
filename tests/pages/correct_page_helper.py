"""What is done on the Correct page, and on the imports beneath it."""

from __future__ import annotations

import time


def press(page, key):
    next(b for b in page.at.button if b.key == f"correct-{key}").click()
    return page.run()


def push(page, label):
    page.button(label).click()
    return page.run()


def until(page, words):
    """Run ``page`` until it says ``words``."""
    for _ in range(200):
        page.run()
        if words in page.text:
            return
        time.sleep(0.1)
    raise AssertionError(f"{words!r} is not in {page.text}")
