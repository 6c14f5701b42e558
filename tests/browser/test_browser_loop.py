"""From a photo to a corrected label, and from corrected labels to a training that knows them."""

from __future__ import annotations

import re

import cv2
import numpy as np
import pytest
from browser_helper import idle
from correct_helper import begin, cell, drag, place_in_list, place_of, press, ready
from inference_helper import scene
from playwright.sync_api import expect

from fkd.inference.frame import Frame
from fkd.labels.at import corrected
from fkd.labels.states import Origin
from fkd.labels.store import LabelStore
from fkd.registry import open_named
from fkd.training.runs import open_run

pytestmark = pytest.mark.browser

SLOW = 120_000
"""TensorFlow takes its time to start (ms)."""


def test_a_face_goes_from_predict_to_correct(page, server, visit, drawn, monkeypatch):
    drawn("something", rows=4, seed=1)  # shares the server's workspace
    photo, _ = scene((1, Frame(330, 220, 220)))
    visit("/predict", "[data-testid=stFileUploader]")
    data = cv2.imencode(".png", photo.gray)[1].tobytes()
    page.set_input_files(
        "[data-testid=stFileUploader] input[type=file]",
        [{"name": "me.png", "mimeType": "image/png", "buffer": data}],
    )
    page.get_by_role("button", name="Send to Correct").click(timeout=SLOW)
    page.get_by_label("Your name").fill("Ann")
    page.get_by_role("button", name="Begin").click()
    ready(page)
    expect(page).to_have_url(re.compile("dataset=uploads"))
    row = len(open_named("uploads")) - 1
    assert cell(page, 0, "state") == "suggested"
    press(page, "a")
    place = place_in_list(page, 0)
    drag(page, place, (place[0] + 4, place[1] + 2))
    press(page, "Enter")
    uploads = open_named("uploads")
    labels = LabelStore(uploads).labels_of(row)[1]
    assert labels[0].origin == Origin.EDITED
    assert {label.origin for label in labels[1:]} == {Origin.PREDICTION}
    assert np.isfinite(corrected(uploads).keypoints[row]).all()  # it can be trained on


def train(page, server, version):
    """Start a training of one epoch on the page and wait for its end."""
    page.goto(f"{server.url}/train?dataset=to-train-on")
    page.get_by_label("Epochs").fill("1")
    page.get_by_label("Epochs").press("Enter")
    idle(page)
    page.get_by_role("button", name="Start training").click()
    page.wait_for_url("**/train?**run=**")
    run = open_run(page.url.split("run=")[1].split("&")[0])
    for _ in range(240):
        if not run.status.active:
            break
        page.wait_for_timeout(500)
    assert run.status.state == "finished", run.read_log()
    assert run.config.label_version == version
    expect(page.get_by_text("finished").first).to_be_visible()
    return run


def test_labels_are_corrected_and_the_next_training_gains(page, server, drawn):
    faces = LabelStore(drawn("to-train-on", rows=40, seed=9))
    before = train(page, server, 0)
    row = int(before.config.split.training[0])
    begin(page, server, faces, row)
    x, y = place_of(faces, row, 0)
    drag(page, (x, y), (x + 6, y))
    press(page, "Enter")
    assert faces.head() == 1
    page.goto(f"{server.url}/browse?dataset=to-train-on&image={row}")
    glow = page.locator(".st-key-b-face .glow")
    glow.wait_for(state="attached")  # what was corrected stands out, with a cross where it was
    assert page.locator(".st-key-b-face .cross").count() == 2
    after = train(page, server, 1)
    assert after.config.split.digest == before.config.split.digest  # the same images held back
    link = f"model={after.name}&with={before.name}&section=gain"
    page.goto(f"{server.url}/evaluate?dataset=to-train-on&{link}")
    expect(page.get_by_text("Before and after", exact=True)).to_be_visible(timeout=SLOW)
    seen = page.locator("[data-testid=stMain]")
    expect(seen).to_contain_text("1 label on 1 of the")
    expect(seen).to_contain_text(f"{before.name} (labels as ingested)")
    expect(seen).to_contain_text(f"{after.name} (labels version 1)")
