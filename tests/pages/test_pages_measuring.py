"""A dataset without measures: a page measures it in the background and then goes on."""

from __future__ import annotations

import json
import shutil

import pytest
from filelock import FileLock

from dashboard.tasks import tasks
from fkd.measures import load
from fkd.registry import open_named, remove


@pytest.fixture
def unmeasured(home):
    """The folder of the dataset ``demo``, its measures taken away."""
    folder = home / "datasets" / "demo"
    shutil.rmtree(folder / "measures")
    return folder


@pytest.fixture
def busy(unmeasured):
    """As ``unmeasured``, and as if another process were measuring it: nothing is done until the
    lock is released."""
    lock = FileLock(unmeasured / ".measures.lock")
    with lock:
        yield lock
    for task in tasks().list():
        task.stop.set()


@pytest.mark.parametrize(
    ("page", "shown"), [("browse", "**90** training images"), ("stats", "90 labelled images")]
)
def test_the_page_goes_on_when_it_is_measured(app, unmeasured, page, shown):
    page = app(page).finish()
    assert shown in page.text
    assert (unmeasured / "measures" / "measures.json").is_file()


@pytest.mark.usefixtures("busy")
def test_meanwhile_it_says_how_far_it_is(app):
    page = app("stats")
    assert "opens by itself" in page.text
    assert not page.button("Stop").disabled
    assert "## " not in page.text


def test_browse_opens_at_once_and_fills_in_what_is_measured(app, busy):
    page = app("browse", filter="complete", sort="brightness", order="desc")
    assert not page.button("Stop").disabled
    complete = open_named("demo").manifest["complete_rows"]
    assert f"**{complete} (" in page.text  # by what the labels tell
    assert "apply when it is done" in page.text
    grid = json.loads(page.at.get("bidi_component")[0].proto.json)
    titles = [int(face["title"]) for face in grid["faces"]]
    assert titles == sorted(titles, reverse=True)
    options = page.at.selectbox(key="b-filter").options
    assert any(option.startswith("has missing points") for option in options)
    assert not any(option.startswith("has a duplicate") for option in options)
    assert page.metrics() == {}
    one = app("browse", image="5")
    assert one.metrics()["Brightness"] == one.metrics()["Duplicate images"] == "–"
    assert one.metrics()["Points"] != "–"
    busy.release()
    page.finish()
    assert "apply when it is done" not in page.text
    assert page.query["sort"] == "brightness"
    measures = load(open_named("demo"))
    grid = json.loads(page.at.get("bidi_component")[0].proto.json)
    notes = [float(face["note"]) for face in grid["faces"]]
    assert notes == sorted(notes, reverse=True)
    assert notes[0] <= measures.brightness.max() + 0.5
    options = page.at.selectbox(key="b-filter").options
    assert any(option.startswith("has a duplicate") for option in options)


def test_browse_works_where_measuring_was_stopped(app, busy):
    page = app("browse")
    page.button("Stop").click()
    page.run().finish()
    assert "Measuring demo was stopped" in page.text
    assert "**90** training images" in page.text
    page = app("browse", sort="sharpness", image="7")
    assert "### Row 7" in page.text


def test_two_who_open_it_at_once_start_one_task(app, busy):
    first, second = app("browse"), app("stats")
    assert first.button("Stop")
    assert second.button("Stop")
    assert len(tasks().list()) == 1
    busy.release()
    assert "**90** training images" in first.finish().text
    assert "90 labelled images" in second.run().text


def test_stopped_it_waits_to_be_asked(app, busy):
    page = app("browse")
    page.button("Stop").click()
    page.run().finish()
    assert "Measuring demo was stopped" in page.text
    assert "Measuring demo was stopped" in app("stats").text  # nor does it begin for another
    busy.release()
    page.button("Measure again").click()
    assert "**90** training images" in page.run().finish().text


def test_what_cannot_be_measured_is_said_and_can_be_tried_again(app, unmeasured, home):
    obstacle = unmeasured / ".measures.lock"
    obstacle.unlink(missing_ok=True)
    obstacle.mkdir()  # damage: a folder where the lock belongs
    page = app("browse").finish()
    assert "Measure demo: Is a directory" in page.text
    assert str(home / "logs" / "fkd.log") in page.text
    obstacle.rmdir()
    page.button("Measure again").click()
    assert "**90** training images" in page.run().finish().text


def test_a_damaged_image_file_is_said_before_anything_is_measured(app, unmeasured):
    path = unmeasured / "images.npy"
    path.write_bytes(path.read_bytes()[:-1000])
    assert "Dataset 'demo' is damaged" in app("browse").text
    assert tasks().list() == []


def test_a_dataset_that_is_removed_while_it_is_measured(app, busy):
    page = app("browse")
    busy.release()
    remove("demo")
    page.finish()
    assert "unexpected" not in page.text
    assert "unexpected" not in app().text


def test_an_ingest_that_is_stopped_while_it_measures_can_be_continued(app, unmeasured):
    from dashboard.datasets.jobs import start_demo
    from fkd.demo import DemoSpec

    with FileLock(unmeasured / ".measures.lock"):
        task = start_demo("demo", DemoSpec(rows=90, seed=3))
        page = app("browse")
        while "waiting" not in task.stage:
            assert task.state == "running", task.message
        page.button("Stop").click()
        page.run().finish()
    assert "Measuring demo was stopped" in page.text
    page.button("Measure again").click()
    assert "**90** training images" in page.run().finish().text
