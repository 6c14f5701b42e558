from __future__ import annotations

import csv
import io
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from kaggle_helper import (
    Tables,
    competition_zip,
    run_fkd,
    run_python,
    start_python,
    write_tables,
    zip_files,
)

from fkd.dataset import Dataset
from fkd.errors import Cancelled, UserError
from fkd.ingest import IngestRefused, IngestResult, ingest, rejected_csv
from fkd.keypoints import KAGGLE_15
from fkd.registry import dataset_names, datasets_folder, locked, open_named


def whole(name: str, tables: Tables, **options: object) -> IngestResult:
    return ingest(name, tables.training, tables.test, tables.lookup, **options)


def entries() -> set[str]:
    """What lies among the datasets, locks left out."""
    folder = datasets_folder()
    return {p.name for p in folder.iterdir() if p.suffix != ".lock"} if folder.is_dir() else set()


def state(name: str) -> dict[str, tuple[int, bytes]]:
    """The files of a dataset with their times: equal states mean that nothing was written."""
    folder = datasets_folder() / name
    return {p.name: (p.stat().st_mtime_ns, p.read_bytes()) for p in folder.iterdir()}


def check(dataset: Dataset, tables: Tables) -> None:
    np.testing.assert_array_equal(dataset.images, tables.images)
    np.testing.assert_array_equal(dataset.keypoints, tables.keypoints)
    np.testing.assert_array_equal(dataset.rows, np.arange(len(tables.images)))
    np.testing.assert_array_equal(dataset.test_images, tables.test_images)
    np.testing.assert_array_equal(dataset.test_image_ids, tables.image_ids)
    assert dataset.lookup is not None
    assert len(dataset.lookup) == len(tables.image_ids) * len(KAGGLE_15.coordinate_names)


# Where the files are


@pytest.fixture
def packed(tmp_path: Path, tables: Tables) -> dict[str, tuple[Path, ...]]:
    """The same tables in every form they come in: the arguments of ``ingest`` by form."""
    folder = tmp_path / "zips"
    folder.mkdir()
    training = zip_files(folder / "training.zip", tables.training)
    test = zip_files(folder / "test.zip", tables.test)
    shutil.copy(tables.lookup, folder)
    download = tmp_path / "download"
    download.mkdir()
    competition = competition_zip(download / "facial-keypoints-detection.zip", tables)
    return {
        "plain": (tables.training, tables.test, tables.lookup),
        "zips": (training, test, tables.lookup),
        "folder": (tables.folder,),
        "folder of zips": (folder,),
        "competition zip": (competition,),
        "flat zip": (zip_files(tmp_path / "all.zip", tables.training, tables.test, tables.lookup),),
        "folder with the competition zip": (download,),
    }


def test_every_form_gives_the_same_dataset(
    packed: dict[str, tuple[Path, ...]], tables: Tables
) -> None:
    hashes = set()
    for i, (form, paths) in enumerate(packed.items()):
        result = ingest(f"d{i}", *paths)
        assert result.created, form
        assert [bool(report) for report in result.reports] == [False] * 3
        check(result.dataset, tables)
        hashes.add(result.dataset.content_hash)
    assert len(hashes) == 1
    check(open_named("d0"), tables)


def test_the_same_content_again_does_nothing_in_whatever_form(
    packed: dict[str, tuple[Path, ...]], tables: Tables
) -> None:
    whole("faces", tables)
    before = state("faces")
    for form, paths in packed.items():
        for overwrite in (False, True):
            result = ingest("faces", *paths, overwrite=overwrite)
            assert not result.created, form
            check(result.dataset, tables)
    assert state("faces") == before
    assert entries() == {"faces"}


def test_the_training_table_alone_is_a_dataset(tables: Tables) -> None:
    dataset = ingest("faces", tables.training).dataset
    assert (len(dataset), len(dataset.test_images), dataset.lookup) == (7, 0, None)
    assert dataset.manifest["sources"] == {"training": "training.csv"}
    assert rejected_csv(dataset) is None


def test_other_content_is_refused_and_replaced_only_on_demand(
    tables: Tables, other_tables: Tables
) -> None:
    whole("faces", tables)
    before = state("faces")
    for paths in ((other_tables.training,), (tables.training,), (other_tables.folder,)):
        with pytest.raises(UserError, match=r"'faces' exists with other content.*remove that one"):
            ingest("faces", *paths)
    assert state("faces") == before
    result = whole("faces", other_tables, overwrite=True)
    assert result.created
    check(open_named("faces"), other_tables)
    assert entries() == {"faces"}


@pytest.mark.parametrize("damage", ["manifest.json", "images.npy", "lookup.npy"])
def test_a_damaged_dataset_is_replaced_on_demand(tables: Tables, damage: str) -> None:
    whole("faces", tables)
    (datasets_folder() / "faces" / damage).write_bytes(b"{")
    with pytest.raises(UserError, match="remove that one first"):
        whole("faces", tables)
    assert whole("faces", tables, overwrite=True).created
    check(open_named("faces"), tables)


@pytest.mark.parametrize("missing", ["training", "test", "lookup"])
def test_a_file_that_is_not_there_is_named(tables: Tables, tmp_path: Path, missing: str) -> None:
    paths = {"training": tables.training, "test": tables.test, "lookup": tables.lookup}
    with pytest.raises(UserError, match=r"gone\.csv does not exist"):
        ingest("faces", **{**paths, missing: tmp_path / "gone.csv"})
    assert entries() == set()


# Bad rows


def edit(tables: Tables, to: Path, changes: dict[str, dict[int, tuple[str, str]]]) -> Path:
    """Copies of the tables in ``to`` with some cells changed: file -> row -> (column, text)."""
    to.mkdir()
    for path in (tables.training, tables.test, tables.lookup):
        rows = list(csv.reader(io.StringIO(path.read_text())))
        for row, (column, text) in changes.get(path.name, {}).items():
            rows[row + 1][rows[0].index(column)] = text
        (to / path.name).write_text("\n".join(map(",".join, rows)) + "\n")
    return to


@pytest.fixture
def bad(tables: Tables, tmp_path: Path) -> Path:
    changes = {
        "training.csv": {
            0: ("Image", "1 2 3"),
            3: (f"{given_point(tables, 3)}_x", "east"),
            5: (f"{given_point(tables, 5)}_y", "1e6"),
        },
        "test.csv": {1: ("Image", "0 999")},
        "IdLookupTable.csv": {4: ("FeatureName", "left_ear_x"), 89: ("ImageId", "77")},
    }
    return edit(tables, tmp_path / "bad", changes)


def given_point(tables: Tables, row: int) -> str:
    """A point that ``row`` has: spoilt where there is none, it would be two mistakes."""
    given = np.flatnonzero(~np.isnan(tables.keypoints[row, :, 0]))
    return KAGGLE_15.names[given[0]]


def test_every_bad_row_of_every_file_is_reported_at_once(bad: Path) -> None:
    with pytest.raises(IngestRefused) as caught:
        ingest("faces", bad)
    training, test, lookup = caught.value.reports
    assert training.bad_rows == {0, 3, 5}
    assert test.bad_rows == {1}
    # Thirty rows ask for the bad test image, and can no longer be answered.
    assert lookup.bad_rows == {4, 89, *range(30, 60)}
    text = str(caught.value)
    assert "3 bad rows of 7 in training.csv" in text
    assert "1 bad row of 3 in test.csv" in text
    assert "in IdLookupTable.csv" in text
    assert "\n" not in text
    assert caught.value.curable
    assert entries() == set()


def test_a_refusal_changes_nothing(bad: Path, tables: Tables) -> None:
    whole("faces", tables)
    before = state("faces")
    with pytest.raises(IngestRefused):
        ingest("faces", bad, overwrite=True)
    assert state("faces") == before
    assert entries() == {"faces"}


def test_skipping_keeps_the_good_rows_under_their_numbers(bad: Path, tables: Tables) -> None:
    result = ingest("faces", bad, skip_bad=True)
    dataset, good = result.dataset, [1, 2, 4, 6]
    np.testing.assert_array_equal(dataset.rows, good)
    np.testing.assert_array_equal(dataset.images, tables.images[good])
    np.testing.assert_array_equal(dataset.keypoints, tables.keypoints[good])
    np.testing.assert_array_equal(dataset.test_image_ids, [1, 3])
    np.testing.assert_array_equal(dataset.test_images, tables.test_images[[0, 2]])
    assert dataset.lookup is not None
    assert set(dataset.lookup.image_ids) == {1, 3}
    assert len(dataset.lookup) == 90 - 32
    assert result.bad_rows == 3 + 1 + 32 == dataset.manifest["rejected_rows"]

    path = rejected_csv(dataset)
    assert path is not None
    with path.open(newline="") as file:
        rejected = list(csv.DictReader(file))
    assert len(rejected) == 36 + 1  # row 1 of test.csv has two faults
    training = [r for r in rejected if r["file"] == "training.csv"]
    assert [(r["row"], r["line"], r["column"]) for r in training] == [
        ("0", "2", "Image"),
        ("3", "5", f"{given_point(tables, 3)}_x"),
        ("5", "7", f"{given_point(tables, 5)}_y"),
    ]
    assert "east" in training[1]["reason"]


def test_skipping_again_does_nothing_but_a_strict_ingest_asks_for_more(
    bad: Path, tables: Tables
) -> None:
    ingest("faces", bad, skip_bad=True)
    before = state("faces")
    assert not ingest("faces", bad, skip_bad=True).created
    with pytest.raises(UserError, match="exists with other content"):
        ingest("faces", bad)
    with pytest.raises(IngestRefused):
        ingest("faces", bad, overwrite=True)
    assert state("faces") == before
    whole("good", tables)
    assert not whole("good", tables, skip_bad=True).created


@pytest.mark.parametrize("skip_bad", [False, True])
def test_what_no_skipping_cures_is_refused_either_way(
    tables: Tables, tmp_path: Path, skip_bad: bool
) -> None:
    columns = tmp_path / "columns.csv"
    columns.write_text(tables.training.read_text().replace("nose_tip_x", "nose_x", 1))
    no_good_row = tmp_path / "no_good_row.csv"
    header = tables.training.read_text().splitlines()[0]
    no_good_row.write_text(f"{header}\n1,2,3\n")
    for path in (columns, no_good_row):
        with pytest.raises(IngestRefused) as caught:
            ingest("faces", path, skip_bad=skip_bad)
        assert not caught.value.curable
    assert entries() == set()


def test_problems_of_one_table_do_not_hide_those_of_the_next(
    tables: Tables, bad: Path, tmp_path: Path
) -> None:
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    with pytest.raises(IngestRefused) as caught:
        ingest("faces", empty, bad / "test.csv", tables.lookup)
    assert [len(r.fatal) for r in caught.value.reports] == [1, 0, 0]
    assert caught.value.reports[1].bad_rows == {1}
    assert not caught.value.curable


@pytest.mark.parametrize("kind", ["test", "lookup"])
def test_skipping_does_not_leave_out_a_whole_table(
    tables: Tables, tmp_path: Path, kind: str
) -> None:
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("a,b\n1,2\n")
    with pytest.raises(IngestRefused, match=r"wrong\.csv") as caught:
        ingest("faces", tables.training, **{kind: wrong}, skip_bad=True)
    assert not caught.value.curable
    assert entries() == set()


def test_line_ends_and_a_byte_order_mark_do_not_change_the_content(
    tables: Tables, tmp_path: Path
) -> None:
    path = tmp_path / "windows.csv"
    path.write_bytes(b"\xef\xbb\xbf" + tables.training.read_bytes().replace(b"\n", b"\r\n"))
    one, two = ingest("a", tables.training).dataset, ingest("b", path).dataset
    assert one.content_hash == two.content_hash


# Stopping, dying, two at once, no space


def test_progress_is_reported_up_to_the_whole(tables: Tables) -> None:
    seen: dict[str, list[tuple[int, int]]] = {}
    whole("faces", tables, progress=lambda s, d, t: seen.setdefault(s, []).append((d, t)))
    assert [s for s in seen if s.endswith(".csv")] == ["reading training.csv", "reading test.csv"]
    for steps in seen.values():
        done = [d for d, _ in steps]
        assert done == sorted(done)
        assert steps[-1][0] == steps[-1][1] > 0


@pytest.mark.parametrize("step", range(4))
def test_a_cancelled_ingest_leaves_nothing(tables: Tables, other_tables: Tables, step: int) -> None:
    left = step

    def cancel(stage: str, done: int, total: int) -> None:
        nonlocal left
        if stage.startswith("reading"):
            left -= 1
            if left < 0:
                raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        whole("new", tables, progress=cancel)
    assert entries() == set()
    whole("faces", other_tables)
    before, left = state("faces"), step
    with pytest.raises(Cancelled):
        whole("faces", tables, overwrite=True, progress=cancel)
    assert state("faces") == before
    assert entries() == {"faces"}


DIE = """
import os, signal, sys
from pathlib import Path
from fkd.ingest import ingest
left = int(sys.argv[2])
def die(stage, done, total):
    global left
    left -= stage.startswith("reading")
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
ingest("faces", Path(sys.argv[1]), overwrite=True, progress=die)
"""


@pytest.mark.parametrize("step", [0, 1, 3])
def test_a_killed_ingest_leaves_the_old_dataset_and_the_next_one_clears_up(
    tables: Tables, other_tables: Tables, step: int
) -> None:
    whole("faces", other_tables)
    before = state("faces")
    assert run_python("-c", DIE, tables.folder, step).returncode == -signal.SIGKILL
    assert state("faces") == before
    assert dataset_names() == ["faces"]
    assert entries() > {"faces"}  # what the dead process wrote is there still, out of sight
    assert whole("faces", tables, overwrite=True).created
    check(open_named("faces"), tables)
    assert entries() == {"faces"}


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    return write_tables(tmp_path_factory.mktemp("many"), 300, 20)


def test_killed_at_any_moment_there_is_no_half_dataset(many: Tables) -> None:
    began = time.monotonic()
    assert run_fkd("ingest", "timed", many.folder).returncode == 0
    whole_run = time.monotonic() - began
    killed, chance = 0, random.Random(0)
    for i in range(6):
        name = f"faces{i}"
        with start_python("-m", "fkd", "ingest", name, many.folder) as child:
            # From before the first file to the last rename.
            time.sleep(chance.uniform(0.3, 0.8) * whole_run)
            child.kill()
            child.communicate()
        killed += child.returncode == -signal.SIGKILL
        for found in dataset_names():
            check(open_named(found), many)  # whole, or not there
    assert killed >= 3
    names = {f"faces{i}" for i in range(6)}
    for name in names:
        check(whole(name, many).dataset, many)
    assert entries() == {"timed", *names}


def test_two_processes_may_ingest_the_same_at_once(many: Tables) -> None:
    children = [start_python("-m", "fkd", "ingest", "faces", many.folder) for _ in range(2)]
    results = [child.communicate(timeout=120) for child in children]
    assert [child.returncode for child in children] == [0, 0], results
    said = sorted("nothing to do" in out for out, _ in results)
    assert said == [False, True]  # one has written it, the other has found it
    check(open_named("faces"), many)
    assert entries() == {"faces"}


def test_of_two_different_ones_at_once_one_wins(tables: Tables, other_tables: Tables) -> None:
    folders = (tables.folder, other_tables.folder)
    with locked("faces"):  # both are at the door before either goes in
        children = [start_python("-m", "fkd", "ingest", "faces", folder) for folder in folders]
        time.sleep(1)
    for child in children:
        child.communicate(timeout=120)
    assert sorted(child.returncode for child in children) == [0, 2]
    winner = tables if children[0].returncode == 0 else other_tables
    check(open_named("faces"), winner)
    assert entries() == {"faces"}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 48 kB; skipped where none can be mounted."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=48k", "tmpfs", str(place)]
    if not sys.platform.startswith("linux") or os.geteuid() or shutil.which("mount") is None:
        pytest.skip("mounting a small disk needs Linux and root")
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_is_one_clear_line(small_disk: Path, tables: Tables) -> None:
    result = run_fkd("ingest", "faces", tables.folder, FKD_HOME=str(small_disk))
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        "fkd: The disk is full. Free space and try again; nothing is left half-written."
    ]
    assert [p.name for p in (small_disk / "datasets").iterdir()] == [".faces.lock"]


LIMITED = """
import resource, signal, sys
from fkd.cli import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.parametrize("limit", [100, 20_000])
def test_a_write_that_fails_is_one_line_and_leaves_what_was_there(
    tables: Tables, other_tables: Tables, limit: int
) -> None:
    whole("faces", other_tables)
    before = state("faces")
    result = run_python(
        *("-c", LIMITED, limit, "ingest", "faces", tables.folder, "--overwrite"),
    )
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.splitlines() == ["fkd: File too large"]
    assert state("faces") == before
    assert entries() == {"faces"}
