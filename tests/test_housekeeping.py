"""What killed ingests and trainings left goes; what somebody is at work on never does."""

from __future__ import annotations

import os
import random
import signal
import stat
import time
from pathlib import Path

import pytest
from kaggle_helper import run_fkd, start_python, write_tables
from training_helper import put_tiny

from fkd import files, housekeeping
from fkd.files import GRACE_S, INCOMING, LEFT_S, remove_left, replacing, sweep
from fkd.housekeeping import STAMP, tidy, tidy_daily
from fkd.registry import dataset_names, datasets_folder, open_named
from fkd.training.runs import runs_folder

INGEST = """
import sys, time
from pathlib import Path
from fkd.ingest import ingest
told = False
def tell(stage, done, total):
    global told
    if stage.startswith("reading") and not told:
        told = True
        print("reading", flush=True)
        time.sleep(float(sys.argv[3]))
ingest(sys.argv[1], Path(sys.argv[2]), progress=tell)
"""

WRITE = """
import os, sys, time
from pathlib import Path
from fkd.files import replacing
with replacing(Path(sys.argv[1])) as beside:
    beside.write_bytes(bytes(100_000))
    os.utime(beside, (0, 0))  # as if it had taken for ever
    print("writing", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def left(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.name.startswith((INCOMING, ".measures-"))]


def age(path: Path, seconds: float = LEFT_S + 5) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


@pytest.mark.slow
def test_killed_ingests_leave_nothing_and_a_live_one_survives(tmp_path, fkd_home):
    tables = write_tables(tmp_path / "many", 3000, 0)
    with start_python("-c", INGEST, "alive", tables.training, 2) as alive:
        assert alive.stdout.readline() == "reading\n"
        alive.send_signal(signal.SIGSTOP)  # in the midst of it, for as long as it pleases
        rng = random.Random(0)
        for number in range(14):
            with start_python("-c", INGEST, f"dead-{number}", tables.training, 0) as child:
                assert child.stdout.readline() == "reading\n"
                time.sleep(rng.uniform(0, 0.1))
                child.kill()
                child.communicate()
        [held] = datasets_folder().glob(f"{INCOMING}alive~*")
        dead = [path for path in left(fkd_home) if path != held]
        assert len(dead) >= 7  # the others were done, or had nothing yet
        age(held)
        done = run_fkd("remove", "nothing", "--yes")  # any verb that writes
        assert done.returncode == 2
        assert left(fkd_home) == [held]
        alive.send_signal(signal.SIGCONT)
        assert alive.wait(60) == 0, alive.stderr.read()
    assert len(open_named("alive")) == 3000
    tidy()
    assert left(fkd_home) == []
    assert "alive" in dataset_names()


@pytest.mark.parametrize(
    "name",
    ["runs/mine/last.keras", "runs/mine/best.keras", "runs/mine/samples/epoch-00001.npy"],
)
def test_checkpoints_of_killed_trainers_go_and_those_of_live_ones_stay(fkd_home, name):
    path = fkd_home / name
    path.parent.mkdir(parents=True)
    with start_python("-c", WRITE, path, 300) as dead, start_python("-c", WRITE, path, 300) as live:
        for child in (dead, live):
            assert child.stdout.readline() == "writing\n"
        assert len(left(fkd_home)) == 2
        tidy()
        assert len(left(fkd_home)) == 2  # both live, however old their files look
        dead.kill()
        dead.communicate()
        tidy()
        [kept] = left(fkd_home)
        assert f"-{live.pid}-" in str(kept) or str(live.pid) in kept.name
        live.kill()
        live.communicate()
        tidy()
    assert left(fkd_home) == []


def test_what_was_made_just_now_is_left_alone(tmp_path):
    """It may not have been locked yet."""
    path = tmp_path / f"{INCOMING}1-0-a.json"
    path.write_text("half")
    assert not remove_left(path)
    age(path, GRACE_S + 5)
    assert remove_left(path)


def test_without_locks_age_alone_tells(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "fcntl", None)
    path = tmp_path / f"{INCOMING}1-0-a.json"
    path.write_text("half")
    age(path, GRACE_S + 5)
    assert sweep(tmp_path) == 0
    age(path)
    assert sweep(tmp_path) == 1
    with replacing(tmp_path / "a.json") as beside:
        beside.write_text("whole")
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_a_block_of_this_process_is_held_against_its_own_sweeps(tmp_path):
    path = tmp_path / "a.json"
    with replacing(path) as beside:
        beside.write_text("whole")
        age(beside)
        assert sweep(tmp_path) == 0
    assert path.read_text() == "whole"
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_all_kinds_of_leftovers(fkd_home, tiny_drawn):
    put_tiny(tiny_drawn)
    kept = sorted(path for path in fkd_home.rglob("*") if "lock" not in path.name)
    for name in (
        f"datasets/{INCOMING}gone~abcdefgh/images.npy",
        "datasets/tiny/.measures-abcdefgh/present.npy",
        f"datasets/tiny/{INCOMING}1-0-label_offset.json",
        "runs/.deleted-mine-1-2/best.keras",
        f"runs/{INCOMING}abcdefgh/config.json",
        f"runs/mine/{INCOMING}1-0-last.keras",
        f"runs/mine/samples/{INCOMING}1-0-epoch-00001.npy",
        f"runs/mine/predictions/abc/{INCOMING}1-0-output.npy",
        f"predictions/bundled/compiled/{INCOMING}1-0-a.graph",
        f"exports/{INCOMING}out~abcdefgh/a.png",
        "uploads/import-abcdefgh/labels.zip",
    ):
        path = fkd_home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half")
        age(path)
        age(path.parent, housekeeping._UPLOADS_S + 5)
    tidy()
    now = [path for path in fkd_home.rglob("*") if path.is_file() and "lock" not in path.name]
    assert sorted(now) == sorted([*(p for p in kept if p.is_file()), fkd_home / STAMP])
    assert len(open_named("tiny")) == 24


def test_queues_that_nobody_opens_any_more_go(fkd_home):
    old, new = (fkd_home / "queues" / name for name in ("0123456789ab.json", "ba9876543210.json"))
    old.parent.mkdir(parents=True)
    for path in (old, new):
        path.write_text("{}")
    age(old, housekeeping._QUEUES_S + 5)
    age(new, housekeeping._QUEUES_S - 3600)
    tidy()
    assert [path.name for path in old.parent.iterdir()] == [new.name]


def test_a_dataset_that_was_being_replaced_comes_back(fkd_home, tiny_drawn):
    put_tiny(tiny_drawn)
    (datasets_folder() / "tiny").rename(datasets_folder() / ".outgoing-tiny~abcdefgh")
    tidy()
    assert (datasets_folder() / "tiny").is_dir()
    assert dataset_names() == ["tiny"]


def test_folders_with_odd_names_do_no_harm(fkd_home):
    for name in (f"{INCOMING}~x", f"{INCOMING}..~x", f"{INCOMING}a b~x", f"{INCOMING}\n~"):
        (datasets_folder() / name).mkdir(parents=True)
    (runs_folder()).mkdir()
    (runs_folder() / f"{INCOMING}loop").symlink_to(fkd_home)
    os.mkfifo(runs_folder() / f"{INCOMING}pipe")
    (fkd_home / "round").symlink_to(fkd_home)
    tidy()
    assert fkd_home.is_dir()


def test_once_a_day(fkd_home, monkeypatch):
    fkd_home.mkdir()
    first = tidy_daily()  # a process starts
    assert first is not None
    first.join()
    assert tidy_daily() is None
    now = time.monotonic()
    monkeypatch.setattr(housekeeping.time, "monotonic", lambda: now + housekeeping.DAY_S + 1)
    assert tidy_daily() is None  # another process has done it since
    age(fkd_home / STAMP, housekeeping.DAY_S + 5)
    again = tidy_daily()
    assert again is not None
    again.join()
    assert tidy_daily() is None


def test_a_workspace_that_is_not_there_is_not_made(fkd_home):
    tidy()
    assert not fkd_home.exists()


def test_a_lock_made_while_tidying_is_the_teams_too(fkd_home, tiny_drawn):
    put_tiny(tiny_drawn)
    folder = datasets_folder() / "tiny"
    (folder / ".measures.lock").unlink(missing_ok=True)
    folder.chmod(0o2770)
    (folder / ".measures-left").mkdir()
    tidy(fkd_home)
    assert not (folder / ".measures-left").exists()
    assert stat.S_IMODE((folder / ".measures.lock").stat().st_mode) == 0o660
