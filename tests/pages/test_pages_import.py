"""Labels of other tools: what is refused at once, and what stays when saving fails or another
dataset is opened."""

from __future__ import annotations

import json

import pytest
from correct_page_helper import push, until

from fkd.cli import main
from fkd.demo import DemoSpec, make_demo
from fkd.formats.source import TABLE_SUFFIXES
from fkd.labels.point import Edit, PointLabel
from fkd.labels.states import Origin, State
from fkd.labels.store import LabelStore
from fkd.measures import measure


@pytest.fixture
def moved(dataset, tmp_path):
    """An export in which a point of the first row lies elsewhere."""
    folder = tmp_path / "out"
    assert main(["export", dataset.name, "--format", "coco", "-o", str(folder)]) == 0
    root = json.loads((folder / "annotations.json").read_text())
    root["annotations"][0]["keypoints"][:3] = [20, 30, 2]
    (folder / "annotations.json").write_text(json.dumps(root))
    return folder


def read(page, folder):
    page.at.selectbox(key="import-format").set_value("coco")
    page.at.segmented_control(key="import-from").set_value("On this computer")
    page.run()
    page.at.text_input(key="import-path").set_value(str(folder))
    page.run()
    push(page, "Read and compare")
    until(page, "Compared with the current labels")


def test_a_conflict_keeps_what_was_read(correct, dataset, moved):
    page = correct(queue="all")
    read(page, moved)
    store = LabelStore(dataset)
    row = int(dataset.rows[0])
    edit = Edit(row, 0, PointLabel(State.VISIBLE, 50, 50, Origin.EDITED))
    store.save([edit], "Ben")
    push(page, "Import")
    until(page, "Ben changed labels of these images meanwhile, so nothing was imported.")
    assert "Compared with the current labels" in page.text
    assert "Import" not in [button.label for button in page.at.button]
    push(page, "Compare again")
    until(page, "1 point moved")
    push(page, "Import")
    until(page, "now version 2 of the labels")
    assert store.labels_of(row)[1][0].x == 20


def test_what_was_imported_is_not_told_of_other_datasets(correct, dataset, moved):
    other, _ = make_demo("other", DemoSpec(rows=12, seed=5))
    measure(other)
    page = correct(queue="all", dataset=dataset.name)
    read(page, moved)
    push(page, "Import")
    until(page, "1 label of 1 row changed")
    page.at.query_params["dataset"] = "other"
    page.run()
    assert "changed, now version" not in page.text
    assert page.button("Read and compare")
    page.at.query_params["dataset"] = dataset.name
    page.run()
    assert "changed, now version" not in page.text


def test_it_can_be_dismissed(correct, moved):
    page = correct(queue="all")
    read(page, moved)
    push(page, "Import")
    until(page, "1 label of 1 row changed")
    push(page, "Dismiss")
    assert "changed, now version" not in page.text


@pytest.mark.parametrize(("name", "said"), [("../x", "cannot name a dataset"), ("demo", "exists")])
def test_a_name_that_cannot_be_is_refused_before_an_upload_is_kept(
    correct, dataset, tmp_path, name, said
):
    page = correct(queue="all")
    page.at.selectbox(key="import-format").set_value("coco")
    page.at.segmented_control(key="import-into").set_value("A new dataset")
    page.at.file_uploader(key="import-file").upload("x.zip", b"PK")
    page.run()
    page.at.text_input(key="import-name").set_value(name)
    page.run()
    push(page, "Read and compare")
    page.run()  # it stays
    assert any(said in error.value for error in page.at.error)
    assert not (tmp_path / "home" / "uploads").exists()


@pytest.mark.usefixtures("home")
def test_uploads_may_be_of_every_kind_that_holds_a_table(correct, app):
    (labels,) = correct(queue="all").at.file_uploader
    assert set(labels.proto.type) == {f".{end}" for end in (*TABLE_SUFFIXES, "json")}
    page = app("data")
    page.at.segmented_control(key="add-way").set_value("upload")
    page.run()
    for uploader in page.at.file_uploader:
        assert set(uploader.proto.type) == {f".{end}" for end in TABLE_SUFFIXES}
