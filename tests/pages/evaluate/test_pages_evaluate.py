"""The Evaluate page: what it scores, on which images, and the faces it shows."""

from __future__ import annotations

import json

import numpy as np
import pytest
from evaluate_page_helper import faces, held_back_rmse, tables
from evaluation_helper import (
    make_run,
    output_of,
    split_of,
    store_all,
    store_validation,
)

from fkd.evaluation.metrics import rmse
from fkd.statistics.missing import present

pytestmark = pytest.mark.usefixtures("home", "no_bundled")


@pytest.mark.usefixtures("model")
def test_one_model_on_what_it_held_back(app, dataset):
    page = app("evaluate")
    expected = held_back_rmse(dataset, 6)
    assert f"## one: {expected} px RMSE on 23 images not seen in training" in page.text
    assert page.metrics()["RMSE"] == f"{expected} px"
    assert list(page.metrics()) == [
        "RMSE",
        "MAE",
        "NME",
        "AUC@0.08",
        "FR@0.1",
        "PCK@0.05",
        "PCK@0.1",
    ]
    assert all(metric.help for metric in page.at.metric)
    assert "lower than on new faces" not in page.text
    points = int(present(np.asarray(dataset.keypoints[::4])).sum())
    assert f"Scored on {points} labels in 23 images" in page.text
    sources, keypoints = tables(page)
    assert sources["images of"].tolist()[:3] == ["all images", "15-point source", "4-point source"]
    assert sources["images"].tolist()[0] == sum(sources["images"].tolist()[1:3]) == 23
    assert keypoints["labels"].sum() == points
    assert page.query == {"dataset": "demo", "model": "one"}


@pytest.mark.usefixtures("model", "other")
def test_two_models_side_by_side(app, dataset):
    page = app("evaluate", model="one", **{"with": "two"})
    near, far = held_back_rmse(dataset, 3, seed=1), held_back_rmse(dataset, 6)
    assert f"## two is more accurate than one: {near} and {far} px RMSE on 23 images" in page.text
    assert "Change from one to two: \u2212" in page.text
    assert "95 % interval" in page.text
    [first, second] = [m for m in page.at.metric if m.label == "RMSE"]
    assert (first.value, first.delta) == (f"{far} px", "")
    assert second.value == f"{near} px"
    assert float(second.delta.split()[0]) == pytest.approx(float(near) - float(far), abs=0.011)
    sources, keypoints = tables(page)
    assert set(sources["model"]) == {"one", "two"}
    assert keypoints["model"].tolist() == ["one", "two"] * 15
    for name in ("one", "two"):
        of_model = keypoints[keypoints["model"] == name]
        [worst] = of_model.index[of_model["color"] == "worst"]
        assert worst == of_model["RMSE (px)"].idxmax()


@pytest.mark.usefixtures("model")
def test_a_difference_that_may_be_chance_is_no_verdict(app, dataset):
    """As far off as the first, only elsewhere: which one is closer is up to the images."""
    store_validation(make_run(dataset, "two"), dataset, output_of(dataset, 6, seed=1))
    page = app("evaluate", model="one", **{"with": "two"})
    first, second = held_back_rmse(dataset, 6), held_back_rmse(dataset, 6, seed=1)
    said = f"## No clear difference between one and two: {first} and {second} px RMSE on 23 images"
    assert said in page.text
    assert "more accurate" not in page.text
    second = [m for m in page.at.metric if m.label == "MAE"][1]
    assert second.color == second.proto.MetricColor.Value("GRAY")


@pytest.mark.usefixtures("model")
def test_the_worst_keypoint_is_marked_in_the_table_and_on_the_chart(app):
    page = app("evaluate")
    table = tables(page)[1]
    [worst] = table.index[table["color"] == "worst"]
    assert worst == table["RMSE (px)"].argmax()
    charts = [json.loads(chart.proto.spec) for chart in page.at.get("plotly_chart")]
    [bars] = [c["data"][0] for c in charts if c["data"][0].get("orientation") == "h"]
    assert [k for k, text in enumerate(bars["text"]) if "worst" in text] == [worst]


@pytest.mark.usefixtures("other")
def test_all_images_come_with_a_warning(app):
    page = app("evaluate", model="two", rows="all")
    assert "RMSE on 90 images" in page.text
    assert "not seen in training" not in page.text
    assert (
        "two has learned from 67 (74 %) of these images, so its errors here are lower" in page.text
    )


def test_runs_with_other_splits_are_scored_on_what_both_held_back(app, dataset, model):
    other = make_run(dataset, "two", split_of(dataset, 2))
    store_validation(other, dataset, output_of(dataset, 3))
    page = app("evaluate", model="two", **{"with": "one"})
    assert "on 23 images" in page.text
    assert "only those that neither has seen in training are scored" in page.text


def test_runs_without_a_common_image_offer_all(app, dataset, model):
    other = make_run(dataset, "two", split_of(dataset, 4, 1))
    for one in (model, other):
        store_all(one, dataset, output_of(dataset, 3))
    page = app("evaluate", model="two", **{"with": "one"})
    assert "no validation image in common" in page.text
    page.button("Score all images").click()
    page.run()
    assert page.query["rows"] == "all"
    assert "two has learned from 67 (74 %) of these images; one has" in page.text


def test_flagged_rows_are_told_and_counted_apart(app, dataset, model):
    swapped = np.arange(90) >= 88  # the two that the model is worst at
    np.save(dataset.folder / "measures" / "swapped.npy", swapped)
    store_all(model, dataset, output_of(dataset, 6))
    page = app("evaluate", rows="all")
    rest = rmse(output_of(dataset, 6)[:88, :, :2], np.asarray(dataset.keypoints[:88]))
    assert "Without the 2 images with an unusual shape or swapped sides" in page.text
    assert f"{rest:.2f} px RMSE." in page.text
    last = tables(page)[0].iloc[-1]
    assert (last["images of"], last["images"]) == (
        "images without unusual shapes or swapped sides",
        88,
    )
    assert last["RMSE (px)"] == pytest.approx(rest)


def test_the_floor_needs_pictures_labelled_twice(app, model):
    assert "perfect model" not in app("evaluate").text  # drawn faces are all different


# Faces


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize(("which", "start"), [("worst", 88), ("best", 0), ("median", 44)])
def test_faces_come_in_the_order_of_their_error(app, which, start):
    page = app("evaluate", section="faces", faces=which)
    shown = faces(page)
    assert shown[0]["title"] == f"row {start}"
    assert shown[0]["note"] == f"{6 * start / 90:.1f} px"
    assert len(shown) == 23
    assert any(shown[0]["predicted"])


@pytest.mark.usefixtures("other")
def test_more_faces_on_the_next_page(app):
    page = app("evaluate", section="faces", rows="all", page="3")
    assert [face["title"] for face in faces(page)[:2]] == ["row 41", "row 40"]
    assert page.query["page"] == "3"
    assert len(faces(app("evaluate", section="faces", rows="all", page="9999"))) == 90 - 3 * 24


@pytest.mark.usefixtures("model", "other")
def test_two_models_on_the_same_faces(app):
    page = app("evaluate", model="two", section="faces", **{"with": "one"})
    shown = faces(page)
    assert [face["title"] for face in shown[:4]] == ["row 88", "row 88", "row 84", "row 84"]
    assert [face["note"] for face in shown[:2]] == ["two: 2.9 px", "one: 5.9 px"]
    assert shown[0]["predicted"] != shown[1]["predicted"]
    apart = app(
        "evaluate", model="two", section="faces", by="apart", faces="best", **{"with": "one"}
    )
    assert faces(apart)[0]["title"] == "row 0"


@pytest.mark.usefixtures("model")
def test_a_chosen_face_leads_to_browse(app):
    page = app("evaluate", section="faces")
    page.at.session_state["e-chosen"] = "0:88"
    page.run()
    assert "### Row 88" in page.text
    assert "1 of 23" in page.text
    assert page.query == {
        "dataset": "demo",
        "model": "one",
        "filter": "heldback",
        "sort": "error",
        "order": "desc",
        "image": "88",
    }


# Expected errors


@pytest.mark.usefixtures("model")
def test_expected_errors_beside_actual_ones(app):
    page = app("evaluate", section="expected")
    assert page.metrics()["Rank correlation"] == "1.00"
    assert page.metrics()["Actual / expected"] == "1.00"
    [bins] = tables(page)
    np.testing.assert_allclose(bins["mean expected (px)"], bins["mean actual (px)"], atol=1e-3)


def test_a_model_that_expects_nothing_has_no_such_section(app, dataset):
    model = make_run(dataset, "one")
    store_validation(model, dataset, output_of(dataset, 6, sure=False))
    page = app("evaluate", section="expected")
    assert "Rank correlation" not in page.metrics()
    assert "#### Cumulative error distribution" in page.text


# The bundled model


def test_the_bundled_model_stands_beside_the_runs(app, dataset, model, tmp_path, monkeypatch):
    from fkd.models import sources

    path = tmp_path / "compact.keras"
    path.write_bytes(b"no weights")
    monkeypatch.setattr(sources, "_BUNDLED_FILE", path)
    page = app("evaluate")
    assert page.at.selectbox(key="e-model").options == ["Bundled model", "one"]
    assert page.query["model"] == "one"  # it has a validation part here
    bundled = sources.trained_model("bundled")
    store_all(bundled, dataset, output_of(dataset, 3))
    page = app("evaluate", model="bundled", **{"with": "one"})
    assert "on 23 images" in page.text
    assert "It is not known" not in page.text  # of drawn faces it is
    page = app("evaluate", model="bundled")
    assert "## Bundled model: " in page.text
    assert "RMSE on 90 images" in page.text
    assert "no validation split here" in page.text


@pytest.mark.usefixtures("model", "other")
@pytest.mark.parametrize("section", ["numbers", "gain", "faces", "expected"])
def test_charts_and_tables_have_alternative_texts_and_pictures_a_download(app, section):
    page = app("evaluate", model="one", section=section, **{"with": "two"})
    for element in [*page.at.get("plotly_chart"), *page.at.dataframe]:
        assert element.proto.alt, element
    labels = [button.proto.label for button in page.at.get("download_button")]
    assert labels == (["PNG"] if section == "faces" else ["CSV"] * len(labels))
    assert labels
