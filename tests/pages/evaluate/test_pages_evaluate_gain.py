"""Evaluate, before and after corrections: the truth, the gain, and what was corrected."""

from __future__ import annotations

import numpy as np
import pytest
from evaluate_page_helper import faces, held_back_rmse, tables
from evaluation_helper import make_run, output_of, split_of, store_all, store_validation

from fkd.evaluation.corrections import ENOUGH
from fkd.evaluation.metrics import rmse
from fkd.labels.point import Edit, PointLabel
from fkd.labels.states import Origin, State
from fkd.labels.store import LabelStore

pytestmark = pytest.mark.usefixtures("home", "no_bundled")

NOSE = 10


def put(store, row, keypoint, by, origin=Origin.EDITED):
    """Move a label by ``by`` px along x."""
    at = store.dataset.position(row)
    x, y = store.dataset.keypoints[at, keypoint].tolist()
    x, y = (x, y) if np.isfinite(x) else (40.0, 40.0)
    return Edit(row, keypoint, PointLabel(State.VISIBLE, x + by, y, origin))


@pytest.fixture
def store(dataset):
    """Version 1: the nose moved far on two training images and accepted on a third. Version 2: one
    validation image with all its labels moved by 10 px."""
    store = LabelStore(dataset)
    training = [put(store, row, NOSE, 5) for row in (1, 2)]
    store.save([*training, put(store, 3, NOSE, 1, Origin.PREDICTION)], "Ann")
    here = np.flatnonzero(np.isfinite(dataset.keypoints[4, :, 0]))
    store.save([put(store, 4, int(k), 10) for k in here], "Ann")
    return store


@pytest.fixture
def runs(dataset, store):
    """Before and after: off by up to 6 px on the labels as ingested, by 3 px on version 1."""
    before = make_run(dataset, "before")
    store_validation(before, dataset, output_of(dataset, 6))
    after = make_run(dataset, "after", label_version=1)
    store_validation(after, dataset, output_of(dataset, 3, seed=1))
    return before, after


@pytest.fixture
def many(dataset, store, runs):
    """A later run on version 3, in which the noses of all training images were moved far."""
    held = set(range(0, 90, 4))
    store.save([put(store, row, NOSE, 5) for row in range(90) if row not in held], "Ann")
    model = make_run(dataset, "many", label_version=3)
    store_validation(model, dataset, output_of(dataset, 3, seed=1))
    return model


def open_gain(app, **query: str):
    return app("evaluate", **{"model": "after", "with": "before", "section": "gain", **query})


CLAIMS = ("after the corrections", "told from chance**", "rank correlation", "improved more")


@pytest.mark.usefixtures("runs")
def test_few_corrections_are_numbers_without_a_conclusion(app, dataset):
    page = open_gain(app, labels="original")
    far, near = held_back_rmse(dataset, 6), held_back_rmse(dataset, 3, seed=1)
    said = f"RMSE {far} px with before (labels as ingested), {near} px with after (labels version 1"
    assert said in page.text
    assert "on the same 23 images. Change from before to after: \u2212" in page.text
    assert f"**3 of at least {ENOUGH} corrected labels.**" in page.text
    assert not [word for word in CLAIMS if word in page.text]
    assert page.at.get("page_link")[-1].proto.label == "Correct more labels"
    sources, keypoints, kinds = tables(page)
    assert sources["images of"].tolist() == ["all images", "15-point source", "4-point source"]
    assert sources["change (px)"][0] == pytest.approx(float(near) - float(far), abs=0.011)
    assert (sources["from (px)"] <= sources["change (px)"]).all()
    assert "error" not in sources
    assert "error" not in keypoints
    nose = keypoints.iloc[NOSE]
    assert nose["keypoint"] == dataset.schema.keypoints[NOSE].label
    assert nose["corrected"] == 3
    names = ["all", "moved far", "moved slightly", "added", "accepted prediction", "removed"]
    assert kinds.iloc[NOSE][names].tolist() == [3, 2, 0, 0, 1, 0]
    assert keypoints["corrected"].sum() == 3
    assert "**3 labels** on 3 of the 67 training images" in page.text
    assert "2 moved far, 1 accepted prediction" in page.text
    assert "also have different" not in page.text


@pytest.mark.usefixtures("many")
def test_enough_corrections_allow_a_conclusion(app, dataset):
    page = open_gain(app, model="many", labels="original")
    assert "The error fell by" in page.text
    assert "px after the corrections.** RMSE" in page.text
    assert f"of at least {ENOUGH}" not in page.text
    assert "The error fell on 22 images and rose on 0" in page.text  # the first has no error
    assert "the same labels with another seed give another model" in page.text
    assert "rank correlation" in page.text
    assert "does not show cause and effect" in page.text
    sources, keypoints, _ = tables(page)
    assert sources["error"][0] == "fell"
    assert keypoints["corrected"].sum() == 67


@pytest.mark.usefixtures("many")
def test_what_else_differs_comes_first_and_nothing_is_concluded(app, dataset):
    other = make_run(dataset, "other", epochs=7, label_version=3)
    store_validation(other, dataset, output_of(dataset, 3, seed=1))
    page = open_gain(app, model="other", labels="original")
    words = [str(getattr(element, "value", "")) for element in page.at.main]
    [warning] = [i for i, said in enumerate(words) if "different settings (Epochs)" in said]
    [numbers] = [i for i, said in enumerate(words) if "px with before (labels" in said]
    assert warning < numbers
    assert not [word for word in CLAIMS if word in page.text]
    sources, keypoints, _ = tables(page)
    assert "error" not in sources
    assert keypoints["corrected"].sum() == 67  # what was corrected is told all the same


def test_as_good_as_before_is_no_gain(app, dataset, many):
    store_validation(many, dataset, output_of(dataset, 6, seed=1))
    page = open_gain(app, model="many", labels="original")
    assert "**No change that can be told from chance.** RMSE" in page.text
    assert tables(page)[0]["error"][0] == "no clear change"


@pytest.mark.usefixtures("runs")
def test_duplicates_are_drawn_as_one(app, dataset):
    """Images of the same picture count once in the interval, and that is said."""
    duplicate = np.full(90, -1, np.int32)
    duplicate[[4, 8, 12]] = 0
    np.save(dataset.folder / "measures" / "duplicate.npy", duplicate)
    page = open_gain(app, labels="original")
    assert "images of the same picture count as one, which leaves 21 pictures" in page.text
    assert "may be too narrow" not in page.text


def test_groups_that_are_not_known_are_told(app, dataset, runs):
    """A run says that groups were kept together, not which images they are."""
    last = make_run(dataset, "last", label_version=1, grouped=True)
    store_validation(last, dataset, output_of(dataset, 3, seed=1))
    assert "the interval may be too narrow" in open_gain(app, model="last").text


@pytest.mark.usefixtures("runs")
def test_the_order_of_the_runs_does_not_matter(app):
    page = app("evaluate", model="before", section="gain", **{"with": "after"})
    assert "px with before (labels as ingested)" in page.text
    assert page.text.index("px with before (") < page.text.index("px with after (")


@pytest.mark.usefixtures("runs")
def test_the_truth_is_chosen_and_stands_in_the_link(app, dataset):
    page = open_gain(app)
    chosen = page.at.selectbox(key="e-labels")
    assert chosen.value == "latest"
    assert chosen.options == ["latest (version 2)", "as ingested", "version 2", "version 1"]
    assert "Scored against version 2 of the labels." in page.text
    ingested = held_back_rmse(dataset, 3, seed=1)
    points = np.array(dataset.keypoints[::4])
    points[1, :, 0] += 10
    corrected = rmse(output_of(dataset, 3, seed=1)[::4, :, :2], points)
    assert f"{corrected:.2f} px with after" in page.text
    chosen.set_value("original")
    page.run()
    assert page.query["labels"] == "original"
    assert "Scored against the labels as ingested." in page.text
    assert f"{ingested} px with after" in page.text
    page = open_gain(app, labels="1")
    assert "Scored against version 1 of the labels." in page.text
    assert f"{ingested} px with after" in page.text  # what was corrected is training images


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize("word", ["7", "99999999999", "newest"])
def test_labels_that_there_are_not(app, word):
    page = open_gain(app, labels=word)
    assert "Scored against version 2 of the labels." in page.text
    assert ("have no version 7" in page.text) == (word == "7")
    assert "labels" not in page.query


@pytest.mark.usefixtures("model", "other")
def test_runs_on_the_same_labels_have_no_gain(app):
    page = open_gain(app, model="one", **{"with": "two"})
    assert "Before and after" not in page.text
    assert "#### Cumulative error distribution" in page.text
    assert not [box for box in page.at.selectbox if box.key == "e-labels"]


def test_what_else_differs_is_told(app, dataset, store):
    before = make_run(dataset, "before", epochs=7)
    after = make_run(dataset, "after", split_of(dataset, 2), label_version=2, accepted=False)
    store_all(before, dataset, output_of(dataset, 3))
    store_all(after, dataset, output_of(dataset, 3, seed=1))
    page = open_gain(app)
    said = "different settings (Epochs) and different training and validation images"
    assert said in page.text
    assert "labels version 2, without accepted predictions" in page.text
    assert not [word for word in CLAIMS if word in page.text]
    nose = tables(page)[2].iloc[NOSE]
    assert (nose["moved far"], nose["accepted prediction"]) == (1, 0)  # row 2 is held back


def test_corrections_of_held_back_images_are_none_of_the_training(app, dataset, store, runs):
    last = make_run(dataset, "last", label_version=2)
    store_validation(last, dataset, output_of(dataset, 3, seed=1))
    page = open_gain(app, model="after", **{"with": "last"})
    assert f"**0 of at least {ENOUGH} corrected labels.**" in page.text
    assert "any difference is chance" in page.text
    assert "corrected" not in tables(page)[1]


@pytest.mark.usefixtures("runs")
def test_faces_of_the_gain_lead_to_browse(app):
    page = open_gain(app, labels="original")
    assert faces(page)[0]["title"] == "row 88"
    assert faces(page)[0]["note"] == "5.9 → 2.9 px"
    page = open_gain(app, gain="corrected")
    shown = faces(page)
    assert {face["title"] for face in shown} == {"row 1", "row 2", "row 3"}
    assert shown[0]["note"] == "1 corrected label"
    assert sum(place is not None for place in shown[0]["predicted"]) <= 1  # where it was
    page.at.session_state["e-gain-chosen"] = "2"
    page.run()
    assert "### Row 2" in page.text
    assert faces(open_gain(app, gain="rose", labels="original")) == []
