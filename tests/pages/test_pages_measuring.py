"""A dataset without measures: a page measures it in the background and then goes on."""

from __future__ import annotations

import shutil

import pytest
from filelock import FileLock

from dashboard.tasks import tasks
from fkd.registry import remove


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
@pytest.mark.parametrize("page", ["browse", "stats"])
def test_meanwhile_it_says_how_far_it_is(app, page):
    page = app(page)
    assert "opens by itself" in page.text
    assert not page.button("Stop").disabled
    assert "training images" not in page.text


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
    assert "No dataset is open" in page.text
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
