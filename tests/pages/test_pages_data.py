"""The Data page: cards, forms, background tasks; with data, without, with broken data."""

from __future__ import annotations

import json
import time

import pandas as pd
import pytest
from kaggle_helper import write_tables

from fkd.cli import main
from fkd.demo import DemoSpec, write_demo_files
from fkd.ingest import ingest
from fkd.registry import dataset_names, manifest


def choose_way(page, way):
    control = next(c for c in page.at.button_group if c.key == "add-way")
    control.set_value(way)
    return page.run()


@pytest.mark.usefixtures("home")
def test_a_dataset_shows_its_headline_numbers(app):
    page = app()
    about = manifest("demo")
    assert page.metrics()["Labelled images"] == "90"
    assert page.metrics()["Test images"] == "22"
    assert page.metrics()["Complete"].startswith(str(about["complete_rows"]))
    assert "drawn" in page.text


@pytest.mark.usefixtures("empty_home")
def test_without_data_the_page_says_what_to_do(app):
    page = app()
    assert "No datasets yet" in page.text
    assert page.button("Draw")


def test_the_demo_form_draws_and_opens_the_dataset(app, empty_home):
    page = app()
    next(n for n in page.at.number_input if n.label == "Images").set_value(20)
    page.button("Draw").click()
    page.run()
    page.finish()
    assert dataset_names() == ["demo"]
    assert manifest("demo")["rows"] == 20
    assert "demo is ready" in page.text
    assert (empty_home / "datasets" / "demo" / "measures").is_dir()
    page.finish()
    assert page.query["dataset"] == "demo"


@pytest.mark.usefixtures("home")
def test_ingest_by_path(app, tmp_path):
    write_demo_files(tmp_path / "files", DemoSpec(rows=12, seed=9))
    page = choose_way(app(), "path")
    by_label = {t.label: t for t in page.at.text_input}
    by_label["Name"].set_value("mine")
    by_label["Training images"].set_value(str(tmp_path / "files"))
    page.button("Ingest").click()
    page.run().finish()
    assert manifest("mine")["rows"] == 12
    assert manifest("mine")["test_rows"] == 3
    page.finish()
    assert page.query["dataset"] == "mine"


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("name", "path", "said"),
    [
        ("mine", "", "Say where"),
        ("mine", "/nowhere/at/all.csv", "does not exist"),
        ("../mine", "here", "cannot name a dataset"),
        ("", "here", "needs a name"),
    ],
)
def test_a_wrong_form_is_told_at_once(app, tmp_path, name, path, said):
    page = choose_way(app(), "path")
    by_label = {t.label: t for t in page.at.text_input}
    by_label["Name"].set_value(name)
    by_label["Training images"].set_value(str(tmp_path) if path == "here" else path)
    page.button("Ingest").click()
    page.run()
    assert said in page.text
    assert dataset_names() == ["demo"]


@pytest.mark.usefixtures("home")
def test_a_file_that_is_wrong_as_a_whole_is_one_sentence_below_its_form(app, tmp_path):
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n")
    page = choose_way(app(), "path")
    by_label = {t.label: t for t in page.at.text_input}
    by_label["Training images"].set_value(str(path))
    page.button("Ingest").click()
    page.run().finish()
    [said] = [e.value for e in page.at.error]
    assert "other.csv: its first line has none of the 31 columns expected" in said.replace("\\", "")
    assert "mouth" not in said
    assert not page.at.dataframe  # one row would say the same once more
    [columns] = [e for e in page.at.expander if "31 columns" in e.label]
    assert not columns.proto.expanded
    assert "mouth_center_bottom_lip_y" in columns.caption[0].value.replace("\\", "")
    written = [e for e in page.at.main if e.type in {"error", "markdown"}]
    at = {getattr(e, "value", ""): number for number, e in enumerate(written)}
    assert at[said] > at["## Add a dataset"]


@pytest.mark.usefixtures("home")
def test_bad_rows_are_listed_and_can_be_left_out(app, tmp_path):
    write_demo_files(tmp_path, DemoSpec(rows=8))
    lines = (tmp_path / "training.csv").read_text().splitlines()
    lines[3] = lines[3].replace(" ", " x", 1)
    lines[6] = lines[6].rsplit(" ", 2)[0]
    data = "\n".join(lines).encode()

    page = choose_way(app(), "upload")
    next(t for t in page.at.text_input if t.label == "Name").set_value("up")
    page.at.file_uploader(key="up-training").upload("<b>evil</b>.csv", data, "text/csv")
    page.button("Ingest").click()
    page.run().finish()
    assert "2 bad rows of 8" in page.text
    problems = next(d.value for d in page.at.dataframe if "reason" in d.value)
    assert sorted(problems["row"]) == [2, 5]
    assert dataset_names() == ["demo"]

    page.button("Ingest the good rows, leave out 2 bad ones").click()
    page.run().finish()
    assert manifest("up")["rows"] == 6
    assert manifest("up")["rejected_rows"] == 2
    assert "2 bad rows were left out" in page.run().text


def test_removing_asks_first(app, home):
    page = app()
    page.at.button(key="remove-demo").click()
    page.run()
    assert "will be deleted" in page.text
    assert dataset_names() == ["demo"]
    page.button("Cancel").click()
    page.run()
    assert dataset_names() == ["demo"]
    page.at.button(key="remove-demo").click()
    page.run()
    page.button("Remove").click()
    page.run()
    assert dataset_names() == []
    assert list((home / "datasets").glob("demo*")) == []


@pytest.mark.usefixtures("home")
def test_a_dataset_that_was_removed_elsewhere_meanwhile(app):
    here, there = app(), app()
    for page in (here, there):
        page.at.button(key="remove-demo").click()
        page.run()
    for page in (there, here):
        page.button("Remove").click()
        page.run()
    assert "There is no dataset 'demo'" in here.text
    assert "No datasets yet" in here.text
    assert "no dataset 'demo'" not in there.text
    assert "no dataset 'demo'" not in here.run().text


@pytest.mark.usefixtures("home")
def test_files_that_went_away_before_their_good_rows_were_asked_for(app, tmp_path):
    write_demo_files(tmp_path / "files", DemoSpec(rows=8))
    path = tmp_path / "files" / "training.csv"
    path.write_text(path.read_text().replace(" ", " x", 1))
    page = choose_way(app(), "path")
    by_label = {t.label: t for t in page.at.text_input}
    by_label["Name"].set_value("gone")
    by_label["Training images"].set_value(str(path))
    page.button("Ingest").click()
    page.run().finish()
    path.unlink()
    page.button("Ingest the good rows, leave out 1 bad one").click()
    page.run()
    assert f"{path} does not exist" in page.text
    assert "1 bad row of 8" in page.text  # what was wrong with it is still there to read
    assert dataset_names() == ["demo"]


def test_a_damaged_dataset_is_said_and_removable(app, home):
    (home / "datasets" / "demo" / "manifest.json").write_text("{")
    page = app()
    assert "cannot be read" in page.text
    page.at.button(key="remove-demo").click()
    page.run()
    page.button("Remove").click()
    page.run()
    assert dataset_names() == []


def test_a_stopped_task_leaves_nothing(app, empty_home):
    page = app()
    next(n for n in page.at.number_input if n.label == "Images").set_value(5000)
    page.button("Draw").click()
    page.run()
    page.button("Stop").click()
    page.run().finish()
    assert "stopped" in page.text
    assert dataset_names() == []
    assert list((empty_home / "datasets").glob(".incoming*")) == []


def test_an_unforeseen_error_goes_to_the_log(app, home, monkeypatch):
    from dashboard.datasets import cards

    def fail(*_):
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(cards.loaders, "manifest", fail)
    page = app()
    assert "Something unexpected" in page.text
    assert "secret detail" not in page.text
    log = home / "logs" / "fkd.log"
    assert str(log) in page.text
    assert "secret detail" in log.read_text()


def test_another_format_version_is_said(app, home):
    path = home / "datasets" / "demo" / "manifest.json"
    about = json.loads(path.read_text())
    path.write_text(json.dumps({**about, "format": 999}))
    assert "another version" in app().text


@pytest.mark.usefixtures("home")
def test_what_a_file_says_is_shown_as_text(app):
    trap = "![x](http://example.invalid/x.png)"
    page = choose_way(app(), "upload")
    head = f"{trap},left_eye_center_x,left_eye_center_y"
    page.at.file_uploader(key="up-training").upload("t.csv", f"{head}\n1,2,3\n".encode())
    page.button("Ingest").click()
    page.run().finish()
    assert trap in page.text.replace("\u2060", "")  # no link, though it looks like one
    assert all("![" not in e.value for e in page.at.error)


def test_labels_of_another_tool_become_a_dataset(app, dataset, tmp_path):
    folder = tmp_path / "project"
    assert main(["export", dataset.name, "--format", "pts", "-o", str(folder)]) == 0
    page = app("data")
    page.at.segmented_control(key="add-way").set_value("labels")
    page.run()
    page.at.selectbox(key="import-format").set_value("pts")
    page.at.segmented_control(key="import-from").set_value("On this computer")
    page.run()
    page.at.text_input(key="import-name").set_value("project")
    page.at.text_input(key="import-author").set_value("Ann")
    page.at.text_input(key="import-path").set_value(str(folder))
    page.run()
    page.button("Read and compare").click()
    for words, press in (
        (f"points in {len(dataset)} images", "Import"),
        ("is imported as dataset project", "Open project"),
    ):
        for _ in range(200):
            page.run()
            if words in page.text:
                break
            time.sleep(0.1)
        page.button(press).click()
    page.run()
    assert dataset_names() == [dataset.name, "project"]


def test_how_files_were_read_is_said_on_the_card(app, empty_home, tmp_path):
    tables = write_tables(tmp_path / "in", 3, 0)
    frame = pd.read_csv(tables.training)
    frame.insert(0, "who", "ann")
    frame.to_csv(tmp_path / "training.csv")
    ingest("mine", tmp_path / "training.csv")
    page = app("data")
    assert any("2 notes on how the files were read" in e.label for e in page.at.expander)
    assert "Kept beside the labels: the column who" in page.text.replace("\\", "")
