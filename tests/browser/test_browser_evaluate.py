"""From a model without predictions to its worst face, large, and back."""

from __future__ import annotations

import re
import shutil

import numpy as np
import pytest
from browser_helper import idle
from evaluation_helper import make_run

from fkd.evaluation.images import look_up
from fkd.registry import remove

pytestmark = pytest.mark.browser

FACE, CHART = ".face", ".js-plotly-plot"
SLOW = 120_000
"""TensorFlow takes its time to start where others use the processor too (ms)."""


@pytest.fixture
def dataset(drawn):
    """A dataset of 40 drawn faces."""
    dataset = drawn("judged", rows=40, seed=6)
    yield dataset
    remove(dataset.name)


@pytest.fixture
def model(dataset):
    """A run whose model has learned nothing."""
    from fkd.models.saving import save_model
    from fkd.models.zoo import build

    model = make_run(dataset, "untrained")
    save_model(build("compact", dataset.schema), model.path, optimizer=False)
    yield model
    shutil.rmtree(model.run.folder)


def titles(page) -> list[str]:
    return page.locator(f"{FACE} .title").all_inner_texts()


def test_predictions_are_made_and_lead_to_the_worst_face(page, visit, dataset, model):
    said = "There are no predictions of untrained for the 40 images of judged yet"
    visit("/evaluate?dataset=judged", f"text={said}")
    page.get_by_role("button", name="Predict 40 images").click()
    page.get_by_role("button", name="Stop").wait_for()
    page.get_by_text("px RMSE on 10 images not seen in training").wait_for(timeout=SLOW)
    page.locator(CHART).nth(1).wait_for()
    idle(page)

    page.get_by_role("radio", name="Faces").click()
    page.locator(FACE).first.wait_for()
    predicted = look_up(model, dataset)
    error = np.where(predicted.held_back, predicted.error, -1)
    worst = int(np.argsort(-error, kind="stable")[0])
    assert titles(page)[0] == f"row {dataset.rows[worst]}"
    assert len(titles(page)) == 10
    labelled = np.isfinite(dataset.keypoints[worst]).all(axis=1).sum()
    first = page.locator(FACE).first
    assert first.locator(".ring").count() == 15
    assert first.locator(".dot").count() == first.locator(".error").count() == labelled

    first.click()
    page.wait_for_url(re.compile(f"image={dataset.rows[worst]}"))
    page.locator(".view .ring").first.wait_for()
    assert page.locator("h3").inner_text().startswith(f"Row {dataset.rows[worst]} 1 of 10")
    assert page.locator(".view .ring").count() == 15
    page.get_by_text(f"{predicted.error[worst]:.2f} px mean error on this image").wait_for()
    assert "/browse" in page.url
    assert "model=untrained" in page.url

    page.go_back()
    page.wait_for_url(re.compile("/evaluate.*section=faces"))
    page.locator(FACE).first.wait_for()
    idle(page)
    assert "image=" not in page.url
    assert titles(page)[0] == f"row {dataset.rows[worst]}"


def test_a_bar_leads_to_just_its_images(page, visit, dataset, model):
    from fkd.evaluation.predictions import predict

    predict(model, dataset)
    visit("/evaluate?dataset=judged&model=untrained", f"{CHART} .point path")
    chart = page.locator(CHART).nth(1)
    chart.scroll_into_view_if_needed()
    bars = [bar.bounding_box() for bar in chart.locator(".barlayer .point path").all()]
    assert sum(bar["height"] > 1 for bar in bars) > 1
    box = max(bars, key=lambda bar: bar["height"])
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    text = chart.locator(".hoverlayer .hovertext").first.text_content()
    count = re.search(r": ([\d,]+)", text)[1]
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.get_by_text(re.compile(rf"^{count} \(")).wait_for()
    page.locator(FACE).first.wait_for()
    idle(page)
    assert len(titles(page)) == int(count)
    assert "error=" in page.url


def test_a_model_is_chosen_in_browse(page, visit, dataset, model):
    from fkd.evaluation.predictions import predict

    predict(model, dataset)
    visit("/browse?dataset=judged", FACE)
    assert page.locator(".ring").count() == 0
    page.get_by_role("button", name="View", exact=True).click()
    page.get_by_role("combobox", name="Predictions").click()
    page.get_by_role("option", name="untrained").click()
    page.wait_for_url(re.compile("model=untrained"))
    page.locator(f"{FACE} .ring").first.wait_for()
    predicted = look_up(model, dataset)
    scale = page.locator(f"{FACE} img").first.bounding_box()
    ring = page.locator(FACE).first.locator(".ring").first.bounding_box()
    px = scale["width"] / 96
    x = (ring["x"] + ring["width"] / 2 - scale["x"]) / px - 0.5
    assert x == pytest.approx(predicted.points[0, 0, 0], abs=0.1)
