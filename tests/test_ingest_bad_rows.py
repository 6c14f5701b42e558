"""Files with mistakes: refused with all of them told, or their good rows are taken."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from ingest_helper import entries, state, whole
from kaggle_helper import Tables

from fkd.errors import UserError
from fkd.ingest import IngestRefused, ingest, rejected_csv
from fkd.keypoints import KAGGLE_15


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
