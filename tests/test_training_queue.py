"""Starting, waiting and giving up, with real processes but without TensorFlow."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time

import pytest
from filelock import FileLock
from training_helper import children_of, kill_all, new_run, put_tiny, wait_for

from fkd.errors import UserError
from fkd.registry import remove
from fkd.training import supervisor
from fkd.training.failures import OUT_OF_MEMORY, exit_in_words, in_words
from fkd.training.launcher import launch
from fkd.training.runs import Run, runs_folder
from fkd.training.status import (
    CANCELLED,
    CRASHED,
    FAILED,
    QUEUED,
    RUNNING,
    STOPPED,
    Status,
)
from fkd.training.supervisor import supervise


@pytest.fixture
def dataset(tiny_drawn):
    return put_tiny(tiny_drawn)


@pytest.fixture
def busy(fkd_home):
    """Another training holds the only slot."""
    runs_folder().mkdir(parents=True)
    with FileLock(runs_folder() / ".slot-0.lock"):
        yield


@pytest.mark.parametrize(
    ("cancel", "state"), [(False, STOPPED), (True, CANCELLED)], ids=["stop", "cancel"]
)
def test_a_queued_run_waits_and_can_be_called_off(busy, dataset, cancel, state):
    run = new_run(dataset)
    launch(run)
    status = wait_for(run, QUEUED)
    first = status.heartbeat
    end = time.monotonic() + 20
    while run.status.heartbeat == first and time.monotonic() < end:
        time.sleep(0.1)
    assert run.status.heartbeat > first
    assert run.status.state == QUEUED
    with pytest.raises(UserError, match="is queued already"):
        launch(run)
    run.request_stop(cancel=cancel)
    status = wait_for(run, state, seconds=20)
    assert status.pid == 0
    assert "before its first batch" in status.reason
    end = time.monotonic() + 20
    while children_of(run):
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize("cancel", [False, True], ids=["stop", "cancel"])
def test_a_run_that_waits_to_go_on_keeps_or_loses_its_weights(busy, dataset, cancel):
    run = new_run(dataset)
    for path in (run.best, run.last, run.validation):
        path.write_bytes(b"as an earlier part left them")
    Status(STOPPED).write(run.folder)
    launch(run)
    wait_for(run, QUEUED)
    run.request_stop(cancel=cancel)
    status = wait_for(run, CANCELLED if cancel else STOPPED, seconds=20)
    assert ("discarded" if cancel else "kept") in status.reason
    assert {run.best.exists(), run.last.exists(), run.validation.exists()} == {not cancel}


def test_a_killed_waiting_run_is_seen_as_crashed_and_can_be_queued_again(busy, dataset):
    run = new_run(dataset)
    launch(run)
    wait_for(run, QUEUED)
    end = time.monotonic() + 20
    while not children_of(run) and time.monotonic() < end:
        time.sleep(0.05)
    kill_all(run)
    assert wait_for(run, CRASHED, seconds=15).pid == 0
    launch(run)
    assert run.status.state == QUEUED
    run.request_stop()
    wait_for(run, STOPPED, seconds=20)


def test_the_older_run_goes_first(busy, dataset):
    first, second = new_run(dataset), new_run(dataset)
    launch(first)
    time.sleep(0.02)
    launch(second)
    end = time.monotonic() + 20
    while first.name not in second.status.stage and time.monotonic() < end:
        time.sleep(0.1)
    assert second.status.stage == f"waiting for {first.name}"
    assert first.status.stage == ""
    for run in (first, second):
        run.request_stop()
    for run in (first, second):
        wait_for(run, STOPPED, seconds=20)


def test_a_vanished_dataset_ends_as_failed_and_the_next_run_starts_by_itself(dataset):
    remove(dataset.name)
    runs = [new_run(dataset), new_run(dataset)]
    for run in runs:
        launch(run)
    for run in runs:
        status = wait_for(run, FAILED, seconds=30)
        assert "There is no dataset 'tiny'" in status.reason
        assert "No epoch was finished" in status.reason
        assert "Traceback" in run.read_log()


def test_another_dataset_of_the_same_name_is_refused(dataset):
    run = new_run(dataset)
    config = (run.folder / "config.json").read_text()
    (run.folder / "config.json").write_text(config.replace(dataset.content_hash, "0" * 64))
    launch(run)
    assert "its content changed" in wait_for(run, FAILED, seconds=30).reason


def test_a_damaged_configuration_ends_as_failed(dataset):
    run = new_run(dataset)
    (run.folder / "config.json").write_text("{")
    launch(run)
    assert "unreadable config.json" in wait_for(run, FAILED, seconds=30).reason


def test_two_processes_never_look_after_one_run(busy, dataset):
    run = new_run(dataset)
    launch(run)
    wait_for(run, QUEUED)
    end = time.monotonic() + 20
    while not children_of(run) or not run.status.pid:
        assert time.monotonic() < end
        time.sleep(0.05)
    with pytest.raises(UserError, match="being trained already"):
        supervise(run)
    run.request_stop()
    wait_for(run, STOPPED, seconds=20)


def test_resumed_at_once_it_waits_for_the_process_before(busy, dataset):
    run = new_run(dataset)
    Status(STOPPED).write(run.folder)
    with FileLock(run.folder / ".lock"):  # as of a supervisor on its way out
        launch(run)
        first, end = run.status.heartbeat, time.monotonic() + 20
        while run.status.heartbeat == first:
            assert time.monotonic() < end
            time.sleep(0.05)
        assert (run.status.state, run.status.pid) == (QUEUED, 0)
    while not run.status.pid:
        assert time.monotonic() < end + 20
        time.sleep(0.05)
    run.request_stop()
    wait_for(run, STOPPED, seconds=20)


@pytest.mark.parametrize(("pid", "state"), [(0, QUEUED), (1, FAILED)])
def test_a_process_that_ends_leaves_a_resumed_run_alone(dataset, monkeypatch, pid, state):
    run, start = new_run(dataset), subprocess.Popen
    monkeypatch.setattr(
        supervisor.subprocess, "Popen", lambda *_, **__: start([sys.executable, "-c", "pass"])
    )
    Status(QUEUED, heartbeat=time.time(), pid=pid).write(run.folder)
    supervisor._work(run)
    assert run.status.state == state


def test_a_run_folder_may_lie_anywhere(busy, dataset, tmp_path):
    run = new_run(dataset)
    folder = tmp_path / "elsewhere" / "my run"
    shutil.copytree(run.folder, folder)
    (folder / "stop").touch()
    command = [sys.executable, "-m", "fkd", "train", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert Run(folder).status.state == STOPPED
    done = subprocess.run(
        [*command[:-1], str(tmp_path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "is no run folder" in done.stderr


def test_what_is_over_for_good_does_not_go_on(dataset):
    run = new_run(dataset)
    Status(CANCELLED).write(run.folder)
    with pytest.raises(UserError, match="is cancelled; it cannot go on"):
        launch(run)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(28, "No space left on device"), "The disk is full"),
        (RuntimeError("Unable to write (No space left on device)"), "The disk is full"),
        (MemoryError(), OUT_OF_MEMORY),
        (type("ResourceExhaustedError", (Exception,), {})("OOM"), OUT_OF_MEMORY),
        (UserError("The loss became nan."), "The loss became nan."),
        (KeyError("x"), "Something unexpected went wrong (KeyError: 'x')"),
        (KeyboardInterrupt(), "interrupted"),
    ],
)
def test_failures_are_put_in_words(dataset, error, words):
    run = new_run(dataset)
    assert in_words(error, run).startswith(words) or words in in_words(error, run)
    assert in_words(error, run).endswith("No epoch was finished.")
    run.last.touch()
    assert in_words(error, run).endswith("The last good checkpoint is kept.")


def test_the_end_of_a_process_is_put_in_words(dataset):
    run = new_run(dataset)
    assert exit_in_words(-9, False, run) == ""
    assert exit_in_words(-9, True, run).startswith(OUT_OF_MEMORY)
    assert "signal 11" in exit_in_words(-11, False, run)
    assert "exit code 3" in exit_in_words(3, False, run)
    run.log.write_text("terminate called after throwing an instance of 'std::bad_alloc'\n")
    assert exit_in_words(-6, False, run).startswith(OUT_OF_MEMORY)


def test_more_than_one_at_a_time_if_asked_for(busy, dataset, monkeypatch):
    monkeypatch.setenv("FKD_TRAININGS", "2")
    remove(dataset.name)
    run = new_run(dataset)
    launch(run)  # slot 0 is taken, slot 1 is not
    wait_for(run, FAILED, seconds=30)


def test_a_worker_that_is_killed_looks_crashed_at_once(dataset, monkeypatch):
    """The supervisor sees it, no heartbeat has to be missed."""
    run = new_run(dataset)
    Status(RUNNING, heartbeat=time.time(), pid=1).write(run.folder)
    monkeypatch.setattr("sys.executable", shutil.which("false"))
    thread = threading.Thread(target=supervise, args=(run,))
    thread.start()
    thread.join(30)
    assert run.status.state == FAILED
    assert "exit code 1" in run.status.reason
