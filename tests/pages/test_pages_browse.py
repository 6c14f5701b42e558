"""The Browse page: link and widgets agree, filters and sorting reach the grid, one face opens."""

from __future__ import annotations

import json

import numpy as np
import pytest

from fkd.keypoints import KAGGLE_15
from fkd.measures import load
from fkd.registry import open_named

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def dataset():
    return open_named("demo")


def page_options(page) -> list[str]:
    return list(page.at.selectbox(key="b-filter").options)


def filters(page) -> list[str]:
    """The filters that are on, as their buttons call them."""
    return [b.label for b in page.at.button if (b.key or "").startswith("b-filter-")]


def test_the_whole_dataset_at_first(app):
    page = app("browse")
    assert "**90** training images" in page.text
    assert page.query["dataset"] == "demo"


def test_a_link_sets_the_widgets(app):
    page = app("browse", filter="complete,outside", sort="brightness", order="desc")
    assert filters(page) == ["complete", "point outside the image"]
    assert page.at.selectbox(key="b-sort").value == "brightness"


def test_a_widget_sets_the_link(app, dataset):
    page = app("browse")
    for option in ("complete", "lacks:nose_tip"):
        page.at.selectbox(key="b-filter").set_value(option)
        page.run()
        assert page.at.selectbox(key="b-filter").value is None  # ready for the next
    assert page.query["filter"] == "complete"
    assert page.query["lacking"] == "nose_tip"
    assert "No image fits" in page.text
    page.button("Clear filters").click()
    page.run()
    assert "filter" not in page.query
    page.at.selectbox(key="b-sort").set_value("outlier")
    page.run()
    assert (page.query["sort"], page.query["order"]) == ("outlier", "desc")


def test_each_filter_says_how_many_it_would_leave(app, dataset):
    page = app("browse")
    complete = dataset.manifest["complete_rows"]
    options = page.at.selectbox(key="b-filter").options
    assert f"complete ({complete})" in options
    page.at.selectbox(key="b-filter").set_value("incomplete")
    page.run()
    options = page.at.selectbox(key="b-filter").options
    assert f"complete ({complete})" in options  # of the same kind: either may hold
    assert not any(option.startswith("has missing points") for option in options)
    lacks = next(k for k in KAGGLE_15.keypoints if k.name == "mouth_left_corner")
    missing = 90 - dataset.manifest["present"]["mouth_left_corner"]
    assert f"missing {lacks.label} ({missing})" in options
    page.at.selectbox(key="b-filter").set_value("complete")
    page.run()
    assert "**90 (100 %)** of 90 images:" in page.text
    page.at.button(key="b-filter-incomplete").click()
    page.run()
    assert page.query["filter"] == "complete"
    assert f"**{complete} (" in page.text


def test_label_sources_are_called_after_their_points(app, dataset):
    points = np.isfinite(dataset.keypoints).all(axis=2).sum(axis=1)
    options = page_options(app("browse"))
    assert any(
        option.startswith(f"{np.bincount(points).argmax()}-point source") for option in options
    )
    assert not any("few" in option for option in options)


def test_filters_count_what_the_manifest_counts(app, dataset):
    complete = dataset.manifest["complete_rows"]
    assert f"**{complete} (" in app("browse", filter="complete").text
    missing = 90 - dataset.manifest["present"]["mouth_left_corner"]
    assert f"**{missing} (" in app("browse", lacking="mouth_left_corner").text


@pytest.mark.parametrize(
    "query",
    [
        {"filter": "<script>,complete';--", "sort": "__class__", "page": "-4"},
        {"page": "999999999999999", "per_page": "7", "show": "x", "size": "nan"},
        {"image": "../../etc/passwd", "part": "other"},
        {"outlier": "nan..inf", "brightness": "5..1", "pattern": "2" * 15},
        {"page": "²", "image": "１２"},
    ],
)
def test_a_hostile_link_shows_something_harmless(app, query):
    page = app("browse", **query)
    assert "unexpected" not in page.text


def test_the_last_page_instead_of_none(app):
    page = app("browse", page="50", per_page="24")
    assert page.button("Next page").disabled
    assert not page.button("Previous page").disabled


def test_pages_turn(app):
    page = app("browse", per_page="24")
    page.button("Next page").click()
    page.run()
    assert page.query["page"] == "2"


def test_toggles_that_a_grid_has_no_use_for_are_kept(app):
    page = app("browse", show="points,names")
    pills = next(b for b in page.at.button_group if b.key == "b-show")
    assert "names" not in pills.options
    assert pills.value == ["points"]
    pills.set_value(["points", "edges"])
    page.run()
    assert page.query["show"] == "points,edges,names"


def test_the_grid_opens_on_the_page_of_the_face(app):
    page = app("browse", image="70", per_page="24")
    page.button("Grid").click()
    page.run()
    assert page.query["page"] == "3"


def test_go_to_row_opens_it(app):
    page = app("browse")
    page.at.number_input(key="b-go").set_value(17)
    page.run()
    assert page.query["image"] == "17"
    assert "### Row 17" in page.text


def test_one_face_tells_what_the_files_say(app, dataset):
    page = app("browse", image="5")
    table = page.at.dataframe[0].value
    points = np.asarray(dataset.keypoints[5], float)
    np.testing.assert_allclose(table[["x", "y"]].to_numpy(float), points, atol=1e-5)
    present = ~np.isnan(points).any(axis=1)
    assert table["x"].notna().tolist() == present.tolist()
    assert page.metrics()["Points"] == f"{present.sum()} / {len(points)}"
    brightness = float(page.metrics()["Brightness"])
    assert brightness == pytest.approx(np.mean(dataset.images[5]), rel=0.01)


def test_next_follows_the_order_of_the_grid(app, dataset):
    order = np.argsort(-np.asarray(load(dataset).brightness), kind="stable")
    page = app("browse", sort="brightness", order="desc", image=str(order[0]))
    assert page.at.button(key="b-Previous").disabled
    page.at.button(key="b-Next").click()
    page.run()
    assert page.query["image"] == str(order[1])
    page.at.button(key="b-Last").click()
    page.run()
    assert page.query["image"] == str(order[-1])
    assert page.at.button(key="b-Next").disabled
    page.button("Grid").click()
    page.run()
    assert "image" not in page.query
    assert page.query["page"] == "2"


@pytest.mark.parametrize("image", ["90", "4000000"])
def test_a_row_that_is_not_there(app, image):
    page = app("browse", image=image)
    assert f"no row {image}" in page.text
    page.button("Grid").click()
    page.run()
    assert "**90** training images" in page.text


def test_test_images_have_ids_and_no_labels(app):
    page = app("browse", part="test")
    assert "**22** test images" in page.text
    page = app("browse", part="test", image="1")
    assert "Test image 1" in page.text
    assert "A submission gives all 30 coordinates of this image." in page.text
    assert not page.at.dataframe


@pytest.mark.parametrize("asked", [8, 1, 0])
def test_a_test_image_of_which_some_points_are_asked_for(app, dataset, asked):
    path = dataset.folder / "lookup.npy"
    table = np.load(path)
    # As Kaggle's table does, it asks for the first image's first points only.
    fewer = table[(table[:, 1] != 1) | (table[:, 2] < asked)]
    np.save(path, fewer)
    about = json.loads((dataset.folder / "manifest.json").read_text())
    about["lookup_rows"] = len(fewer)
    (dataset.folder / "manifest.json").write_text(json.dumps(about))
    page = app("browse", part="test", image="1")
    assert f"A submission gives {asked} of the 30 coordinates of this image." in page.text
    listed = [name for frame in page.at.dataframe for name in frame.value["asked for"]]
    assert listed == list(dataset.schema.coordinate_names[:asked])
    assert "all 30 coordinates" in app("browse", part="test", image="2").text


def test_training_filters_do_not_reach_test_images(app):
    page = app("browse", part="test", filter="complete", lacking="nose_tip", sort="outlier")
    assert "**22** test images" in page.text


def test_coming_back_finds_the_last_view(app):
    page = app("browse", filter="complete", sort="brightness").come_back("browse")
    assert page.query["filter"] == "complete"
    assert page.query["sort"] == "brightness"


def test_a_dataset_that_is_not_there(app):
    page = app("browse", dataset="nonexistent")
    assert "unexpected" not in page.text
