from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from exchange_helper import (
    SMALL,
    check_back,
    dataset_of,
    every_state,
    files_of,
    labelled,
    some,
    write_zip,
)
from hypothesis import HealthCheck, given, settings

from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.formats.kaggle_images import read_training
from fkd.formats.kaggle_labels import held, read_kaggle, write_kaggle
from fkd.formats.report import Report
from fkd.formats.source import open_table
from fkd.labels.states import Labels

DATASET = dataset_of([0, 2, 12])
LABELS = every_state(DATASET)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None
)
@given(labelled())
def test_all_that_it_holds_comes_back(tmp_path_factory: Any, made: tuple[Dataset, Labels]) -> None:
    dataset, labels = made
    wanted = some(held(labels))
    place = tmp_path_factory.mktemp("kaggle")
    for name in ("out", "out.zip", "some.csv"):
        write_kaggle(place / name, dataset, labels)
        imported = read_kaggle(place / name, SMALL)
        assert not imported.numbered
        assert imported.rows.tolist() == list(range(len(labels)))
        check_back(replace(imported, rows=labels.rows), wanted, dataset)


def test_it_is_what_an_ingest_reads(tmp_path: Path) -> None:
    write_kaggle(tmp_path / "out", DATASET, LABELS)
    assert set(files_of(tmp_path / "out")) == {"training.csv"}
    report = Report()
    with open_table(tmp_path / "out", "training") as table:
        (batch,) = read_training(table, SMALL, report)
    assert not report
    np.testing.assert_array_equal(batch.images, DATASET.images)
    np.testing.assert_array_equal(batch.keypoints, LABELS.points)


@pytest.mark.parametrize("name", ["out", "out.zip", "out.csv"])
def test_nothing_is_overwritten(tmp_path: Path, name: str) -> None:
    write_kaggle(tmp_path / name, DATASET, LABELS)
    with pytest.raises(UserError, match="is not overwritten"):
        write_kaggle(tmp_path / name, DATASET, LABELS)


def test_a_mistake_is_named(tmp_path: Path) -> None:
    path = tmp_path / "some.csv"
    write_kaggle(path, DATASET, LABELS)
    header, *rows = path.read_text().splitlines()
    rows[1] = "x" + rows[1][rows[1].index(",") :]
    path.write_text("\n".join([header, *rows]))
    with pytest.raises(UserError, match=r"some\.csv, row 1 \(line 3\), column left_eye_x: 'x' is "):
        read_kaggle(path, SMALL)
    path.write_text("\n".join([header.replace("nose", "chin"), *rows]))
    with pytest.raises(UserError, match=r"some\.csv: the columns chin_x and chin_y look"):
        read_kaggle(path, SMALL)
    path.write_text(header)
    with pytest.raises(UserError, match="has a header but no rows"):
        read_kaggle(path, SMALL)
    with pytest.raises(UserError, match="does not exist"):
        read_kaggle(tmp_path / "none", SMALL)


@pytest.mark.parametrize("packed", [False, True])
def test_what_lies_beside_the_table_is_told(tmp_path: Path, packed: bool) -> None:
    write_kaggle(tmp_path / "out", DATASET, LABELS)
    (tmp_path / "out" / "notes.txt").write_text("x")
    path = tmp_path / "out"
    if packed:
        path = write_zip(tmp_path / "out.zip", files_of(path))
    assert read_kaggle(path, SMALL).unread == ("notes.txt",)
    assert read_kaggle(tmp_path / "out" / "training.csv", SMALL).unread == ()
