"""The Statistics page: each section draws, agrees with the data, and offers its table."""

from __future__ import annotations

import numpy as np
import pytest

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
    assert "the same 4 points and no others" in page.text or few.mean() < 0.5
    assert "90 labelled images" in page.text


def test_the_missing_table_counts_right(app):
    dataset = open_named("demo")
    page = app("stats", section="missing")
    table = page.at.dataframe[0].value
    here = ~np.isnan(dataset.keypoints).any(axis=2)
    assert table["labelled"].tolist() == here.sum(axis=0).tolist()
    patterns = page.at.dataframe[1].value
    assert patterns["images"].sum() == 90


def test_coordinates_by_source(app):
    page = app("stats", section="positions")
    table = page.at.dataframe[0].value
    dataset = open_named("demo")
    np.testing.assert_allclose(
        table["mean"].to_numpy(), np.nanmean(dataset.keypoints.astype(float), axis=0).ravel()
    )
    page.at.toggle[0].set_value(True)
    page.run()
    assert "source" in page.at.dataframe[0].value.columns


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
    import json

    from fkd.registry import open_named

    dataset = open_named("demo")
    assert "of what they mark" not in app("stats", section="positions").text
    about = {"version": 1, "content_hash": dataset.content_hash}
    found = {"px": -1.3, "error": 0.07, "n": 400}
    (dataset.folder / "label_offset.json").write_text(json.dumps({**about, **found}))
    assert "**1.3 px to the left** of what they mark" in app("stats", section="positions").text
