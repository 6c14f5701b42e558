"""Run folders: made, found, named, noted, deleted."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from fkd.errors import UserError
from fkd.splits import Split
from fkd.training.config import RunConfig
from fkd.training.runs import (
    MAX_NOTE,
    all_runs,
    check_run_name,
    create_run,
    open_run,
    run_names,
    runs_folder,
)
from fkd.training.status import FINISHED, QUEUED, RUNNING, Status


def config(**values) -> RunConfig:
    split = Split(np.arange(8), np.arange(8, 10))
    return RunConfig(dataset="demo", data_hash="abc", split=split, **values)


def finished(name: str | None = None):
    run = create_run(config(), name)
    Status(FINISHED).write(run.folder)
    return run


def test_a_new_run_is_queued_and_holds_its_configuration():
    run = create_run(config(epochs=3), note="first try")
    assert run.name == "compact-1"
    assert run.status.state == QUEUED
    assert run.config.epochs == 3
    assert run.note == "first try"
    assert run.history == []
    assert run.sample_epochs() == []
    assert len(run.sample_rows()) == 0
    assert run.read_log() == ""
    assert open_run("compact-1").folder == run.folder


def test_names_count_up_by_model_and_the_newest_comes_first():
    for model in ("compact", "baseline", "compact"):
        create_run(config(model=model))
        time.sleep(0.01)
    assert run_names() == ["compact-2", "baseline-1", "compact-1"]


def test_two_at_once_get_two_names():
    start, made = threading.Barrier(8), []

    def make():
        start.wait()
        made.append(create_run(config()).name)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == [f"compact-{n}" for n in range(1, 9)]
    assert [p.name for p in runs_folder().iterdir() if p.name.startswith(".")] == []


def test_a_taken_name_is_refused_and_leaves_no_trace():
    create_run(config(), "mine")
    with pytest.raises(UserError, match="run 'mine' already"):
        create_run(config(epochs=2), "mine")
    assert [p.name for p in runs_folder().iterdir()] == ["mine"]
    assert open_run("mine").config.epochs != 2


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "x" * 65, "bundled", "ä", "a b"])
def test_hostile_names_are_refused(name):
    with pytest.raises(UserError, match="cannot name a run"):
        check_run_name(name)
    with pytest.raises(UserError, match="There is no run"):
        open_run(name)


def test_an_unknown_run_names_those_that_exist():
    with pytest.raises(UserError, match="'fkd train' starts one"):
        open_run("mine")
    create_run(config(), "mine")
    with pytest.raises(UserError, match="There are: mine"):
        open_run("yours")


def test_rename_note_and_delete():
    run = finished()
    run.write_note("n" * (MAX_NOTE + 5))
    assert len(run.note) == MAX_NOTE
    renamed = run.rename("better")
    assert run_names() == ["better"]
    finished("other")
    with pytest.raises(UserError, match="'other' already"):
        renamed.rename("other")
    renamed.delete()
    assert run_names() == ["other"]
    assert [p.name for p in runs_folder().iterdir()] == ["other"]
    with pytest.raises(UserError, match="no run 'better' any more"):
        renamed.delete()


def test_an_active_run_is_neither_renamed_nor_deleted():
    run = create_run(config())
    Status(RUNNING, heartbeat=time.time()).write(run.folder)
    for act in (run.delete, lambda: run.rename("x")):
        with pytest.raises(UserError, match="is running; stop it"):
            act()
    Status(RUNNING, heartbeat=0).write(run.folder)  # it has crashed
    run.delete()
    assert run_names() == []


def test_stopping_needs_a_run_that_is_active():
    run = create_run(config())
    run.request_stop()
    assert run.stop_requested
    assert not run.cancel_requested
    run.request_stop(cancel=True)
    assert run.cancel_requested
    run.clear_requests()
    assert not run.stop_requested
    assert not run.cancel_requested
    Status(FINISHED).write(run.folder)
    with pytest.raises(UserError, match="is finished; there is nothing to stop"):
        run.request_stop()


@pytest.mark.parametrize("name", ["config.json", "status.json"])
def test_a_damaged_run_is_listed_explained_and_can_go(name):
    run = finished()
    (run.folder / name).write_text("{")
    assert [r.name for r in all_runs()] == [run.name]
    with pytest.raises(UserError, match="read"):
        _ = run.config, run.status
    run.delete()
    assert all_runs() == []


def test_strangers_in_the_folder_are_no_runs():
    runs_folder().mkdir(parents=True)
    (runs_folder() / "file.txt").touch()
    (runs_folder() / "empty").mkdir()
    assert all_runs() == []


def test_the_log_is_read_from_its_end():
    run = finished()
    run.log.write_bytes(b"\xff start\n" + b"".join(b"line %d\n" % n for n in range(5000)))
    assert run.read_log(3) == "line 4997\nline 4998\nline 4999"
