"""Background tasks: their states, stopping, and one task where two ask at once."""

from __future__ import annotations

import threading

import pytest

from dashboard.tasks import Task, Tasks
from fkd.errors import UserError


def wait(task: Task) -> Task:
    for thread in threading.enumerate():
        if thread.name == task.label:
            thread.join(30)
    assert task.state != "running"
    return task


def ends(progress):
    return "is ready"


def test_a_task_that_ends_says_so():
    task = wait(Tasks().start("Draw x", "x", ends))
    assert (task.state, task.message) == ("done", "x is ready.")


def test_stopping_takes_effect_at_the_next_step():
    going = threading.Event()

    def work(progress):
        while True:
            progress("walking", 1, 4)
            going.set()

    task = Tasks().start("Walk x", "x", work)
    assert going.wait(30)
    assert (task.stage, task.share) == ("walking", 0.25)
    task.stop.set()
    assert wait(task).state == "stopped"


@pytest.mark.parametrize(
    ("error", "said"),
    [(UserError("No such file."), "No such file."), (KeyError("secret"), "Something unexpected")],
)
def test_failures_are_one_sentence(error, said):
    def work(progress):
        raise error

    task = wait(Tasks().start("Fail x", "x", work))
    assert task.state == "failed"
    assert task.message.startswith(said)
    assert "secret" not in task.message


def test_however_many_ask_at_once_one_task_is_started():
    tasks, release, barrier = Tasks(), threading.Event(), threading.Barrier(8)
    given = []

    def ask():
        barrier.wait(30)
        given.append(tasks.ensure("Measure x", "x", lambda progress: str(release.wait(30))))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(given) == 8
    assert len(set(given)) == 1
    assert tasks.list() == given[:1]
    other = tasks.ensure("Measure y", "y", ends)
    assert other not in given
    release.set()
    wait(given[0])
    assert tasks.ensure("Measure x", "x", ends) not in given


def test_running_tasks_are_never_dropped_from_the_list():
    tasks, release = Tasks(), threading.Event()
    running = [
        tasks.start(f"Run {i}", f"r{i}", lambda progress: str(release.wait(30))) for i in range(7)
    ]
    for i in range(7):
        wait(tasks.start(f"End {i}", f"e{i}", ends))
    listed = tasks.list()
    assert set(running) <= set(listed)
    assert len(listed) == 7 + 5
    assert tasks.latest("e6") is listed[-1]
    assert tasks.latest("e0") is None
    release.set()
