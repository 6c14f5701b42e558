"""The Statistics page: each section draws, agrees with the data, and offers its table."""

from __future__ import annotations

import base64
import json
import re

import numpy as np
import pytest

from fkd.keypoints import KAGGLE_15
from fkd.registry import open_named

pytestmark = pytest.mark.usefixtures("home")

SECTIONS = ("missing", "positions", "suspects", "duplicates", "quality")


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_draws(app, section):
    page = app("stats", section=section)
    assert "unexpected" not in page.text
    assert page.text.startswith("## ")


def test_the_headline_says_what_matters(app):
    dataset = open_named("demo")
    few = (~np.isnan(dataset.keypoints[..., 0])).sum(axis=1) == 4
    page = app("stats")
    assert "of the images have only the same 4 points" in page.text or few.mean() < 0.5
    complete = int(np.isfinite(dataset.keypoints).all(axis=(1, 2)).sum())
    assert f"90 images, {complete} (" in page.text
    many = int((np.isfinite(dataset.keypoints[..., 0]).sum(axis=1) > 7).sum())
    assert f"15-point source: {many} images; 4-point source: {90 - many} images." in page.text


def test_the_missing_table_counts_right(app):
    dataset = open_named("demo")
    page = app("stats", section="missing")
    table = page.at.dataframe[0].value
    here = ~np.isnan(dataset.keypoints).any(axis=2)
    assert table["labelled"].tolist() == here.sum(axis=0).tolist()
    assert (table["labelled"] + table["missing"] == 90).all()
    [most] = table.index[table["color"] == "most"]
    assert most == table["missing"].argmax()
    patterns = page.at.dataframe[1].value
    assert patterns["images"].sum() == 90


def charts(page) -> list[dict]:
    return [json.loads(chart.proto.spec) for chart in page.at.get("plotly_chart")]


def values(numbers: dict | list) -> list:
    """Of a chart: Plotly packs arrays."""
    if isinstance(numbers, list):
        return numbers
    return np.frombuffer(base64.b64decode(numbers["bdata"]), numbers["dtype"]).tolist()


def test_bars_show_what_their_caption_says(app):
    """Where a click leads to the images without a point, the bars are what is missing."""
    page = app("stats", section="missing")
    assert "Choose a bar to see the images without that point." in page.text
    bars, *_ = charts(page)
    table = page.at.dataframe[0].value
    assert values(bars["data"][0]["x"]) == table["missing"].tolist()
    assert bars["layout"]["xaxis"]["title"]["text"] == "images without the point"
    for missing, text in zip(table["missing"], bars["data"][0]["text"], strict=True):
        assert text.split(" ")[0] == f"{missing:,}"


def test_statistics_and_browse_count_alike(app):
    missing = app("stats", section="missing").at.dataframe[0].value["missing"].tolist()
    for k in (0, 4, 10):
        browse = app("browse", lacking=KAGGLE_15.names[k])
        shown = re.search(r"\*\*([\d,]+)(?: \(.*?\))?\*\* of 90 images", browse.text)
        assert shown, browse.text
        assert int(shown[1]) == missing[k]


def test_duplicates_are_counted_with_their_units(app):
    """One picture three times in training and once in test, another twice in test: pairs, images
    and groups are other numbers, and each says what it counts."""
    folder = open_named("demo").folder / "measures"
    pairs = [(0, 1), (0, 2), (0, 91), (95, 96)]
    a, b = np.array(pairs, np.int64).T
    duplicate, test = np.full(90, -1, np.int32), np.load(folder / "test_duplicate.npy")
    duplicate[:3], test[:] = 0, -1
    test[[1]], test[[5, 6]] = 0, 1
    columns = {
        "pair_a": a,
        "pair_b": b,
        "pair_similarity": np.ones(4, np.float32),
        "pair_label_distance": np.array([1, 2, np.nan, np.nan], np.float32),
        "pair_exact": np.array([True, False, False, False]),
        "duplicate": duplicate,
        "test_duplicate": test,
    }
    for name, column in columns.items():
        np.save(folder / f"{name}.npy", column)
    page = app("stats", section="duplicates")
    assert page.metrics() == {
        "Training images with a duplicate": "3 (3.3 %)",
        "Duplicate groups": "2",
        "Duplicate pairs": "4 (1 exact)",
        "Pairs within training": "2 (1 exact)",
        "Pairs within test": "1",
        "Pairs of training and test": "1",
    }
    assert "All 4 duplicate pairs" in page.text
    assert len(page.at.dataframe[0].value) == 4


@pytest.mark.parametrize("section", SECTIONS)
def test_charts_and_tables_have_alternative_texts(app, section):
    page = app("stats", section=section)
    for element in [*page.at.get("plotly_chart"), *page.at.dataframe]:
        assert element.proto.alt, element


def test_coordinates_by_source(app):
    page = app("stats", section="positions")
    table = page.at.dataframe[0].value
    dataset = open_named("demo")
    np.testing.assert_allclose(
        table["mean"].to_numpy(), np.nanmean(dataset.keypoints.astype(float), axis=0).ravel()
    )
    assert table["keypoint"].tolist()[:2] == [dataset.schema.keypoints[0].label] * 2
    assert table["axis"].tolist()[:2] == ["x", "y"]
    spread = (table["SD"].to_numpy() ** 2).reshape(-1, 2).sum(axis=1).argmax()
    marked = table.index[table["color"] == "most spread"].tolist()
    assert marked == [2 * spread, 2 * spread + 1]
    [chart] = charts(page)
    [label] = chart["layout"]["annotations"]
    mean = table["mean"].to_numpy().reshape(-1, 2)[spread]
    np.testing.assert_allclose([label["x"], label["y"]], mean, atol=0.01)
    page.at.toggle[0].set_value(True)
    page.run()
    sources = page.at.dataframe[0].value["source"]
    assert sources.unique().tolist() == ["15-point source", "4-point source"]


def test_an_unknown_section_falls_back(app):
    page = app("stats", section="<b>", keypoint="nobody", of="x")
    assert "unexpected" not in page.text


@pytest.mark.usefixtures("empty_home")
@pytest.mark.parametrize("page", ["browse", "stats"])
def test_without_a_dataset_pages_lead_to_data(app, page, home, tmp_path):
    import shutil

    shutil.rmtree(home)
    assert "No dataset is open" in app(page).text


def test_coming_back_finds_the_last_section(app):
    page = app("stats", section="quality")
    page.at.switch_page("../pages/browse.py")
    page.at.query_params.clear()
    page.run()
    page.at.switch_page("../pages/stats.py")
    # The address that Streamlit leaves behind on the way to Browse.
    page.at.query_params["sort"] = "sharpness"
    page.run()
    assert "Sharpest or noisiest" in page.text


def test_labels_that_lie_to_one_side_are_told(app, home):
    dataset = open_named("demo")
    assert "of what they mark" not in app("stats", section="positions").text
    about = {"version": 1, "content_hash": dataset.content_hash}
    found = {"px": -1.3, "error": 0.07, "n": 400}
    (dataset.folder / "label_offset.json").write_text(json.dumps({**about, **found}))
    assert "**1.3 px to the left** of what they mark" in app("stats", section="positions").text
