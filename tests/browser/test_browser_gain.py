"""Before and after corrections on Evaluate: the truth is chosen, and a face leads to Browse."""

from __future__ import annotations

import re
import shutil

import pytest
from browser_helper import idle
from evaluation_helper import make_run, output_of, store_validation
from table_helper import tables_cut_off

from fkd.labels.point import Edit, PointLabel
from fkd.labels.states import Origin, State
from fkd.labels.store import LabelStore
from fkd.registry import remove

pytestmark = pytest.mark.browser

FACE, CHART = ".face", ".js-plotly-plot"


@pytest.fixture
def runs(drawn):
    """Two runs of 40 drawn faces, the second on labels with one nose moved, and closer."""
    dataset = drawn("gained", rows=40, seed=6)
    x, y = dataset.keypoints[1, 10].tolist()
    label = PointLabel(State.VISIBLE, x + 5, y, Origin.EDITED)
    LabelStore(dataset).save([Edit(1, 10, label)], "Ann")
    made = [make_run(dataset, "before"), make_run(dataset, "after", label_version=1)]
    for model, error in zip(made, (6, 3), strict=True):
        store_validation(model, dataset, output_of(dataset, error))
    yield
    for model in made:
        shutil.rmtree(model.run.folder)
    remove("gained")


@pytest.mark.usefixtures("runs")
def test_before_and_after_lead_to_what_was_corrected(page, visit):
    visit("/evaluate?dataset=gained&model=after&with=before", CHART)
    page.set_viewport_size({"width": 1280, "height": 800})
    assert tables_cut_off(page, 2) == []
    page.get_by_role("radio", name="Gain").click()
    page.get_by_text("1 of at least 50 corrected labels").wait_for()
    assert page.get_by_text("after the corrections").count() == 0
    page.get_by_text("1 label on 1 of the 30 training images").wait_for()
    page.locator(CHART).first.wait_for()
    idle(page)
    assert tables_cut_off(page, 3) == []

    page.get_by_role("combobox", name="Labels").click()
    page.get_by_role("option", name="as ingested").click()
    page.get_by_text("Scored against the labels as ingested.").wait_for()
    page.wait_for_url(re.compile("labels=original"))

    page.get_by_role("radio", name="Most corrected").click()
    page.locator(f"{FACE} .title", has_text=re.compile("^row 1$")).wait_for()
    idle(page)
    assert page.locator(f"{FACE} .title").all_inner_texts() == ["row 1"]
    assert page.locator(f"{FACE} .ring").count() == 1  # where the nose was
    page.locator(FACE).first.click()
    page.wait_for_url(re.compile("/browse.*image=1"))
    page.locator("h3", has_text="Row 1").wait_for()

    page.go_back()
    page.wait_for_url(re.compile("/evaluate.*gain=corrected"))
    page.locator(FACE).first.wait_for()
