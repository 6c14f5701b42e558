"""What a run says of itself, and how it looks from outside."""

from __future__ import annotations

import json
import threading
import time

import pytest

from fkd.errors import UserError
from fkd.training import history
from fkd.training.history import Row
from fkd.training.status import (
    ACTIVE,
    CRASHED,
    FINISHED,
    LOST_S,
    QUEUED,
    RUNNING,
    Status,
)


def test_status_comes_back_as_written(tmp_path):
    status = Status(RUNNING, heartbeat=5.5, pid=7, epoch=2, best_rmse_px=1.25, reason="ü")
    status.write(tmp_path)
    assert Status.read(tmp_path) == status
    assert [p.name for p in tmp_path.iterdir()] == ["status.json"]


def test_a_newer_version_may_know_more(tmp_path):
    (tmp_path / "status.json").write_text(json.dumps({"state": "running", "mood": "good"}))
    assert Status.read(tmp_path).state == RUNNING


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[1]", '"x"', "3"),
        '{"epoch": "two"}',
        '{"state": null}',
        '{"elapsed": [1]}',
        '{"best_rmse_px": "good"}',
    ],
)
def test_a_damaged_status_is_one_sentence(tmp_path, text):
    (tmp_path / "status.json").write_text(text)
    with pytest.raises(UserError, match=f"status of run '{tmp_path.name}' cannot be read"):
        Status.read(tmp_path)


@pytest.mark.parametrize("state", sorted(ACTIVE))
def test_without_a_sign_of_life_it_has_crashed(state):
    status = Status(state, heartbeat=100, pid=5, seconds_left=3)
    assert status.seen(300, beat=295) == status
    assert status.seen(100 + LOST_S) == status
    assert status.seen(100 - LOST_S) == status  # the clocks of two computers differ
    seen = status.seen(100.1 + LOST_S)
    assert (seen.state, seen.pid, seen.seconds_left) == (CRASHED, 0, None)
    assert "killed" in seen.reason


def test_what_has_ended_does_not_crash():
    assert Status(FINISHED, heartbeat=0).seen(1e9, 0).state == FINISHED


def test_share_and_plateau():
    status = Status(epoch=3, step=5, steps=10, epochs=7, best_epoch=1)
    assert status.share == pytest.approx(0.5)
    assert status.plateau == 2
    assert Status().share == 0
    assert Status(epoch=3).plateau == 0


def test_readers_never_see_half_a_status(tmp_path):
    Status(QUEUED).write(tmp_path)
    done = threading.Event()

    def write():
        for epoch in range(300):
            Status(RUNNING, epoch=epoch, reason="x" * 5000).write(tmp_path)
        done.set()

    thread = threading.Thread(target=write)
    thread.start()
    seen = 0
    while not done.is_set():
        Status.read(tmp_path)
        seen += 1
    thread.join()
    assert seen > 10


ROWS = [
    Row(0.5, 5, 3.0, 9.0, learning_rate=0.001, images_per_second=200.0, seconds=1.5),
    Row(1.0, 10, 2.0, 8.0, 2.5, 7.0, 5.0, 0.1, 0.001, 210.0, 3.0),
    Row(2.0, 20, 1.0, 6.0, 1.5, 5.0, 4.0, 0.05, 0.0005, 220.0, 6.0),
]


def add(folder, rows=ROWS):
    for row in rows:
        history.append(folder, row)


def test_history_comes_back_as_appended(tmp_path):
    assert history.read(tmp_path) == []
    add(tmp_path)
    assert [repr(row) for row in history.read(tmp_path)] == [repr(row) for row in ROWS]
    assert [row.whole for row in ROWS] == [False, True, True]
    header = (tmp_path / "metrics.csv").read_text().splitlines()[0]
    assert header.startswith("epoch,step,loss,rmse_px,val_loss,val_rmse_px")


@pytest.mark.parametrize("cut", range(1, 30, 3))
def test_a_torn_last_line_is_left_out(tmp_path, cut):
    add(tmp_path)
    path = tmp_path / "metrics.csv"
    path.write_text(path.read_text()[:-cut])
    assert len(history.read(tmp_path)) == 2


@pytest.mark.parametrize("junk", [b"\xff\x00\xfe", b"1,2", b"a,b,c,d,e,f,g,h,i,j,k", b'"', b","])
def test_what_is_no_row_is_left_out(tmp_path, junk):
    add(tmp_path)
    path = tmp_path / "metrics.csv"
    head, first, *rest = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([head, first, junk, *rest, b""]))
    assert [row.step for row in history.read(tmp_path)] == [5, 10, 20]
    path.write_bytes(junk)
    assert history.read(tmp_path) == []


def test_a_resumed_run_forgets_what_it_does_again(tmp_path):
    add(tmp_path)
    kept = history.keep_until(tmp_path, 10)
    assert [row.step for row in kept] == [5, 10]
    add(tmp_path, ROWS[2:])
    assert [row.step for row in history.read(tmp_path)] == [5, 10, 20]
    assert history.keep_until(tmp_path, 0) == []


def test_heartbeats_go_on_while_the_main_thread_works(fkd_home, tmp_path):
    from fkd.training.reporter import Reporter
    from fkd.training.runs import Run

    reporter = Reporter(Run(tmp_path), Status(RUNNING))
    with reporter.alive():
        first = Status.read(tmp_path).heartbeat
        end = time.monotonic() + 10
        while Status.read(tmp_path).heartbeat == first:
            assert time.monotonic() < end
            time.sleep(0.1)
        reporter.update(epoch=4)
        reporter.end("stopped", "because")
    status = Status.read(tmp_path)
    assert (status.state, status.reason, status.epoch, status.pid) == ("stopped", "because", 4, 0)
    assert [p.name for p in tmp_path.iterdir()] == ["status.json"]
