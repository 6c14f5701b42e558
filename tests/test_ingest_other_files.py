"""Kaggle's data as it also goes about: unpacked, packed and written otherwise, with the same
result; and tables of which nothing is left, which must not pass for tables that were not given."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ingest_helper import check, entries, whole
from kaggle_helper import Tables, zip_files

from fkd.cli import main
from fkd.dataset import Lookup
from fkd.errors import UserError
from fkd.formats import full_lookup, write_training
from fkd.inference.submission import answers
from fkd.ingest import IngestRefused, ingest
from fkd.keypoints import KAGGLE_15
from fkd.registry import datasets_folder, open_named
from fkd.storage import read_fields
from fkd.synthetic.parallel import render_blocks


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def without_last_comma(tables: Tables, end: str) -> bytes:
    """The form of Kaggle's lookup table that has three fields a row under four names."""
    head, *rows = lines(tables.lookup)
    return end.join([head, *(row.removesuffix(",") for row in rows), ""]).encode()


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r\r\n", "\r"])
@pytest.mark.parametrize("skip_bad", [False, True])
def test_kaggle_s_lookup_table_with_three_fields_a_row(
    tables: Tables, tmp_path: Path, end: str, skip_bad: bool
) -> None:
    path = tmp_path / "IdLookupTable.csv"
    path.write_bytes(without_last_comma(tables, end))
    result = ingest("faces", tables.training, tables.test, path, skip_bad=skip_bad)
    check(result.dataset, tables)
    assert result.bad_rows == 0
    expected = full_lookup(tables.image_ids, KAGGLE_15)
    assert result.dataset.lookup is not None
    for what in ("row_ids", "image_ids", "coordinates"):
        np.testing.assert_array_equal(getattr(result.dataset.lookup, what), getattr(expected, what))


@pytest.mark.parametrize("kind", ["training", "test", "lookup"])
def test_a_table_without_a_good_row_is_an_error_even_where_bad_rows_may_be_left_out(
    tables: Tables, tmp_path: Path, kind: str
) -> None:
    path: Path = getattr(tables, kind)
    head, *rows = lines(path)
    spoilt = tmp_path / path.name
    spoilt.write_text("\n".join([head, *("spoilt," + row for row in rows)]) + "\n")
    given = {"training": tables.training, "test": tables.test, "lookup": tables.lookup}
    given[kind] = spoilt
    with pytest.raises(IngestRefused, match=f"no good row in the {kind} table") as caught:
        ingest("faces", **given, skip_bad=True)
    assert not caught.value.curable
    assert not entries()
    with pytest.raises(IngestRefused) as caught:
        ingest("faces", **given)
    assert not caught.value.curable
    assert "no good row" not in str(caught.value)


def test_a_submission_never_makes_up_a_lookup_table_in_place_of_an_empty_one(
    tables: Tables,
) -> None:
    dataset = whole("faces", tables).dataset
    # What an earlier version left of a table whose rows were all bad.
    folder = datasets_folder() / "faces"
    np.save(folder / "lookup.npy", np.empty((0, 3), np.int64))
    about = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**about, "lookup_rows": 0}))
    dataset = open_named("faces")
    assert isinstance(dataset.lookup, Lookup)
    points = np.zeros((len(dataset.test_images), len(KAGGLE_15), 2))
    with pytest.raises(UserError, match="lookup table"):
        answers(dataset, points)


def test_the_folder_that_windows_unpacks(tables: Tables, tmp_path: Path) -> None:
    root = tmp_path / "down" / "facial-keypoints-detection"
    for place in ("training", "test"):
        (root / place).mkdir(parents=True)
    shutil.copy(tables.training, root / "training" / "training.csv")
    shutil.copy(tables.test, root / "test" / "test.csv")
    shutil.copy(tables.lookup, root)
    (root / "SampleSubmission.csv").write_text("RowId,Location\n1,0\n")
    result = ingest("faces", tmp_path / "down")
    check(result.dataset, tables)
    assert result.notes == ("Not read from down: facial-keypoints-detection/SampleSubmission.csv.",)


@pytest.mark.parametrize("pack", ["gz", "bz2", "tar.gz", "parquet"])
def test_what_the_tables_are_packed_in_makes_no_difference(
    tables: Tables, tmp_path: Path, pack: str
) -> None:
    plain = ingest("plain", tables.training).dataset
    path = tmp_path / f"training.csv.{pack}"
    data = tables.training.read_bytes()
    if pack == "gz":
        path.write_bytes(gzip.compress(data, 1))
    elif pack == "bz2":
        path.write_bytes(bz2.compress(data, 1))
    elif pack == "tar.gz":
        with tarfile.open(path, "w:gz") as archive:
            archive.add(tables.training, "faces/training.csv")
            archive.add(tables.test, "faces/test.csv")
    else:
        pd.read_csv(tables.training).to_parquet(path)
    packed = ingest("packed", path).dataset
    np.testing.assert_array_equal(packed.keypoints, plain.keypoints)
    np.testing.assert_array_equal(packed.images, plain.images)
    assert len(packed.test_images) == (len(tables.test_images) if pack == "tar.gz" else 0)
    assert not ingest("packed", path).created


def test_a_table_that_pandas_wrote_again_is_the_same(tables: Tables, tmp_path: Path) -> None:
    plain = ingest("plain", tables.training).dataset
    frame = pd.read_csv(tables.training)
    frame["Image"] = frame["Image"].map(lambda text: str(list(map(float, text.split()))))
    frame.to_csv(tmp_path / "training.csv", index_label="index")
    result = ingest("again", tmp_path / "training.csv")
    np.testing.assert_array_equal(result.dataset.images, plain.images)
    np.testing.assert_allclose(result.dataset.keypoints, plain.keypoints)
    assert len(result.notes) == 3
    assert all(note.startswith("training.csv: ") for note in result.notes)


def test_the_mirror_that_keeps_its_images_in_an_array(tables: Tables, tmp_path: Path) -> None:
    pd.read_csv(tables.training).drop(columns="Image").to_csv(
        tmp_path / "facial_keypoints.csv", index=False
    )
    buffer = io.BytesIO()
    np.savez_compressed(buffer, face_images=np.moveaxis(tables.images, 0, -1))
    (tmp_path / "face_images.npz").write_bytes(buffer.getvalue())
    dataset = ingest("mirror", tmp_path).dataset
    np.testing.assert_array_equal(dataset.images, tables.images)
    np.testing.assert_allclose(dataset.keypoints, tables.keypoints, rtol=1e-6)


def test_further_columns_are_kept_as_fields(tables: Tables, tmp_path: Path) -> None:
    frame = pd.read_csv(tables.training)
    frame.insert(0, "person", [f"person {i // 2}" for i in range(len(frame))])
    frame.loc[1, "Image"] = "1 2 3"
    frame.to_csv(tmp_path / "training.csv", index=False)
    result = ingest("faces", tmp_path / "training.csv", skip_bad=True)
    assert read_fields(result.dataset) == {
        "person": [f"person {i // 2}" for i in range(len(frame)) if i != 1]
    }
    assert result.dataset.manifest["rejected"] == {"training": 1}
    assert result.notes == ("training.csv: Kept beside the labels: the column person.",)


def test_the_command_line_tells_causes_not_a_line_for_each_row(
    tables: Tables, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = pd.read_csv(tables.training)
    frame = pd.concat([frame] * 20, ignore_index=True)
    shortened = "[1. 2. 3. ... 7. 8. 9.]"
    frame.assign(Image=shortened).to_csv(tmp_path / "training.csv", index=False)
    assert main(["ingest", "faces", str(tmp_path / "training.csv")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"fkd: {len(frame)} bad rows of {len(frame)} in training.csv: ")
    assert "NumPy" in line
    frame.loc[:, "Image"] = [f"1 2 {'3 ' * i}" for i in range(len(frame))]
    frame.to_csv(tmp_path / "training.csv", index=False)
    listed = tmp_path / "problems.csv"
    arguments = ["ingest", "faces", str(tmp_path / "training.csv"), "--problems", str(listed)]
    assert main(arguments) == 2
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 6
    assert told[3] == f"training.csv: {len(frame) - 3} more: wrong pixel count"
    assert len(pd.read_csv(listed)) == len(frame)


def test_a_table_without_a_label_says_so(tables: Tables, tmp_path: Path) -> None:
    frame = pd.read_csv(tables.training)
    frame.loc[:, list(KAGGLE_15.coordinate_names)] = np.nan
    frame.to_csv(tmp_path / "training.csv", index=False)
    assert ingest("faces", tmp_path).notes == ("No point has a label in any row.",)


@pytest.mark.parametrize("packed", ["folder", "zip"])
def test_all_that_is_used_is_no_news(tables: Tables, tmp_path: Path, packed: str) -> None:
    folder = tmp_path / "faces"
    folder.mkdir()
    zip_files(folder / "training.zip", tables.training)
    zip_files(folder / "test.zip", tables.test)
    shutil.copy(tables.lookup, folder)
    path = folder
    if packed == "zip":
        path = zip_files(tmp_path / "faces.zip", *sorted(folder.iterdir()))
    result = ingest("faces", path)
    check(result.dataset, tables)
    assert result.notes == ()


FACES = next(iter(render_blocks(2, 0, 6)))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda p: p[:, KAGGLE_15.mirror_order], "Left and right seem to be swapped"),
        (lambda p: p[..., ::-1], "another order"),
        (lambda p: (p - 48) / 48, "do not lie where faces do"),
        (lambda p: p / 96, "do not lie where faces do"),
        (np.rint, "whole number"),
        (lambda p: p, ""),
    ],
)
def test_labels_that_look_odd_in_all_rows_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change, words: str
) -> None:  # type: ignore[no-untyped-def]
    images, points = FACES
    path = tmp_path / "training.csv"
    write_training(path, images, np.asarray(change(points), np.float32), KAGGLE_15)
    assert main(["ingest", "faces", str(path)]) == 0
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Warning: ")]
    assert bool(said) == bool(words)
    assert all(words in line for line in said)


def test_what_lies_beside_any_table_is_told(tables: Tables, tmp_path: Path) -> None:
    (tmp_path / "readme.txt").write_text("x")
    test = zip_files(tmp_path / "test.zip", tables.test, tmp_path / "readme.txt")
    result = ingest("faces", tables.training, test)
    assert result.notes == ("Not read from test.zip: readme.txt.",)
