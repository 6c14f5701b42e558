"""A run is alive as long as its process is, whatever clocks say and whoever has its number."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from training_helper import children_of, kill_all, new_run, put_tiny, wait_for

from fkd.errors import UserError
from fkd.training import liveness
from fkd.training.launcher import launch, put_into_queue
from fkd.training.runs import runs_folder
from fkd.training.status import (
    BEAT,
    CRASHED,
    FAILED,
    GRACE_S,
    LOST_S,
    QUEUED,
    RUNNING,
    STOPPED,
    Status,
)
from fkd.training.supervisor import _before, supervise

DAY = 86_400.0

pytestmark = pytest.mark.skipif(not liveness.system(), reason="needs Linux's /proc")


@pytest.fixture
def dataset(tiny_drawn):
    return put_tiny(tiny_drawn)


@pytest.fixture
def sleeper():
    """A process that only waits."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        yield child
        child.kill()


def running(pid: int) -> Status:
    """The status of a run that ``pid`` looks after."""
    status = Status(RUNNING).attended()
    return replace(status, pid=pid, started=liveness.started(pid) or 0)


def gone() -> int:
    """The number of a process that has ended."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def stale(status: Status) -> Status:
    """The same, as long ago as grace is given."""
    return replace(status, tick=liveness.tick() - GRACE_S - 0.1)


@pytest.mark.parametrize("jump", [-10 * DAY, -DAY, -60.0, 0.0, 60.0, DAY, 10 * DAY])
def test_a_clock_that_jumps_neither_kills_nor_doubles_a_run_that_lives(dataset, monkeypatch, jump):
    run = new_run(dataset)
    Status(RUNNING).attended().write(run.folder)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + jump)
    assert run.status.state == RUNNING
    with pytest.raises(UserError, match="is running already"):
        launch(run)


@pytest.mark.parametrize("jump", [-10 * DAY, -DAY, -60.0, 0.0, 60.0, DAY, 10 * DAY])
def test_a_clock_that_jumps_does_not_keep_a_dead_run_alive(dataset, monkeypatch, jump):
    run = new_run(dataset)
    stale(replace(Status(RUNNING).attended(), pid=gone(), started=7)).write(run.folder)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + jump)
    assert run.status.state == CRASHED


@pytest.mark.parametrize("ahead", [LOST_S + 1, 3600.0, DAY, 1e9])
@pytest.mark.parametrize("known", [True, False], ids=["here", "elsewhere"])
def test_a_heartbeat_ahead_of_its_time_is_none(dataset, ahead, known):
    """Ahead by a day it used to be running for a day, with everything queued behind it."""
    run, later = new_run(dataset), new_run(dataset)
    status = replace(
        Status(RUNNING).attended(), pid=gone(), heartbeat=time.time() + ahead, started=7
    )
    status = replace(status, tick=liveness.tick() + ahead) if known else replace(status, system="")
    status.write(run.folder)
    (run.folder / BEAT).touch()
    os.utime(run.folder / BEAT, (time.time() + ahead,) * 2)
    assert run.status.state == CRASHED
    assert _before(later) == []


def test_the_queue_moves_on_past_a_run_that_died_ahead_of_its_time(dataset):
    dead, run = new_run(dataset), new_run(dataset)
    Status(RUNNING, pid=gone(), heartbeat=time.time() + DAY).write(dead.folder)
    (run.folder / "config.json").write_text("{")  # it fails as soon as its turn comes
    launch(run)
    assert "config.json" in wait_for(run, FAILED, seconds=30).reason


def test_another_process_with_the_same_number_is_another(sleeper):
    status = running(sleeper.pid)
    assert status.seen(time.time()).state == RUNNING
    before = replace(status, started=status.started - 1)
    assert stale(before).seen(time.time()).state == CRASHED
    assert (
        stale(replace(running(1), started=1)).seen(time.time(), beat=time.time()).state == CRASHED
    )


def test_a_process_that_nobody_has_buried_is_dead():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        status = stale(running(child.pid))
        assert status.seen(time.time()).state == RUNNING
        child.kill()
        end = time.monotonic() + 10
        while status.seen(time.time()).state == RUNNING:
            assert time.monotonic() < end
        assert liveness.started(child.pid) == 0
    finally:
        child.communicate()


def test_a_process_that_is_held_up_is_alive(sleeper):
    """Before, everything without a sign of life for ten seconds could be started once more."""
    sleeper.send_signal(signal.SIGSTOP)
    status = replace(running(sleeper.pid), tick=liveness.tick() - DAY, heartbeat=1.0)
    assert status.seen(time.time()).state == RUNNING


def test_after_a_restart_of_the_computer_numbers_mean_nothing(dataset, monkeypatch):
    run = new_run(dataset)
    status = Status(RUNNING).attended()
    status.write(run.folder)
    monkeypatch.setattr(liveness, "system", lambda: "another start/pid:[4026531836]")
    # The process has the number and, by chance, the start of one that lives now.
    assert replace(status, heartbeat=status.heartbeat - LOST_S - 1).seen(time.time()).state == (
        CRASHED
    )
    assert status.seen(status.heartbeat + LOST_S + 1).state == CRASHED
    assert status.seen(status.heartbeat - DAY).state == CRASHED  # its clock began anew
    assert run.status.state == RUNNING  # on another computer, and heard of just now


def test_a_dead_process_gets_a_moment_of_grace(sleeper):
    status = replace(Status(RUNNING).attended(), pid=gone(), started=7)
    assert status.seen(0).state == RUNNING
    assert stale(status).seen(0).state == CRASHED


def test_who_waits_for_a_process_waits_by_no_clock(dataset, monkeypatch):
    run = new_run(dataset)
    put_into_queue(run)
    now, tick = time.time(), liveness.tick()
    monkeypatch.setattr(time, "time", lambda: now - DAY)
    assert run.status.state == QUEUED
    monkeypatch.setattr(liveness, "tick", lambda: tick + LOST_S + 1)
    assert run.status.state == CRASHED


def test_a_supervisor_beats_on_when_the_clock_is_set_back(dataset, monkeypatch):
    """It used to wait until the clock was again where it had been."""
    from threading import Thread

    from filelock import FileLock

    run, real = new_run(dataset), time.time
    with FileLock(runs_folder() / ".slot-0.lock"):
        thread = Thread(target=supervise, args=(run,))
        thread.start()
        wait_for(run, QUEUED)
        monkeypatch.setattr(time, "time", lambda: real() - DAY)
        first, end = Status.read(run.folder).tick, time.monotonic() + 10
        while Status.read(run.folder).tick <= first or not Status.read(run.folder).pid:
            assert time.monotonic() < end
            time.sleep(0.05)
        run.request_stop()
        wait_for(run, STOPPED, seconds=10)
        thread.join()


def test_where_the_system_tells_nothing_heartbeats_do(monkeypatch):
    monkeypatch.setattr(liveness, "system", lambda: "")
    status = replace(Status(RUNNING).attended(), heartbeat=100)
    assert status.system == ""
    assert status.seen(100 + LOST_S).state == RUNNING
    assert status.seen(101 + LOST_S).state == CRASHED
    assert status.seen(99 - LOST_S).state == CRASHED


def test_processes_that_are_hidden_count_by_their_heartbeats(monkeypatch):
    """Systems can hide the processes of other users; to ask them is then forbidden."""

    def forbidden(*_):
        raise PermissionError

    monkeypatch.setattr(os, "kill", forbidden)
    status = replace(Status(RUNNING).attended(), pid=gone(), started=7, heartbeat=100)
    assert status.seen(100 + LOST_S).state == RUNNING
    assert status.seen(101 + LOST_S).state == CRASHED


@pytest.mark.parametrize("pid", [2**22 + 5, 2**31, 2**39])
def test_numbers_that_no_process_has(pid):
    assert liveness.started(pid) == 0
    assert stale(running(os.getpid())).seen(0).state == RUNNING
    assert stale(replace(running(os.getpid()), pid=pid)).seen(0).state == CRASHED


def test_a_real_run_that_is_killed_is_seen_within_the_time(dataset):
    run = new_run(dataset, epochs=400)
    launch(run)
    wait_for(run, RUNNING)
    assert liveness.started(run.status.pid) == run.status.started
    kill_all(run)
    killed = time.monotonic()
    # Whatever the clock of its last words was.
    replace(Status.read(run.folder), heartbeat=time.time() + DAY).write(run.folder)
    wait_for(run, CRASHED, seconds=LOST_S)
    assert time.monotonic() - killed < LOST_S
    assert not children_of(run)
