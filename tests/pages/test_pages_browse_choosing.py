"""Faces chosen in the grid of Browse: tagged, excluded, exported, sent to Correct; saved views."""

from __future__ import annotations

import json
import zipfile
from urllib.parse import parse_qs

import numpy as np
import pytest
from browse_helper import choose, grid

from fkd.errors import UserError
from fkd.labels.store import LabelStore
from fkd.labels.tags import EXCLUDED, give, read_tags, steps
from fkd.labels.views import rename_view, save_view, saved_views

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def store(dataset):
    return LabelStore(dataset)


def named(page, name: str = "Ann"):
    page.at.text_input(key="b-author").set_value(name)
    return page.run()


def typed(page, tag: str):
    """As if ``tag`` were typed that is none of those offered."""
    box = page.at.selectbox(key="b-tag")
    box.options.append(tag)
    box.set_value(tag)
    return page.run()


def rows_of(store) -> dict[str, list[int]]:
    return {tag: rows.tolist() for tag, rows in read_tags(store).rows.items()}


def test_nothing_is_chosen_at_first(app):
    page = app("browse")
    assert grid(page)["chosen"] == []
    assert "Select faces" in page.text
    assert grid(app("browse", part="test"))["chosen"] is None


def test_what_is_chosen_lasts_from_page_to_page(app):
    page = choose(app("browse", per_page="24"), [3, 5])
    assert "**2 images selected**" in page.text
    assert grid(page)["chosen"] == ["3", "5"]
    page.button("Next page").click()
    page.run()
    assert (grid(page)["chosen"], grid(page)["elsewhere"]) == ([], True)
    choose(page, [30])
    assert "**3 images selected**" in page.text
    page.button("Clear selection").click()
    page.run()
    assert "Select faces" in page.text


def test_all_of_the_filter_are_chosen(app, dataset):
    complete = dataset.manifest["complete_rows"]
    page = choose(app("browse", filter="incomplete"), [])
    page.button(f"Select all {90 - complete}").click()
    page.run()
    assert f"**{90 - complete} images selected**" in page.text
    assert not [b for b in page.at.button if b.label.startswith("Select all")]
    page.at.selectbox(key="b-filter").set_value("complete")
    page.run()
    page.button("Select all 90").click()
    assert "**90 images selected**" in page.run().text


def test_rows_that_do_not_exist_are_not_chosen(app):
    page = choose(app("browse"), [3, 4000])
    assert "**1 image selected**" in page.text


def test_tags_are_given_filtered_by_and_undone(app, store):
    page = named(choose(app("browse"), [3, 5]))
    typed(page, "blurred")
    page.button("Add tag").click()
    page.run()
    assert "2 images tagged “blurred”." in page.text
    assert rows_of(store) == {"blurred": [3, 5]}
    assert steps(store)[0].author == "Ann"
    assert [f["tags"] for f in grid(page)["faces"] if f["tags"]] == ["blurred", "blurred"]
    assert "tag blurred (2)" in page.at.selectbox(key="b-filter").options
    page.at.selectbox(key="b-filter").set_value("tag:blurred")
    page.run()
    assert page.query["tags"] == "blurred"
    assert [f["title"] for f in grid(page)["faces"]] == ["3", "5"]
    page.button("Undo").click()
    page.run()
    assert "Undone: 2 images tagged" in page.text
    assert rows_of(store) == {}


def test_a_tag_is_taken_away(app, store):
    give(store, [3, 4, 5], "hat", "Bob")
    page = named(choose(app("browse"), [3, 9]))
    page.at.selectbox(key="b-tag").set_value("hat")
    page.run()
    page.button("Remove tag").click()
    assert "1 image no longer tagged “hat”." in page.run().text
    assert rows_of(store) == {"hat": [4, 5]}


@pytest.mark.parametrize(("tag", "name"), [("hat", ""), ("a,b", "Ann"), ("x" * 50, "Ann")])
def test_what_cannot_be_said_changes_nothing(app, store, tag, name):
    page = choose(app("browse"), [3])
    if name:
        named(page, name)
    typed(page, tag)
    page.button("Add tag").click()
    page.run()
    assert [e.value for e in page.at.error]
    assert "unexpected" not in page.text
    assert rows_of(store) == {}


def test_excluded_images_are_pale_and_can_be_included_again(app, store):
    page = named(choose(app("browse"), [3, 5]))
    page.button("Exclude from training").click()
    page.run()
    assert "2 images excluded from training." in page.text
    assert rows_of(store) == {EXCLUDED: [3, 5]}
    assert [f["id"] for f in grid(page)["faces"] if f["dimmed"]] == ["3", "5"]
    assert "excluded from training (2)" in page.at.selectbox(key="b-filter").options
    assert page.button("Exclude from training").disabled
    page.button("Include again").click()
    assert "2 images included again in training." in page.run().text
    assert rows_of(store) == {}
    give(store, [8], EXCLUDED, "Ann")
    assert "excluded from training" in app("browse", image="8").text


def test_what_is_chosen_is_sent_to_correct(app):
    page = choose(app("browse", sort="brightness"), [3, 5, 6, 7])
    page.at.button(key="b-chosen-correct").click()
    page.at.run()
    query = page.query
    assert query["queue"] == "browsed"
    sent = {key: value[0] for key, value in parse_qs(query["of"]).items()}
    assert sent == {"rows": "3,5-7", "sort": "brightness"}


def test_all_of_a_filter_are_sent_as_that_filter(app):
    page = choose(app("browse", filter="incomplete"), [])
    next(b for b in page.at.button if b.label.startswith("Select all")).click()
    page.run()
    page.at.button(key="b-chosen-correct").click()
    page.at.run()
    assert parse_qs(page.query["of"]) == {"filter": ["incomplete"]}


def test_what_is_chosen_is_exported_with_its_tags(app, store, home):
    give(store, [5], "hat", "Bob")
    page = choose(app("browse"), [3, 5])
    page.at.selectbox(key="b-export-format").set_value("coco")
    page.run()
    page.button("Export 2 images").click()
    page.run()
    while page.at.session_state["b-export-task"].state == "running":
        pass
    page.run()
    assert "is written" in page.text
    [path] = (home / "exports").glob("*.zip")
    with zipfile.ZipFile(path) as archive:
        root = json.loads(archive.read("annotations.json"))
    assert [image["id"] for image in root["images"]] == [3, 5]
    assert [image.get("tags") for image in root["images"]] == [None, ["hat"]]


# Saved views


def test_a_view_is_saved_opened_renamed_and_deleted(app, store):
    page = app("browse", filter="complete", sort="brightness", order="desc", page="1")
    page.at.text_input(key="b-view-name").set_value("Bright")
    page.run()
    page.at.button(key="b-view-save").click()
    page.run()
    assert "View “Bright” saved." in page.text
    other = app("browse", lacking="nose_tip")
    other.at.button(key="b-view-0").click()
    other.run()
    expected = {"filter": "complete", "sort": "brightness", "order": "desc", "dataset": "demo"}
    assert other.query == expected
    other.at.button(key="b-view-rename-0").click()
    other.run()
    other.at.text_input(key="b-view-new-name").set_value("Light")
    other.run()
    other.at.button(key="b-view-rename").click()
    other.run()
    assert [one.name for one in saved_views(store)] == ["Light"]
    other.at.button(key="b-view-delete-0").click()
    other.run()
    assert "View “Light” deleted." in other.text
    assert saved_views(store) == []
    other.button("Undo").click()
    other.run()
    assert [one.name for one in saved_views(store)] == ["Light"]


def test_a_name_that_is_taken_or_none_is_said(app, store):
    save_view(store, "a", {})
    save_view(store, "b", {"sort": "missing"})
    page = app("browse")
    page.at.button(key="b-view-save").click()
    page.run()
    assert "Give the view a name first." in page.text
    page.at.button(key="b-view-rename-0").click()
    page.run()
    page.at.text_input(key="b-view-new-name").set_value("b")
    page.run()
    page.at.button(key="b-view-rename").click()
    assert "There is a view 'b' already" in page.run().text
    with pytest.raises(UserError):
        rename_view(store, "a", "")


def test_a_hostile_view_opens_something_harmless(app, store):
    save_view(
        store, "**x** <b>", {"filter": "no,complete", "image": "../1", "rows": "x", "page": "9"}
    )
    page = app("browse")
    page.at.button(key="b-view-0").click()
    page.run()
    assert "unexpected" not in page.text
    assert page.query["filter"] == "complete"


def test_chosen_rows_in_a_link(app):
    page = app("browse", rows="3,5-7,999-1000,x")
    assert [f["title"] for f in grid(page)["faces"]] == ["3", "5", "6", "7"]
    assert "chosen images" in {b.label for b in page.at.button}
    assert page.query["rows"] == "3,5-7,999-1000"


def test_positions_and_rows_differ_where_rows_were_skipped(app, dataset):
    rows = np.array(dataset.rows)
    np.save(dataset.folder / "rows.npy", rows * 2 + 1)
    page = app("browse", rows="1-5")
    assert [f["title"] for f in grid(page)["faces"]] == ["1", "3", "5"]
