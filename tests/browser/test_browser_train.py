"""Trainings with a real process, watched in the browser: started, zoomed, stopped, resumed."""

from __future__ import annotations

import re
import time
from contextlib import suppress

import pytest
from browser_helper import idle
from training_helper import kill_all, new_run

from fkd.errors import UserError
from fkd.training.runs import all_runs, open_run

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

PLOT, FACE = ".plot svg", ".face"
NOTIFICATIONS = """
window.told = [];
window.Notification = class {
  static permission = "default";
  static async requestPermission() { return (Notification.permission = "granted"); }
  constructor(title, { body }) { told.push([title, body]); }
};
"""
"""In place of the browser's own, which a headless one does not show."""
SLOW = 150_000
"""TensorFlow takes its time to start where others use the processor too (ms)."""


@pytest.fixture
def tiny(drawn):
    """A dataset of 40 drawn faces; no training outlives the test."""
    yield drawn("tiny", rows=40, seed=5)
    for run in all_runs():
        with suppress(UserError):
            run.request_stop(cancel=True)


@pytest.fixture
def start(page, visit):
    """Start a training of ``epochs`` epochs on the tiny dataset; return its name."""

    def start(epochs: int) -> str:
        visit("/train?dataset=tiny", "h2 >> text=New training")
        field = page.get_by_label("Epochs", exact=True)
        field.fill(str(epochs))
        field.press("Enter")
        idle(page)
        page.get_by_role("button", name="Start training").click()
        page.wait_for_url(re.compile("run="))
        return re.search(r"run=([\w.-]+)", page.url)[1]

    return start


def badge(page, state: str) -> None:
    page.locator("h3").filter(has_text=state).wait_for(timeout=SLOW)


def domain(page) -> list[float]:
    """What the axes of the first chart show: x from, to, y from, to."""
    return [float(v) for v in page.locator(PLOT).first.get_attribute("data-domain").split()]


def curve(page) -> str:
    """The lines of the first chart."""
    read = "svg => [...svg.querySelectorAll('path.line')].map(p => p.getAttribute('d')).join()"
    return page.locator(PLOT).first.evaluate(read)


def test_a_training_is_watched_from_its_start_to_its_end(page, start, tiny):
    page.add_init_script(NOTIFICATIONS)
    name = start(3)
    chip = page.locator("[data-testid=stSidebar] [data-testid=stPageLink]")
    assert name in chip.inner_text()
    page.get_by_text("Starting the process").wait_for()
    page.wait_for_function("name => document.title.includes(name)", arg=name)
    page.get_by_role("button", name="Notify me when it ends").click()
    page.get_by_role("button", name="Notification at the end: on").wait_for()
    page.locator(FACE).first.wait_for(timeout=SLOW)
    badge(page, "finished")
    idle(page)
    run = open_run(name)
    assert run.status.epoch == 3
    best = f"{run.status.best_rmse_px:.3g} px"
    page.get_by_text(best).first.wait_for()
    assert chip.count() == 0
    page.wait_for_function("() => told.length")
    [[title, body]] = page.evaluate("told")
    assert title == f"{name}: finished"
    assert f"Best RMSE {best}" in body
    assert name not in page.title()
    # Rings lie where the model put the points of its last epoch, lines come from the truth.
    rows, guess = run.sample_rows(), run.samples(3)
    faces = page.locator(FACE)
    assert faces.count() == len(rows)
    ring = faces.first.locator("circle.ring").first
    place = float(ring.get_attribute("cx")), float(ring.get_attribute("cy"))
    assert place == pytest.approx(tuple(guess[0][0]), abs=0.01)
    assert faces.first.locator("line.error").count() > 0
    # At rest nothing is asked for any more.
    frames: list[object] = []

    def sent(frame: object) -> None:
        frames.append(frame)

    page.on("websocket", lambda socket: socket.on("framesent", sent))
    page.reload()
    page.wait_for_selector(PLOT)
    idle(page)
    frames.clear()
    page.wait_for_timeout(4000)
    assert frames == []


def test_zoom_stop_early_resume_and_kill(page, start, tiny):
    name = start(100_000)
    page.locator(FACE).first.wait_for(timeout=SLOW)
    page.wait_for_timeout(500)
    box = page.locator(".plot").first.bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 260, box["y"] + 200, steps=4)
    page.mouse.up()
    page.get_by_role("button", name="Reset zoom").wait_for()
    zoomed, drawn, epoch = domain(page), curve(page), open_run(name).status.epoch
    page.wait_for_function(
        "before => ![...document.querySelectorAll('[data-testid=stProgress]')]"
        ".some(bar => bar.innerText.includes(before))",
        arg=f"Epoch {epoch + 1} of",
    )
    page.wait_for_timeout(3000)
    assert curve(page) != drawn
    assert domain(page) == zoomed
    page.get_by_role("button", name="Reset zoom").click()
    assert domain(page) != zoomed

    page.get_by_role("button", name="Stop early").click()
    badge(page, "stopped")
    stopped = open_run(name).status.epoch
    assert open_run(name).last.is_file()

    page.get_by_role("button", name="Resume").click()
    badge(page, "running")
    page.wait_for_function(
        "([epoch]) => [...document.querySelectorAll('[data-testid=stProgress]')].some("
        "bar => +(bar.innerText.match(/Epoch (\\d+) of/) || [])[1] > epoch)",
        arg=[stopped + 1],
        timeout=SLOW,
    )
    whole = [row.epoch for row in open_run(name).history if row.whole]
    assert whole == list(range(1, len(whole) + 1))

    page.get_by_role("button", name="Cancel").click()
    page.wait_for_timeout(3000)  # the dialog outlives what refreshes itself behind it
    page.get_by_role("button", name="Keep training").click()
    kill_all(open_run(name))
    badge(page, "crashed")
    page.get_by_text("killed, or the computer went down").wait_for()
    page.get_by_role("button", name="Resume").wait_for()
    idle(page)
    page.locator(".st-key-delete-run button").first.click()
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("heading", name="New training").wait_for()
    assert name not in [run.name for run in all_runs()]


def test_a_training_that_compiles_stops_at_once(page, start, tiny):
    name = start(100_000)
    page.get_by_test_id("stMain").get_by_text("Loading TensorFlow").wait_for()
    asked = time.monotonic()
    page.get_by_role("button", name="Stop early").click()
    badge(page, "stop")  # stopping, or stopped already
    badge(page, "stopped")
    assert time.monotonic() - asked < 15  # 5 s on a machine with nothing else to do
    page.get_by_text("there are no weights yet").first.wait_for()
    idle(page)
    assert page.locator(".plot").count() == 0
    assert not page.get_by_text("Best epoch").count()
    assert open_run(name).status.best is None


def test_runs_are_hidden_and_their_values_told_where_the_pointer_is(page, visit, tiny):
    from fkd.training import history
    from fkd.training.status import FINISHED, Status

    for number, name in enumerate(("low", "high"), 1):
        run = new_run(tiny, name)
        for epoch in (1, 2, 3):
            error = number + 1.0 / epoch
            row = history.Row(epoch, 5 * epoch, 1.0, 9.0, 1.0, error, seconds=float(epoch))
            history.append(run.folder, row)
        Status(FINISHED, epoch=3, epochs=3, best_epoch=3, best_rmse_px=3.0).write(run.folder)
    visit("/train?dataset=tiny&run=high,low", PLOT)
    idle(page)
    plot = page.locator(".plot").first
    plot.hover(position={"x": 48 + 0.64 * (plot.bounding_box()["width"] - 62), "y": 120})
    tip = page.locator(".tip").first.inner_text().splitlines()
    assert tip[0] == "epoch 2"
    assert [line.split() for line in tip if "validation" in line] == [
        ["low", "validation", "1.5", "px"],
        ["high", "validation", "2.5", "px"],
    ]
    page.get_by_role("button", name="low", exact=True).click()
    page.wait_for_url(re.compile("hide=low"))
    idle(page)
    legend = page.locator(".legend").first.inner_text()
    assert "low" not in legend
    page.reload()
    page.wait_for_selector(PLOT)
    idle(page)
    assert page.locator(".legend").first.inner_text() == legend


def test_a_click_opens_a_run_and_ticks_compare(page, visit, tiny):
    from fkd.training.status import FINISHED, Status

    for name in ("first", "second"):
        run = new_run(tiny, name)
        Status(FINISHED, epoch=2, epochs=2, best_epoch=2, best_rmse_px=3.0).write(run.folder)
    visit("/train?dataset=tiny", "[data-testid=stDataFrame] canvas")
    page.get_by_placeholder("Filter").fill("tiny")
    page.get_by_placeholder("Filter").press("Enter")
    idle(page)
    box = page.locator("[data-testid=stDataFrame] canvas").first.bounding_box()
    page.mouse.click(box["x"] + 350, box["y"] + 16)  # sorting opens nothing
    idle(page)
    assert "run=" not in page.url
    page.mouse.click(box["x"] + 175, box["y"] + 50)
    page.wait_for_url(re.compile("run=second"))
    badge(page, "finished")
    idle(page)
    page.keyboard.press("Escape")
    page.wait_for_url(re.compile(r"tiny$"))
    page.get_by_role("heading", name="New training").wait_for()
    idle(page)
    box = page.locator("[data-testid=stDataFrame] canvas").first.bounding_box()
    for row in (0, 1):
        page.mouse.click(box["x"] + 15, box["y"] + 50 + 33 * row)
        idle(page)
    page.get_by_role("button", name="Compare 2 runs").click()
    page.wait_for_url(re.compile(r"run=second%2Cfirst|run=second,first"))
    page.get_by_text("Settings and best error").wait_for()
    idle(page)
    page.keyboard.press("Escape")
    page.wait_for_url(re.compile(r"tiny$"))
    page.get_by_text("tick several").wait_for()  # what was ticked is not any more
